//! The door over standard input and output: a client starts this process for itself.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use rackhand_core::ops::Ops;
use rmcp::{service::ServerInitializeError, transport::io::stdio_pipes};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::sync::CancellationToken;

use super::{Caller, Mcp};
use crate::api::LONGEST_BODY;

/// Why a client at standard input and output was left.
#[derive(Debug, thiserror::Error)]
pub enum StdioError {
    /// What it said first begins nothing.
    #[error("the client did not begin as the protocol wants")]
    Start(#[source] Box<ServerInitializeError>),
    /// A message of it was too long to be kept.
    #[error("the client sent a line of more than {LONGEST_BODY} bytes")]
    TooLong,
}

/// Serves the client at standard input and output until it leaves or `stop`.
///
/// # Errors
/// When the client breaks the protocol so that nothing more can come of it.
pub async fn serve_stdio(ops: Ops, caller: Caller, stop: CancellationToken) -> Result<(), StdioError> {
    let (input, output) = stdio_pipes();
    let too_long = CancellationToken::new();
    let input = Bounded { input, line: 0, too_long: too_long.clone() };
    let served = match rmcp::service::serve_server_with_ct(Mcp::new(ops, caller), (input, output), stop).await {
        Ok(running) => {
            let _ended = running.waiting().await;
            Ok(())
        }
        // Whoever closes the door before saying anything wants nothing.
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
        Err(error) => Err(StdioError::Start(Box::new(error))),
    };
    if too_long.is_cancelled() { Err(StdioError::TooLong) } else { served }
}

/// An input that ends where a line grows too long: whoever reads it keeps a line until it is whole.
struct Bounded<R> {
    input: R,
    /// Bytes of the line so far.
    line: usize,
    /// Cancelled once a line was too long.
    too_long: CancellationToken,
}

impl<R: AsyncRead + Unpin> AsyncRead for Bounded<R> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.input).poll_read(cx, buf))?;
        for byte in &buf.filled()[before..] {
            this.line = if *byte == b'\n' { 0 } else { this.line + 1 };
            if this.line > LONGEST_BODY {
                this.too_long.cancel();
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, StdioError::TooLong)));
            }
        }
        Poll::Ready(Ok(()))
    }
}
