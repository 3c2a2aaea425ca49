//! Waiting, where whoever is asked keeps silent.

use std::{net::TcpListener, sync::Arc};

use rackhand_core::{
    clients::{
        http,
        ironic::{Auth, Ironic, LIMITS},
    },
    clock::SystemClock,
    model::Role,
    ops::Ops,
    store::Engine,
};
use serde_json::json;

use super::tools::call;
use crate::{
    api::caller::{Door, token},
    databases::Database,
    desk::Desk,
    harness,
};

/// It takes connections, and never answers: far longer than the door leaves a request.
#[tokio::test]
async fn an_ironic_that_keeps_silent_is_said_to_do_so_while_the_client_still_waits() {
    harness::init();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let desk = Desk::new(&Database::fresh(Engine::Sqlite).await.unwrap()).await;
    let ironic = Ironic::new(http::client(LIMITS).unwrap(), Some(&url), Auth::None, Arc::new(SystemClock)).unwrap();
    let ops = Ops { ironic: Some(ironic), clock: Arc::new(SystemClock), ..desk.ops.clone() };
    let door = Door::open(&ops).await;
    let viewer = door.caller(&token(&ops, "viewer", Role::Viewer, None).await);
    let input = json!({ "id": uuid::Uuid::now_v7().to_string(), "wait_s": 1 });
    let told = call(&viewer, "wait_for_operation", &input).await;
    assert_eq!((&told["isError"], &told["structuredContent"]["code"]), (&json!(true), &json!("ironic-away")), "{told}");
}
