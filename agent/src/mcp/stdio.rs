//! The door over standard input and output: a client starts this process for itself.

use rackhand_core::ops::Ops;
use rmcp::{service::ServerInitializeError, transport::io::stdio_pipes};
use tokio_util::sync::CancellationToken;

use super::{Caller, Mcp};

/// Serves the client at standard input and output until it leaves or `stop`.
pub async fn serve_stdio(ops: Ops, caller: Caller, stop: CancellationToken) -> Result<(), Box<ServerInitializeError>> {
    let transport = stdio_pipes();
    match rmcp::service::serve_server_with_ct(Mcp::new(ops, caller), transport, stop).await {
        Ok(running) => {
            let _ended = running.waiting().await;
            Ok(())
        }
        // Whoever closes the door before saying anything wants nothing.
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
        Err(error) => Err(Box::new(error)),
    }
}
