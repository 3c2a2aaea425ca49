//! What does not fit gets a problem that names the field; nothing of it happens, and nothing of it forges a log.

use rackhand_core::{states::ServerStatus, store::Engine};
use reqwest::{Method, header};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::caller::{Answered, Caller, Place};
use crate::{
    cli::Machine,
    databases::{Database, each_engine},
};

#[tokio::test]
async fn a_query_that_does_not_fit_names_its_field() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    for (path, field) in [
        ("/servers?limit=many", "limit"),
        ("/servers?limit=-1", "limit"),
        ("/servers?limit=99999999999999999999", "limit"),
        ("/servers?limit=", "limit"),
        ("/servers?colour=red", "colour"),
        ("/servers?limit=1&limit=2", "limit"),
        ("/servers?limit=1&%6Cimit=2", "limit"),
        ("/servers?cursor=zzz", "cursor"),
        ("/audit?cursor=a6161", "cursor"),
        ("/servers?cursor=a00", "cursor"),
        ("/jobs?open=yes", "open"),
        ("/jobs?handle=a%00b", "handle"),
        ("/jobs?handle=%1b%5B31m", "handle"),
        ("/jobs?handle=%ff", "query"),
        ("/jobs?handle=%zz", "query"),
        ("/jobs?handle=%c", "query"),
        ("/incidents/active?open=false", "open"),
        ("/servers/vps-1/incidents?handle=vps-2", "handle"),
        ("/users/abc", "telegram_id"),
        ("/approvals/abc", "approval"),
    ] {
        let answered = place.admin.get(path).await;
        answered.bad(field);
    }
    let many: Vec<String> = (0..9_000).map(|number| format!("x{number}")).collect();
    place.viewer.get(&format!("/servers?{}", many.join("&"))).await.bad("query");
}

#[tokio::test]
async fn a_path_that_does_not_fit_finds_nothing() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        place.desk.server(1, ServerStatus::Ready, true).await;
        for path in [
            "/servers/%2e%2e",
            "/servers/..%2fjobs",
            "/servers/%2Fvps-1",
            "/servers/vps-1%20",
            "/servers/VPS-1",
            "/servers/a%27--",
        ] {
            place.viewer.get_exactly(&format!("/api/v1{path}")).await.problem(404, "not-found");
        }
        for path in [
            "/nothing",
            "/../v1/servers",
            "/./servers",
            "/%2e%2e/%2e%2e/healthz",
            "/servers/vps-1/",
            "//servers",
            "/servers/vps-1/x/y",
            "/servers/",
        ] {
            place.viewer.get_exactly(&format!("/api/v1{path}")).await.problem(404, "no-such-path");
        }
        for path in ["/servers/%00", "/servers/a%0Ab%1b", "/servers/%7f"] {
            place.viewer.get(path).await.bad("handle");
        }
        place.viewer.get("/servers/%ff").await.bad("path");
        let long = "x".repeat(10_000);
        place.viewer.get(&format!("/servers/{long}")).await.problem(404, "not-found");
    })
    .await;
}

#[tokio::test]
async fn a_body_that_does_not_fit_names_its_field() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    place.desk.server(1, ServerStatus::Ready, true).await;
    let path = "/servers/vps-1/provision";
    place.operator.post(path, &json!({ "colour": "red" })).await.bad("colour");
    place.operator.post(path, &json!({ "handle": "vps-2" })).await.bad("handle");
    place.operator.post(path, &json!([1])).await.bad(".");
    place.operator.post(path, &json!("text")).await.bad(".");
    place.operator.post(&format!("{path}?force=1"), &json!({})).await.bad("force");
    place.admin.patch("/servers/vps-1", &json!({ "status": "shiny" })).await.bad(".");
    place.admin.patch("/servers/vps-1", &json!({})).await.bad(".");
    place.admin.patch("/servers/vps-1", &json!({ "status": "force_rebuild", "colour": 1 })).await.bad("colour");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for text in ["{", "{\"a\":1,}", "nonsense", "\u{feff}{}", "{\"a\":\"\u{1}\"}", &format!("{{\"a\":{deep}}}")] {
        let raw = place.operator.request(Method::POST, path).header(header::CONTENT_TYPE, "application/json");
        Answered::of(raw.body(text.to_owned())).await.bad(".");
    }
    let raw =
        |kind: &'static str| place.operator.request(Method::POST, path).header(header::CONTENT_TYPE, kind).body("{}");
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "", "application/xml"] {
        Answered::of(raw(kind)).await.problem(415, "unsupported-media-type");
    }
    Answered::of(raw("application/json; charset=utf-8").header("X-Colour", "red")).await.good(202);
}

#[tokio::test]
async fn a_body_has_one_meaning() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    place.desk.server(1, ServerStatus::Ready, true).await;
    let at = |method: Method, path: &str, body: Vec<u8>| {
        let request = place.admin.request(method, path).header(header::CONTENT_TYPE, "application/json");
        Answered::of(request.body(body))
    };
    let long = format!("{{\"labels\":{{\"{}\":\"x\"}}}}", "k".repeat(100_000));
    for (body, field) in [
        (r#"{"labels":{"a":"1"},"labels":{"a":"2"}}"#, "labels"),
        (r#"{"labels":{"a":"1","a":"1"}}"#, "labels.a"),
        (r#"{"labels":{"a":"1","\u0061":"1"}}"#, "labels.a"),
        (r#"{"labels":[{"x":1},{"x":1,"x":2}]}"#, "labels[1].x"),
        (r#"{"labels":5}"#, "labels"),
        (r#"{"labels":{"a":1}}"#, "labels.a"),
        (r#"{"labels":null}"#, "labels"),
        (r#"{"labels":{"a":"\u0000"}}"#, "labels.a"),
        (r#"{"labels":{"a":"\u001b[31m"}}"#, "labels.a"),
        (r#"{"labels":{"a":"\u009b"}}"#, "labels.a"),
        (r#"{"labels":{"\u0007":"x"}}"#, "labels"),
        (r#"{"labels":{},"\u0007":"x"}"#, "\u{7}"),
        (r#"{"labels":{"a":"\ud800"}}"#, "."),
        (r#"{"labels":{"a":"x"}}{}"#, "."),
        (r#"{"labels":{"a":1e999}}"#, "."),
        (r#"{"labels":NaN}"#, "."),
        (&long, "labels"),
    ] {
        let answered = at(Method::PATCH, "/servers/vps-1", body.into()).await;
        let problem = answered.problem(400, "bad-input");
        let path = problem["errors"][0]["path"].as_str().unwrap();
        assert!(path == field || (body.len() > 1000 && path.starts_with(field)), "{field}: {path}");
        assert!(answered.text.len() < 2_000 && !answered.text.chars().any(char::is_control), "{}", answered.text);
    }
    for body in [&b"{\"labels\":{\"a\":\"\xff\"}}"[..], b"\xff\xfe{}", b"{\"\xc0\x80\":1}", b"\0"] {
        at(Method::PATCH, "/servers/vps-1", body.to_vec()).await.bad(".");
    }
    for number in ["9223372036854775808", "-9223372036854775809", "1.5", "1e30", "\"7\"", "true", "[7]", "{}"] {
        let body = format!("{{\"telegram_id\":{number},\"role\":\"viewer\"}}");
        at(Method::POST, "/users", body.into()).await.bad("telegram_id");
    }
    assert_eq!(place.admin.get("/users").await.good(200)["items"], json!([]));
    assert_eq!(place.admin.get("/servers/vps-1").await.good(200)["server"]["labels"], json!({}));
}

#[tokio::test]
async fn nothing_is_logged_as_it_came() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let machine = Machine::new(db);
    machine.server(1, ServerStatus::Ready, true).await;
    let secret = machine.token("ci", "admin");
    let serving = machine.serve_saying("debug").await;
    let caller = Caller::new(&serving.url, &secret);
    let forged = "x\n2026-01-01T00:00:00Z  INFO forged\r\u{2028}";
    caller.patch("/servers/vps-1", &json!({ "labels": { forged: forged } })).await.bad(&format!("labels.{forged}"));
    caller.patch("/servers/vps-1", &json!({ forged: "\u{1b}[2J" })).await.problem(400, "bad-input");
    caller.post("/users", &json!({ "telegram_id": 7, "role": "viewer", "first_name": forged })).await;
    caller.post("/users", &json!({ "telegram_id": 8, "role": "guest", "username": "a\tb" })).await;
    for path in
        ["/servers/%0aforged", "/servers/a%1b[31m", "/%0d%0aforged", "/jobs?handle=%0aforged", "/servers/%c2%9b"]
    {
        let answered = caller.get_exactly(&format!("/api/v1{path}")).await;
        assert!(answered.status.is_client_error() || answered.status == 200, "{path}: {answered:?}");
    }
    let odd = caller.request(Method::from_bytes(b"F\x21RGED").unwrap(), "/servers");
    Answered::of(odd.header("X-Request-Id", "forged id").header("User-Agent", "forged"))
        .await
        .problem(405, "wrong-method");
    let log = serving.log();
    assert!(log.contains("/servers/%0aforged") && log.lines().count() > 8, "{log}");
    assert!(!log.chars().any(|c| c.is_control() && c != '\n'), "{log:?}");
    let whole = |line: &str| line.starts_with("20") && line.contains('Z');
    assert!(log.lines().all(|line| whole(line) && !line.contains("INFO forged") || line.contains("\\n")), "{log}");
    assert!(!log.contains(&secret), "{log}");
}

#[tokio::test]
async fn a_body_without_end_is_refused() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    let path = "/servers/vps-1/provision";
    let body = json!({ "text": "x".repeat(3 << 20) });
    place.operator.post(path, &body).await.problem(413, "too-large");
    place.operator.post(path, &json!({ "text": "x".repeat(1 << 20) })).await.bad("text");
    let secret = &place.operator.secret;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    );
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(1 << 16));
    let mut stream = TcpStream::connect(place.door.address).await.unwrap();
    stream.write_all(format!("{head}{}0\r\n\r\n", chunk.repeat(48)).as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn what_cannot_be_answered_so_is_said() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    let get = |accept: &'static str| place.viewer.request(Method::GET, "/servers").header(header::ACCEPT, accept);
    for accept in ["text/html", "application/xml", "application/json;q=0"] {
        Answered::of(get(accept)).await.problem(406, "not-acceptable");
    }
    for accept in ["*/*", "text/html, application/json;q=0.5", "application/*", "APPLICATION/JSON"] {
        Answered::of(get(accept)).await.good(200);
    }
    let put = Answered::of(place.viewer.request(Method::PUT, "/servers/vps-1")).await;
    put.problem(405, "wrong-method");
    let allowed = put.header("allow");
    assert!(allowed.contains("GET") && allowed.contains("PATCH"), "{allowed}");
}

#[tokio::test]
async fn a_request_keeps_its_id_if_that_is_harmless() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    let with = |id: String| place.viewer.request(Method::GET, "/servers").header("X-Request-Id", id);
    assert_eq!(Answered::of(with("abc-1.2_3".into())).await.header("x-request-id"), "abc-1.2_3");
    for id in ["a b", "a\"b", "", &"x".repeat(65), "a;b"] {
        let answered = Answered::of(with(id.to_owned())).await;
        assert_eq!(answered.header("x-request-id").len(), 36, "{id:?}: {answered:?}");
    }
}

/// What no client library sends.
#[tokio::test]
async fn what_is_no_http_is_refused_without_harm() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    let long = format!("GET /servers HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let many = format!("GET /servers HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(500));
    for text in ["nonsense\r\n\r\n", "GET /\u{0} HTTP/1.1\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", &long, &many] {
        let mut stream = TcpStream::connect(place.door.address).await.unwrap();
        let _ = stream.write_all(text.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 4") || answer.is_empty(), "{answer}");
    }
    place.viewer.get("/servers").await.good(200);
}
