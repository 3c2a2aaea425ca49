//! Peers that speak no SSH, or stop in the middle of it.

use std::net::SocketAddr;

use rackhand_core::clients::ssh::{SshError, Target, banner, host_key};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::{HERE, PATIENCE, SHORT};

async fn listener() -> (TcpListener, Target) {
    let listener = TcpListener::bind(SocketAddr::new(HERE, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, Target { address: HERE, port, pinned: None })
}

async fn next(listener: &TcpListener, greeting: &[u8]) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.write_all(greeting).await.unwrap();
    stream
}

#[tokio::test]
async fn a_host_that_stops_during_the_key_exchange_is_let_go() {
    let (listener, target) = listener().await;
    let host = async {
        let mut stream = next(&listener, b"SSH-2.0-Tarpit\r\n").await;
        let mut heard = Vec::new();
        // Ends only when the client closes its side.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut heard)).await.expect("the client lets go");
        heard
    };
    let (seen, heard) = tokio::join!(host_key(&target, SHORT), host);
    assert!(matches!(seen, Err(SshError::Timeout { what: "the key exchange" })), "{seen:?}");
    assert!(heard.starts_with(b"SSH-2.0-"));
}

#[tokio::test]
async fn a_banner_may_come_late_in_pieces_or_not_at_all() {
    let (listener, target) = listener().await;
    let pieces = async {
        let mut stream = next(&listener, b"Welcome to the host\r\nSSH-2").await;
        stream.write_all(b".0-Piecemeal_1 x\r\n").await.unwrap();
    };
    let (said, ()) = tokio::join!(banner(&target, PATIENCE), pieces);
    assert_eq!(said.unwrap(), "SSH-2.0-Piecemeal_1 x");

    let (said, ()) = tokio::join!(banner(&target, PATIENCE), async { drop(next(&listener, b"").await) });
    assert!(matches!(said, Err(SshError::Dropped)), "{said:?}");
    let (said, _stream) = tokio::join!(banner(&target, PATIENCE), next(&listener, &[b'x'; 5000]));
    assert!(matches!(said, Err(SshError::Protocol { .. })), "{said:?}");
}
