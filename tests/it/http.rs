//! The one HTTP client keeps its bounds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, http::header, response::Redirect, routing::get};
use rackhand_core::clients::http::{self, BodyError, Limits};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

fn client() -> reqwest::Client {
    crate::harness::init();
    http::client(Limits { connect: Duration::from_secs(2), request: Duration::from_secs(2) }).unwrap()
}

#[tokio::test]
async fn redirects_stay_at_home() {
    let strangers = Arc::new(AtomicUsize::new(0));
    let seen = strangers.clone();
    let other = serve(Router::new().fallback(get(move || {
        seen.fetch_add(1, Ordering::SeqCst);
        async { "stranger" }
    })))
    .await;
    let home = serve(
        Router::new()
            .route("/away", get(move || async move { Redirect::temporary(&other) }))
            .route("/near", get(|| async { Redirect::temporary("/end") }))
            .route("/round", get(|| async { Redirect::temporary("/round") }))
            .route("/end", get(|| async { "end" })),
    )
    .await;
    let status = async |path: &str| client().get(format!("{home}{path}")).send().await.unwrap().status().as_u16();
    assert_eq!((status("/near").await, status("/away").await, status("/round").await), (200, 307, 307));
    assert_eq!(strangers.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn bodies_have_a_bound() {
    let home = serve(Router::new().route("/", get(|| async { [b'x'; 1000].as_slice() }))).await;
    let read = async |limit| http::body(client().get(&home).send().await.unwrap(), limit).await;
    assert_eq!(read(1000).await.unwrap().len(), 1000);
    assert!(matches!(read(999).await, Err(BodyError::TooLong { limit: 999 })));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_buf(&mut Vec::with_capacity(4096)).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"task_id\":").await.unwrap();
    });
    let answer = client().get(url).header(header::ACCEPT, "*/*").send().await.unwrap();
    assert!(matches!(http::body(answer, 1000).await, Err(BodyError::Broken(_))));
}

#[tokio::test]
async fn a_port_where_nobody_listens_was_never_sent_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client().get(url).send().await.unwrap_err();
    assert!(http::never_sent(&error) && !error.is_timeout());
}
