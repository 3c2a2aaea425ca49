//! The door over HTTP: the protocol's streamable transport, without sessions, so that any replica answers any request.

use std::{net::SocketAddr, sync::Arc};

use rackhand_core::ops::Ops;
use rmcp::{
    ServerHandler,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};
use tokio_util::sync::CancellationToken;

use super::{Caller, Mcp};
use crate::api::LONGEST_BODY;

/// A server of the protocol as a service of HTTP.
pub type Service<S = Mcp> = StreamableHttpService<S, NeverSessionManager>;

/// What the door keeps to on the web.
#[derive(Clone, Debug)]
pub struct Web {
    /// Where this process listens: its own address is one of its names.
    pub listen: SocketAddr,
    /// Its other names, `host` or `host:port`; a request to any other name is refused, because a page in a browser can
    /// have its own name point here.
    pub hosts: Vec<String>,
    /// The web pages (`https://host:port`) that may call, beside those that come from here; all others are refused.
    pub origins: Vec<String>,
}

/// The door over HTTP. Each request must carry, among its extensions, the [`crate::api::Caller`] that it was found to come
/// from.
pub fn service(ops: Ops, web: &Web, stop: CancellationToken) -> Service {
    service_of(Mcp::new(ops, Caller::Request), web, stop)
}

/// Any server of the protocol behind the same wiring: what it answers is its own, how it is reached is not.
pub fn service_of<S: ServerHandler + Clone>(server: S, web: &Web, stop: CancellationToken) -> Service<S> {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_allowed_hosts(web.hosts.iter().cloned().chain(own_names(web.listen)))
        .with_allowed_origins(
            web.origins.iter().cloned().chain(own_names(web.listen).map(|name| format!("http://{name}"))),
        )
        .enforce_origin_validation()
        .with_max_request_body_bytes(LONGEST_BODY)
        .with_cancellation_token(stop);
    StreamableHttpService::new(move || Ok(server.clone()), Arc::new(NeverSessionManager::default()), config)
}

/// The names that this address has by itself. Where it is every address of the machine, only the loopback ones are known.
fn own_names(listen: SocketAddr) -> impl Iterator<Item = String> {
    let (address, port) = (listen.ip(), listen.port());
    let given = (!address.is_unspecified()).then(|| listen.to_string());
    let local = (address.is_unspecified() || address.is_loopback()).then_some(["localhost", "127.0.0.1", "[::1]"]);
    given.into_iter().chain(local.into_iter().flatten().map(move |name| format!("{name}:{port}")))
}
