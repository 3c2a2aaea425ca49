//! A change is done once, however often it is asked for: by the program itself, or by a person who gives the key.

use std::{
    fs,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use rackhand_core::store::Engine;
use serde_json::json;

use super::{Ended, Machine, bare, ended};
use crate::{
    databases::Database,
    nodes::{
        between::Harm,
        lab::{IMAGE, Lab},
    },
};

/// The keys that came.
type Keys = Arc<Mutex<Vec<String>>>;

/// A Rackhand that is too slow for everybody, all the time.
async fn slow() -> (String, Keys) {
    let keys = Keys::default();
    let app = Router::new().fallback(too_slow).with_state(keys.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, keys)
}

async fn too_slow(State(keys): State<Keys>, headers: HeaderMap) -> Response {
    let key = headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
    keys.lock().unwrap().push(key.unwrap_or_default());
    let problem = Json(json!({ "code": "too-slow", "detail": "it took too long" }));
    (StatusCode::SERVICE_UNAVAILABLE, [(header::CONTENT_TYPE, "application/problem+json")], problem).into_response()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_up_names_the_key() {
    let (url, keys) = slow().await;
    let asked = |args: &[&str]| -> (Ended, Vec<String>) {
        let ended = ended(&bare(args).env("RACKHAND_URL", &url).output().unwrap());
        (ended, std::mem::take(&mut *keys.lock().unwrap()))
    };
    let (told, sent) = asked(&["nodes", "provision", "img"]);
    assert!(sent.len() == 4 && sent.iter().all(|key| *key == sent[0]) && !sent[0].is_empty(), "{sent:?}");
    assert!(told.code == 7 && told.err.contains(&format!("--key {}", sent[0])), "{told:?}");
    assert!(told.err.contains("may still happen") && told.err.contains("too long"), "{told:?}");

    let (told, sent) = asked(&["nodes", "provision", "img", "--key", "mine"]);
    assert!(told.code == 7 && told.err.contains("--key mine"), "{told:?}");
    assert_eq!(sent, ["mine"; 4]);

    // Whoever only looks need not know, and is not kept waiting twice.
    let (told, sent) = asked(&["nodes", "list"]);
    assert!(told.code == 7 && !told.err.contains("--key") && sent == [""], "{sent:?}: {told:?}");
    for args in [&["nodes", "list", "--key", "x"][..], &["nodes", "provision", "img", "--key", "two words"]] {
        let (told, sent) = asked(args);
        assert!(told.code == 2 && sent.is_empty(), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_ironic_makes_one_node_of_one_request() {
    let Some(lab) = Lab::new().await else { return };
    for _ in 0..3 {
        lab.node(json!({})).await;
    }
    let machine = Machine::new(Database::fresh(Engine::Sqlite).await.unwrap());
    let config = format!("[ironic]\nurl = \"{}\"\n", lab.between.url);
    fs::write(machine.dir.path().join("rackhand.toml"), config).unwrap();
    machine.here(&["migrate"]);
    let token = machine.token("ci", "operator");
    let serving = machine.serve().await;
    let begun = || lab.between.done("PUT", "/states/provision");
    let provision = ["nodes", "provision", IMAGE, "--resource-class", &lab.class, "--json"];
    let keyed = [&provision[..], &["--key", "once"]].concat();

    // Ironic begins, and its answer does not come: longer than the door waits.
    lab.between.harm("PUT", "/states/provision", Harm::KeepAnswer);
    let first = machine.there(&serving.url, &token, &provision).json();
    assert_eq!(begun(), 1, "one command is one node");
    let second = machine.there(&serving.url, &token, &keyed).json();
    assert_eq!(machine.there(&serving.url, &token, &keyed).json(), second);
    assert_eq!(begun(), 2, "one key is one node");
    let here = machine.here(&keyed).json();
    assert_eq!(machine.here(&keyed).json(), here);
    assert_eq!(begun(), 3, "the shell is another caller, and one key is one node there too");
    let ids = [&first["server_id"], &second["server_id"], &here["server_id"]];
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
}
