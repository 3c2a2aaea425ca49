//! Whoever is asked behind the door keeps silent: who it is is said before callers lose their patience, and what was begun
//! is not cut off.

use std::{
    io::{ErrorKind, Read},
    net::{TcpListener, TcpStream},
    sync::Arc,
    time::Duration,
};

use rackhand_core::{
    clients::{
        http,
        ironic::{Auth, Ironic, LIMITS},
    },
    ops::{LOOK, Ops},
    store::Engine,
};
use serde_json::json;
use sqlx::Executor;

use super::caller::{Answered, Caller, Place};
use crate::{
    databases::Database,
    desk::Desk,
    e2e::eventually,
    harness::{self, SOON},
    mcp::tools::call,
};

/// How long the door waits.
const DOOR: Duration = Duration::from_secs(30);

/// An Ironic that takes connections, and never answers.
struct Silent(Arc<TcpListener>);

impl Silent {
    async fn place() -> (Self, Place) {
        harness::init();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let desk = Desk::new(&Database::fresh(Engine::Sqlite).await.unwrap()).await;
        let clock = desk.ops.clock.clone();
        let ironic = Ironic::new(http::client(LIMITS).unwrap(), Some(&url), Auth::None, clock).unwrap();
        let ops = Ops { ironic: Some(ironic), ..desk.ops.clone() };
        (Self(Arc::new(listener)), Place::at(Desk { ops, ..desk }).await)
    }

    /// The next connection on which something is asked.
    async fn asked(&self) -> TcpStream {
        let listener = self.0.clone();
        let accepted = tokio::task::spawn_blocking(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; 4]).unwrap();
            stream
        });
        accepted.await.unwrap()
    }
}

/// Whether whoever asked still waits for the answer.
async fn is_waited_for(mut stream: TcpStream) -> bool {
    let looked = tokio::task::spawn_blocking(move || {
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        loop {
            match stream.read(&mut [0; 1024]) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            }
        }
    });
    looked.await.unwrap()
}

fn asks(caller: &Caller, method: reqwest::Method, path: &'static str) -> tokio::task::JoinHandle<Answered> {
    let caller = caller.clone();
    tokio::spawn(async move {
        let request = caller.request(method, path);
        Answered::of(if path == "/unprovision" { request.json(&json!({ "server_id": "n" })) } else { request }).await
    })
}

#[tokio::test]
async fn a_silent_ironic_is_named_to_whoever_looks_and_to_whoever_asks_for_a_plan() {
    let (ironic, place) = Silent::place().await;
    for (method, path) in [
        (reqwest::Method::GET, "/nodes"),
        (reqwest::Method::GET, "/nodes/n"),
        (reqwest::Method::GET, "/provision/n"),
        (reqwest::Method::GET, "/unprovision/n"),
        (reqwest::Method::POST, "/unprovision"),
    ] {
        let answer = asks(&place.admin, method, path);
        let stream = ironic.asked().await;
        place.desk.clock.advance(LOOK.saturating_sub(Duration::from_millis(1)));
        assert!(is_waited_for(stream.try_clone().unwrap()).await, "{path}");
        place.desk.clock.advance(Duration::from_millis(1));
        let problem = answer.await.unwrap().problem(502, "ironic-away");
        assert!(problem["detail"].as_str().unwrap().contains("Failed to communicate with Ironic"), "{problem}");
        assert!(!is_waited_for(stream).await, "{path}");
    }
}

#[tokio::test]
async fn what_changes_the_outside_goes_on_without_whoever_asked_and_the_door_says_so() {
    let (ironic, place) = Silent::place().await;
    let answer = asks(&place.admin, reqwest::Method::POST, "/nodes/n/provide");
    let stream = ironic.asked().await;
    place.desk.clock.advance(DOOR);
    let answer = answer.await.unwrap();
    let problem = answer.problem(503, "too-slow");
    assert!(problem["detail"].as_str().unwrap().contains("may still go on"), "{problem}");
    assert_eq!(answer.header("retry-after"), "5");
    assert!(is_waited_for(stream).await);
    let begun = "SELECT COUNT(*) FROM audit WHERE operation = 'provide_node' AND outcome = 'begun'";
    assert_eq!(place.desk.db.number(begun).await, 1);
}

/// A table that somebody keeps locked: that is not Ironic's doing.
#[tokio::test]
async fn a_slow_database_is_not_called_a_silent_ironic() {
    let Some(db) = Database::fresh(Engine::Postgres).await else { return };
    let place = Place::new(&db).await;
    let mut keeper = db.connect().await;
    keeper.execute("BEGIN").await.unwrap();
    keeper.execute("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let blocked = async || {
        let found = eventually(SOON, async || {
            let waits = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'jobs'::regclass";
            (db.number(waits).await > 0).then_some(())
        });
        found.await.expect("it waits for the table");
    };

    let answer = asks(&place.viewer, reqwest::Method::GET, "/jobs");
    blocked().await;
    place.desk.clock.advance(DOOR);
    let problem = answer.await.unwrap().problem(503, "too-slow");
    assert!(problem["detail"].as_str().unwrap().contains("Nothing was changed"), "{problem}");

    keeper.execute("ROLLBACK").await.unwrap();
    keeper.execute("BEGIN").await.unwrap();
    keeper.execute("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let viewer = place.viewer.clone();
    let input = json!({ "id": uuid::Uuid::now_v7().to_string(), "wait_s": 1 });
    let told = tokio::spawn(async move { call(&viewer, "wait_for_operation", &input).await });
    blocked().await;
    place.desk.clock.advance(Duration::from_secs(7));
    let told = told.await.unwrap();
    assert_eq!((&told["isError"], &told["structuredContent"]["code"]), (&json!(true), &json!("store")), "{told}");
    keeper.execute("ROLLBACK").await.unwrap();
}
