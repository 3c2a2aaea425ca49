//! The door over HTTP, and what strangers send to it.

use rackhand_agent::api::Auth;
use rackhand_core::store::Engine;
use reqwest::Method;
use serde_json::json;

use super::tools::rpc;
use crate::{
    api::caller::{Answered, Caller, Door, Place},
    cli::Machine,
    databases::Database,
    harness::assert_is_clean,
};

const BOTH: &str = "application/json, text/event-stream";

/// A page in a browser leads a name of its own here, or posts here from elsewhere: with a good token, and without any.
#[tokio::test]
async fn strange_hosts_and_origins_are_refused() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    let open = Door::with(&place.desk.ops, Auth::None, 1000).await;
    for (caller, port) in [(place.viewer.clone(), place.door.address.port()), (open.caller(""), open.address.port())] {
        let (own, near) = (format!("127.0.0.1:{port}"), format!("localhost:{port}"));
        let refused = [
            ("host", "evil.example".to_owned()),
            ("host", format!("evil.example:{port}")),
            ("host", format!("127.0.0.1.evil.example:{port}")),
            ("host", format!("localhost.evil.example:{port}")),
            ("origin", "https://evil.example".to_owned()),
            ("origin", format!("http://evil.example:{port}")),
            ("origin", format!("http://localhost.evil.example:{port}")),
            ("origin", "null".to_owned()),
            ("origin", "chrome-extension://abc".to_owned()),
        ];
        for (header, value) in refused {
            let answered = with(&caller, header, &value).await;
            assert_eq!(answered.status, 403, "{header}: {value}: {answered:?}");
        }
        for (header, value) in [
            ("host", own.clone()),
            ("host", near.clone()),
            ("origin", format!("http://{near}")),
            ("origin", format!("http://{own}")),
        ] {
            assert_eq!(with(&caller, header, &value).await.status, 200, "{header}: {value}");
        }
    }
    // A name that the configuration allows.
    assert_eq!(with(&place.viewer, "host", "rackhand.example").await.status, 200);
}

async fn with(caller: &Caller, header: &str, value: &str) -> Answered {
    let request = caller.at(Method::POST, "/mcp").header("accept", BOTH).header(header, value);
    Answered::of(request.json(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }))).await
}

#[tokio::test]
async fn nobody_comes_in_without_a_good_token() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    for secret in ["", "rh_wrong", &format!("{}x", place.viewer.secret), "Basic YTpi"] {
        let refused = rpc(&place.door.caller(secret), "tools/list", &json!({})).await;
        refused.problem(401, "unauthenticated");
        assert_eq!(refused.header("www-authenticate"), "Bearer realm=\"rackhand\"");
    }
}

#[tokio::test]
async fn a_token_that_asks_too_often_is_told_so() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    let door = Door::with(&place.desk.ops, Auth::Token, 3).await;
    let caller = door.caller(&place.viewer.secret);
    for _ in 0..3 {
        assert_eq!(rpc(&caller, "tools/list", &json!({})).await.status, 200);
    }
    let refused = rpc(&caller, "tools/list", &json!({})).await;
    refused.problem(429, "too-many-requests");
    assert!(!refused.header("retry-after").is_empty());
}

/// Nothing of it is done, nothing breaks, and the next request is answered.
#[tokio::test]
async fn malformed_messages_are_refused() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    send_malformed(&place.admin).await;
    assert_eq!(place.desk.count_jobs().await, 0);
}

/// What strangers write is in the program's own story only as it cannot be mistaken for something else.
#[tokio::test]
async fn malformed_messages_leave_a_clean_log() {
    let machine = Machine::new(Database::fresh(Engine::Sqlite).await.unwrap());
    let secret = machine.token("hands", "admin");
    let serving = machine.serve_saying("debug").await;
    send_malformed(&Caller::new(&serving.url, &secret)).await;
    let log = serving.log();
    assert!(log.contains("202e") && log.contains("/mcp"), "the log tells of what came:\n{log}");
    assert_is_clean(&log);
}

/// Names with a colour for a terminal, another reading direction, a second line.
pub(super) const FORGED: [&str; 3] =
    ["show_server\u{202e}\n", "\u{1b}[31m", "x\r\n2026-01-01T00:00:00Z  INFO all is well"];

async fn send_malformed(admin: &Caller) {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let huge = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "show_server", "arguments": { "handle": "x".repeat(3 << 20) } } });
    let bodies = [
        (String::new(), 400..=422),
        ("{".to_owned(), 400..=422),
        ("[]".to_owned(), 400..=422),
        ("null".to_owned(), 400..=422),
        ("\u{0}\u{1}".to_owned(), 400..=422),
        (deep.clone(), 400..=422),
        (json!({ "jsonrpc": "1.0", "id": 1, "method": "tools/list" }).to_string(), 400..=422),
        (json!({ "id": 1, "method": "tools/list" }).to_string(), 400..=422),
        (huge.to_string(), 413..=413),
    ];
    for (body, statuses) in bodies {
        let shown: String = body.chars().take(60).collect();
        let request = admin.at(Method::POST, "/mcp").header("accept", BOTH).header("content-type", "application/json");
        let answered = Answered::of(request.body(body)).await;
        assert!(statuses.contains(&answered.status.as_u16()), "{shown}: {answered:?}");
    }
    // What was too long was not heard to its end, and nothing comes after it on that connection.
    let admin = &Caller::new(&admin.root, &admin.secret);
    let errors = [
        ("no/such/method", json!({})),
        ("tools/call", json!({})),
        ("tools/call", json!({ "name": 5 })),
        ("tools/call", json!({ "name": "x".repeat(100_000) })),
        ("resources/read", json!({ "uri": "server://".repeat(10_000) })),
    ];
    let forged = FORGED.iter().flat_map(|name| {
        let uri = format!("server://{name}");
        [
            (*name, json!({})),
            ("tools/call", json!({ "name": name })),
            ("resources/read", json!({ "uri": uri })),
            ("prompts/get", json!({ "name": name })),
        ]
    });
    for (method, params) in errors.into_iter().chain(forged) {
        let answered = rpc(admin, method, &params).await;
        let error = &answered.json()["error"];
        assert!(error["code"].as_i64().is_some_and(|code| code < 0) && answered.text.len() < 1000, "{answered:?}");
    }
    let arguments = json!({ "handle": "vps-1", "more": { "a": deep } });
    let result = super::tools::call(admin, "rebuild_server", &arguments).await;
    assert_eq!(result["structuredContent"]["code"], "bad-input", "{result}");
    for name in FORGED {
        let result = super::tools::call(admin, "show_server", &json!({ "handle": name })).await;
        assert_eq!(result["isError"], true, "{result}");
    }
    for method in [Method::GET, Method::DELETE, Method::PUT] {
        let request = admin.at(method.clone(), "/mcp").header("accept", BOTH);
        assert!(Answered::of(request).await.status.is_client_error(), "{method}");
    }
    assert_eq!(rpc(admin, "tools/list", &json!({})).await.status, 200);
}
