//! The door over HTTP: the protocol's streamable transport, without sessions, so that any replica answers any request.

use std::{net::SocketAddr, sync::Arc};

use rackhand_core::ops::Ops;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use tokio_util::sync::CancellationToken;

use super::{Caller, Mcp};

/// The largest body of a request, in bytes.
const LARGEST_BODY: usize = 2 * 1024 * 1024;

/// The door as a service of HTTP.
pub type Service = StreamableHttpService<Mcp, NeverSessionManager>;

/// What the door keeps to on the web.
#[derive(Clone, Debug)]
pub struct Web {
    /// Where this process listens: its own address is one of its names.
    pub listen: SocketAddr,
    /// Its other names, `host` or `host:port`; a request to any other name is refused, because a page in a browser can
    /// have its own name point here.
    pub hosts: Vec<String>,
    /// The web pages (`https://host:port`) that may call; all others are refused.
    pub origins: Vec<String>,
}

/// The door over HTTP. Each request has to come with the [`rackhand_core::model::Actor`] that it was found to come from
/// among its extensions.
pub fn service(ops: Ops, web: &Web, stop: CancellationToken) -> Service {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_allowed_hosts(names(web))
        .with_allowed_origins(web.origins.clone())
        .enforce_origin_validation()
        .with_max_request_body_bytes(LARGEST_BODY)
        .with_cancellation_token(stop);
    let door = Mcp::new(ops, Caller::Request);
    StreamableHttpService::new(move || Ok(door.clone()), Arc::new(NeverSessionManager::default()), config)
}

/// The names by which this process may be called. Where it listens on all addresses, it cannot know them.
fn names(web: &Web) -> Vec<String> {
    let (address, port) = (web.listen.ip(), web.listen.port());
    let mut names = web.hosts.clone();
    if !address.is_unspecified() {
        names.push(web.listen.to_string());
    }
    if address.is_loopback() || address.is_unspecified() {
        names.extend(["localhost", "127.0.0.1", "[::1]"].map(|name| format!("{name}:{port}")));
    }
    names
}
