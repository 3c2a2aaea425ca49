//! Callers who never come to an end are dropped, and others do not notice them.

use std::time::Duration;

use rackhand_agent::api::Patience;
use rackhand_core::{
    clock::{Clock, SystemClock},
    model::Role,
    states::ServerStatus,
    store::Engine,
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::task::AbortOnDropHandle;

use super::caller::{Door, token};
use crate::{databases::Database, desk::Desk, engine::toy::within};

const SHORT: Duration = Duration::from_millis(400);

#[tokio::test]
async fn whoever_never_ends_is_dropped_and_delays_nobody() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let desk = Desk::new(&db).await;
    desk.server(1, ServerStatus::PendingSetup, true).await;
    let door = Door::paced(&desk.ops, Patience { head: SHORT, body: SHORT, ..Patience::default() });
    let secret = token(&desk.ops, "quick", Role::Operator, None).await;
    let quick = door.caller(&secret);
    let head = format!(
        "POST /servers/vps-1/provision HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nContent-Type: \
         application/json\r\n"
    );
    let endings = [
        // A head without end; nothing at all; a body that is announced; one in chunks; one that never begins.
        ("GET /servers HTTP/1.1\r\nHost: x\r\nX: ".to_owned(), "x", ""),
        (String::new(), "", ""),
        (format!("{head}Content-Length: 100000\r\n\r\n"), " ", "HTTP/1.1 408"),
        (format!("{head}Transfer-Encoding: chunked\r\n\r\n"), "1\r\n \r\n", "HTTP/1.1 408"),
        (format!("{head}Content-Length: 2\r\n\r\n"), "", "HTTP/1.1 408"),
    ];
    let slow: Vec<_> = (0..8)
        .flat_map(|_| &endings)
        .map(|(begin, more, answer)| {
            let (begin, more, answer) = (begin.clone(), *more, *answer);
            let address = door.address;
            AbortOnDropHandle::new(tokio::spawn(async move {
                let stream = TcpStream::connect(address).await.unwrap();
                let said = drip(stream, &begin, more).await;
                assert!(said.starts_with(answer) && (said.is_empty() == answer.is_empty()), "{begin:?}: {said}");
            }))
        })
        .collect();
    while !slow.iter().all(AbortOnDropHandle::is_finished) {
        within(quick.get("/servers")).await.good(200);
        SystemClock.sleep(Duration::from_millis(5)).await;
    }
    for ended in slow {
        ended.await.unwrap();
    }
    assert_eq!(desk.count_jobs().await, 0, "half a request is none");
    quick.post("/servers/vps-1/provision", &json!({})).await.good(202);
}

/// Sends `more` again and again until the other side has had enough; what it said.
async fn drip(stream: TcpStream, begin: &str, more: &str) -> String {
    let (mut from, mut to) = stream.into_split();
    to.write_all(begin.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    let dripping = async {
        loop {
            SystemClock.sleep(Duration::from_millis(30)).await;
            if to.write_all(more.as_bytes()).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        // Whoever writes to a connection that is closed may hear of that before the last words.
        _ = within(from.read_to_end(&mut said)) => {}
        () = dripping => {}
    }
    String::from_utf8(said).unwrap()
}
