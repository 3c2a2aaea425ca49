//! Somebody who asks an HTTP server as fast as it answers, and measures it.
//!
//! It writes and reads HTTP/1.1 by itself, because on a small machine a whole client would be most of what it measures.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures::future::try_join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A GET that is asked again and again.
#[derive(Clone)]
pub struct Question {
    address: SocketAddr,
    request: Vec<u8>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Answers in a second.
    pub per_second: f64,
    /// Half of them came within this.
    pub p50: Duration,
    /// Of a hundred, 99 came within this.
    pub p99: Duration,
    /// Answers in all.
    pub answers: usize,
}

impl Question {
    /// Asks the server at `address` for `path`, with `headers` (`Name: value`).
    pub fn new(address: SocketAddr, path: &str, headers: &[String]) -> Self {
        let mut lines = vec![format!("GET {path} HTTP/1.1"), format!("Host: {address}")];
        lines.push("Accept: application/json".to_owned());
        lines.extend_from_slice(headers);
        Self { address, request: format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes() }
    }

    /// Asks for so long over so many connections, each with one question at a time.
    ///
    /// # Errors
    /// The server is away, or an answer is not a 200.
    pub async fn ask(&self, connections: usize, length: Duration) -> io::Result<Measured> {
        let began = now();
        let askers = (0..connections).map(|_| tokio::spawn(self.clone().until(began + length)));
        let asked = try_join_all(askers).await?.into_iter().collect::<io::Result<Vec<_>>>()?;
        let seconds = began.elapsed().as_secs_f64();
        let mut waits = asked.concat();
        waits.sort_unstable();
        let quantile = |percent: usize| waits.get(waits.len() * percent / 100).copied().unwrap_or_default();
        let (p50, p99) = (quantile(50), quantile(99));
        #[allow(clippy::cast_precision_loss, reason = "counts of answers are far below 2^52")]
        Ok(Measured { per_second: waits.len() as f64 / seconds, p50, p99, answers: waits.len() })
    }

    async fn until(self, end: Instant) -> io::Result<Vec<Duration>> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (mut waits, mut buffer) = (Vec::new(), Vec::with_capacity(16 * 1024));
        while now() < end {
            let asked = now();
            stream.write_all(&self.request).await?;
            hear(&mut stream, &mut buffer).await?;
            waits.push(asked.elapsed());
        }
        Ok(waits)
    }
}

/// Reads one answer to its end.
async fn hear(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<()> {
    buffer.clear();
    let mut whole = None;
    while whole.is_none_or(|whole| buffer.len() < whole) {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if whole.is_none() {
            whole = length(buffer)?;
        }
    }
    Ok(())
}

/// How long an answer is, once its head is there.
fn length(answer: &[u8]) -> io::Result<Option<usize>> {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&answer[..end]);
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default();
    let body =
        lines.filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    match body.and_then(|(_, value)| value.trim().parse::<usize>().ok()) {
        Some(body) if status.contains(" 200 ") => Ok(Some(end + 4 + body)),
        _ => Err(io::Error::other(format!("not an answer to measure: {status}"))),
    }
}

#[allow(clippy::disallowed_methods, reason = "a bench measures by the machine's own clock")]
fn now() -> Instant {
    Instant::now()
}
