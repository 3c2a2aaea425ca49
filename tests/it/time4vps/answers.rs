//! Every recorded answer, and any answer at all.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, http::StatusCode, routing};
use proptest::prelude::*;
use rackhand_core::{
    clients::time4vps::{ListedServer, TaskId, TaskRef, Time4vps, Time4vpsError},
    clock::SystemClock,
    fault::{Fault, FaultKind, chain},
    secret::Secret,
    units::Timestamp,
};
use serde_json::Value;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../core/src/clients/time4vps/fixtures/", $name, ".json")).as_slice()
    };
}

/// A provider that answers everything with one answer, and a client of it.
struct Canned {
    next: Arc<Mutex<(u16, Vec<u8>)>>,
    url: String,
    http: reqwest::Client,
}

impl Canned {
    async fn start() -> Self {
        let next = Arc::new(Mutex::new((200, Vec::new())));
        let told = next.clone();
        let app = Router::new().fallback(routing::any(move || {
            let (status, body) = told.lock().unwrap().clone();
            async move { (StatusCode::from_u16(status).unwrap(), body) }
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { next, url, http: super::impatient() }
    }

    /// A client (without memory of earlier answers) whose every call gets this answer.
    fn answers(&self, status: u16, body: &[u8]) -> Time4vps {
        *self.next.lock().unwrap() = (status, body.to_owned());
        let password = Secret::new("CANARY-account");
        Time4vps::new(self.http.clone(), &self.url, "admin@example.net", password, Arc::new(SystemClock)).unwrap()
    }
}

#[tokio::test]
async fn refusals() {
    let canned = Canned::start().await;
    let rate_limit = canned.answers(401, fixture!("rate_limit")).servers().await.unwrap_err();
    assert!(matches!(rate_limit, Time4vpsError::RateLimited { wait } if wait == Duration::from_secs(24)));
    assert!(rate_limit.kind().is_transient() && rate_limit.advice().is_none());

    let address = canned.answers(401, fixture!("address_not_allowed")).servers().await.unwrap_err();
    assert!(matches!(address, Time4vpsError::AddressNotAllowed));
    let login = canned.answers(401, fixture!("wrong_login")).servers().await.unwrap_err();
    assert!(matches!(login, Time4vpsError::WrongLogin));
    assert!(address.advice().unwrap().contains("address") && login.advice().unwrap().contains("TIME4VPS_PASSWORD"));
    assert!(!address.kind().is_transient() && !login.kind().is_transient());

    let refused = canned.answers(200, fixture!("error_with_status_200")).reinstall(1, "x", None).await.unwrap_err();
    assert_eq!(refused.to_string(), "Time4VPS refused: Invalid operating system");
    let busy = canned.answers(200, fixture!("busy")).reboot(1).await.unwrap_err();
    assert!(matches!(busy, Time4vpsError::Busy { .. }) && busy.kind() == FaultKind::Conflict);
    let unknown = canned.answers(200, fixture!("no_such_task")).task(1, TaskId(5)).await.unwrap_err();
    assert!(matches!(unknown, Time4vpsError::NotFound));
    for error in [rate_limit, address, login, refused, busy, unknown] {
        assert!(!error.effect_unknown(), "{error}");
    }
}

#[tokio::test]
async fn what_a_status_says_of_the_effect() {
    let canned = Canned::start().await;
    for (status, body, unknown, kind) in [
        (401, "", false, FaultKind::Unauthenticated),
        (403, "<html>no</html>", false, FaultKind::Invalid),
        (404, "<html>no</html>", false, FaultKind::NotFound),
        (408, "", true, FaultKind::Unavailable),
        (429, "", false, FaultKind::RateLimited),
        (500, "<html>oh</html>", true, FaultKind::Unavailable),
        (503, r#"{"error":["maintenance"]}"#, true, FaultKind::Unavailable),
        (500, r#"{"error":[["wait_x_between_action","7"]]}"#, false, FaultKind::RateLimited),
        (302, "", true, FaultKind::Unavailable),
        (200, "<html>Log in</html>", true, FaultKind::Unavailable),
        (200, "{\"task_id\": 49", true, FaultKind::Unavailable),
        (200, "{\"task_id\": null}", true, FaultKind::Unavailable),
        (200, "", true, FaultKind::Unavailable),
    ] {
        let error = canned.answers(status, body.as_bytes()).reset_password(1).await.unwrap_err();
        assert_eq!((error.effect_unknown(), error.kind()), (unknown, kind), "{status} {body}: {error}");
    }
    let long = vec![b' '; rackhand_core::clients::http::BODY_LIMIT + 1];
    assert!(matches!(canned.answers(200, &long).servers().await, Err(Time4vpsError::Garbage { .. })));
}

#[tokio::test]
async fn waits_are_believed_within_reason() {
    let canned = Canned::start().await;
    for (words, seconds) in [
        (r#"[["wait_x_between_action","24"]]"#, 24),
        (r#"["wait_x_between_action",24]"#, 24),
        (r#"{"0":["wait_x_between_action",0]}"#, 1),
        (r#"[["wait_x_between_action"]]"#, 30),
        (r#"[["wait_x_between_action",-4]]"#, 30),
        (r#"[["wait_x_between_action",99999999999]]"#, 3600),
    ] {
        let body = format!(r#"{{"error":{words}}}"#);
        let error = canned.answers(401, body.as_bytes()).servers().await.unwrap_err();
        assert!(matches!(error, Time4vpsError::RateLimited { wait } if wait.as_secs() == seconds), "{words}: {error}");
    }
}

#[tokio::test]
async fn lists_of_servers() {
    let canned = Canned::start().await;
    let listed = canned.answers(200, fixture!("servers")).servers().await.unwrap();
    assert_eq!(
        listed[0],
        ListedServer {
            id: 110,
            domain: Some("server.domain.name".into()),
            address: Some([1, 2, 3, 4].into()),
            label: Some("Data Server".into()),
            size: Some("OpenVZ".into()),
        }
    );
    assert_eq!(listed[1], ListedServer { id: 111, domain: None, address: None, label: None, size: Some("8".into()) });
    assert_eq!((listed[2].id, listed.len()), (1001, 3));
    assert_eq!(canned.answers(200, fixture!("servers_one")).servers().await.unwrap()[0].id, 110);
    let by_id = canned.answers(200, fixture!("servers_by_id")).servers().await.unwrap();
    assert_eq!(by_id.iter().map(|server| server.id).collect::<Vec<_>>(), [110, 111]);
    assert!(canned.answers(200, b"[]").servers().await.unwrap().is_empty());
    for broken in [fixture!("servers_without_identity"), b"null", b"\"\"", b"7", b"{\"message\":\"hello\"}"] {
        let error = canned.answers(200, broken).servers().await.unwrap_err();
        assert!(matches!(error, Time4vpsError::Garbage { .. }), "{error}");
    }
}

#[tokio::test]
async fn details_of_a_server() {
    let canned = Canned::start().await;
    let plain = canned.answers(200, fixture!("server")).server(110).await.unwrap();
    assert_eq!((plain.cpu_cores, plain.ram_mib, plain.disk_mib), (Some(1), Some(462), Some(12107)));
    assert_eq!(plain.additional_addresses.len(), 2);
    assert!(plain.active_task.is_none() && plain.last_tasks.is_empty() && !plain.is_suspended());

    let busy = canned.answers(200, fixture!("server_busy")).server(110).await.unwrap();
    assert_eq!((busy.label.as_deref(), busy.ram_mib), (None, Some(8192)));
    let active = busy.active_task.clone().unwrap();
    assert_eq!((active.name.as_str(), active.completed), ("server_recreate", false));
    assert_eq!(active.activated_at(), Some(Timestamp(1_786_010_160_000)));
    assert!(busy.last_tasks[0].completed && !busy.last_tasks[1].completed);
    assert_eq!(busy.last_tasks[1].activated_at(), None, "a time without an offset is no moment");
    assert!(!format!("{busy:?}").contains("CANARY"));
    assert!(canned.answers(200, fixture!("server_suspended")).server(110).await.unwrap().is_suspended());
}

#[tokio::test]
async fn shapes_of_active_and_last_tasks() {
    let canned = Canned::start().await;
    let shapes: Vec<Value> = serde_json::from_slice(fixture!("task_shapes")).unwrap();
    let told = |task: &TaskRef| serde_json::json!([task.id, task.name]);
    for mut shape in shapes {
        let (active, last) = (shape["active"].take(), shape["last"].take());
        shape["status"] = "Active".into();
        let server = canned.answers(200, shape.to_string().as_bytes()).server(110).await.unwrap();
        assert_eq!(server.active_task.as_ref().map_or(Value::Null, told), active, "{shape}");
        assert_eq!(Value::from(server.last_tasks.iter().map(told).collect::<Vec<_>>()), last, "{shape}");
    }
}

#[tokio::test]
async fn tasks_and_their_passwords() {
    let canned = Canned::start().await;
    let waiting = canned.answers(200, fixture!("task_waiting")).task(1, TaskId(5)).await.unwrap();
    assert!(!waiting.completed && waiting.password.is_none() && waiting.said.is_none());
    let rebooted = canned.answers(200, fixture!("task_rebooted")).task(1, TaskId(5)).await.unwrap();
    assert!(rebooted.completed && !rebooted.failed);
    assert_eq!(rebooted.said.as_deref(), Some("VM rebooted successfully"));

    for (body, password) in [
        (fixture!("task_password_in_html"), r#"Xk9&mP"3q'R7"#),
        (fixture!("task_password_new"), "Xk9$mP3qR7"),
        (fixture!("task_password_root"), r#"Xk9<mP>3&q"R'7"#),
        (fixture!("task_reinstalled_with_password"), "Xk9mP3qR7"),
        (fixture!("task_without_dates"), "Xk9mP3qR7"),
    ] {
        let task = canned.answers(200, body).task(1, TaskId(5)).await.unwrap();
        assert_eq!(task.password.as_ref().unwrap().expose(), password);
        assert!(task.completed && !task.failed && !format!("{task:?}").contains("Xk9"), "{task:?}");
    }
    let odd = canned.answers(200, fixture!("task_without_password")).task(1, TaskId(5)).await.unwrap();
    assert!(
        odd.completed && odd.password.is_none() && !odd.failed && !format!("{odd:?}").contains("CANARY"),
        "{odd:?}"
    );
    let failed = canned.answers(200, fixture!("task_failed")).task(1, TaskId(5)).await.unwrap();
    assert!(failed.completed && failed.failed && failed.password.is_none());
    assert_eq!(failed.said.as_deref(), Some("Password reset failed : the VM is locked."));
}

#[tokio::test]
async fn templates_and_task_numbers() {
    let canned = Canned::start().await;
    let oses = canned.answers(200, fixture!("oses")).oses(1).await.unwrap();
    let told: Vec<_> = oses.iter().map(|os| (os.os.as_str(), os.title.as_str())).collect();
    assert_eq!(told, [("centos-7-x86_64", "Centos 7"), ("kvm-ubuntu-24.04-gpt-x86_64", "kvm-ubuntu-24.04-gpt-x86_64")]);
    assert_eq!(canned.answers(200, fixture!("action")).reboot(1).await.unwrap(), TaskId(4_948_782));
    assert_eq!(canned.answers(200, fixture!("action_in_quotes")).reboot(1).await.unwrap(), TaskId(4_948_782));
}

#[tokio::test]
async fn no_error_repeats_a_password() {
    let canned = Canned::start().await;
    for (status, body) in [
        (200, r#"{"error":["CANARY-account is weak <b>x</b>"]}"#),
        (200, "<html>CANARY-account</html>"),
        (200, r#"{"name":"server_reset_password","completed":"2026","results":"New password: CANARY-ro"#),
        (200, "<p>New password: CANARY-root</p>"),
        (200, r#""CANARY-root""#),
        (500, "CANARY-root"),
    ] {
        let client = canned.answers(status, body.as_bytes());
        let error = client.task(1, TaskId(5)).await.unwrap_err();
        let told = format!("{} {error:?} {client:?}", chain(&error));
        assert!(!told.contains("CANARY") && told.len() < 2000, "{told}");
    }
}

#[test]
fn no_answer_makes_the_client_panic() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let canned = runtime.block_on(Canned::start());
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    let status = prop_oneof![Just(200_u16), Just(401), Just(500), 200_u16..600];
    proptest!(config, |(status in status, body in any_body())| {
        let client = || canned.answers(status, &body);
        runtime.block_on(async {
            drop(client().servers().await);
            drop(client().server(1).await.map(|server| server.active_task.and_then(|task| task.activated_at())));
            drop(client().task(1, TaskId(5)).await.map_err(|error| chain(&error)));
            drop(client().oses(1).await);
            drop(client().reinstall(1, "os", Some("key")).await);
        });
    });
}

/// Bytes, pieces of real answers, and JSON with the fields of real answers and anything in them.
fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        r#"(Password:|password|innerHTML|=| |"|'|&quot;|&#x?[0-9a-f]{0,9};|\\u?x?[0-9a-f]{0,4}|<a|</|>|é|wait_x_between_action){0,12}"#
            .prop_map(Value::from),
    ];
    let name =
        r"error|task_id|server_id|id|name|ip|additional_ip|completed|results|active_task|last_tasks|os|status|\PC{0,3}";
    let json = leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6).prop_map(Value::from_iter),
        ]
    });
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        json.prop_map(|value| value.to_string().into_bytes()),
        (0..fixture!("server_busy").len()).prop_map(|end| fixture!("server_busy")[..end].to_vec()),
    ]
}
