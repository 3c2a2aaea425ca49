//! A reader who takes nothing.

use std::time::Duration;

use rackhand_agent::api::Patience;
use rackhand_core::model::Role;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::{door::reopened, line, new_job, reader::Reader};
use crate::{
    api::caller::{Door, token},
    databases::each_engine,
    desk::Desk,
    engine::toy::within,
};

const LINES: usize = 600;
/// Far more than the buffers on the way take.
const LONG: usize = 2_000;

#[tokio::test]
async fn a_slow_reader_is_dropped_and_delays_nobody() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let door = Door::paced(&desk.ops, Patience { reader: Duration::from_millis(500), ..Patience::default() });
        let secret = token(&desk.ops, "slow", Role::Viewer, None).await;
        let quick = door.caller(&token(&desk.ops, "quick", Role::Viewer, None).await);
        let mut stuck = stuck(&door, &secret).await;
        let slow = door.caller(&secret);
        // With these the slow one has all its streams: there is room again when it has been dropped.
        let mut others = Vec::new();
        for _ in 0..15 {
            others.push(Reader::open(&slow, "/events?topic=incident", None).await);
        }
        let mut reader = Reader::open(&quick, "/events", None).await;
        let at = reader.place().await;

        let mut tx = desk.store().write().await.unwrap();
        let job = new_job(&mut tx).await;
        for _ in 0..LINES {
            line(&mut tx, job, &"…".repeat(LONG)).await;
        }
        tx.commit().await.unwrap();
        let all = reader.take(LINES + 1).await;
        within(reopened(&slow)).await;

        // What had been sent is there to be read; from the last whole event on nothing is lost.
        let mut text = Vec::new();
        let _ = within(stuck.read_to_end(&mut text)).await;
        let text = String::from_utf8_lossy(&text).into_owned();
        let whole = &text[..text.rfind("\n\n").unwrap()];
        let last = whole.lines().rev().find_map(|line| line.strip_prefix("id: ")).unwrap();
        let got = all.iter().position(|event| event.id.as_deref() == Some(last)).map_or(0, |at| at + 1);
        assert!(got < all.len() / 2, "{got} of {} fitted into the buffers", all.len());
        let mut again = Reader::open(&quick, "/events", Some(if got == 0 { &at } else { last })).await;
        assert_eq!(again.take(all.len() - got).await, all[got..]);
    })
    .await;
}

/// A connection that asks and then reads nothing.
async fn stuck(door: &Door, secret: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    let mut stream = within(socket.connect(door.address)).await.unwrap();
    let request = format!("GET /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 15];
    within(stream.read_exact(&mut head)).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    stream
}
