//! An Ironic that has one node and answers at once: what is measured in front of it is not its own slowness.
//!
//! It speaks of the version of its interface as Ironic does, and of a node that Ironic 39.0.0 has deployed. Its
//! lists are empty.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
    serve::ListenerExt,
};
use tokio::{net::TcpListener, task::AbortHandle};

/// As Ironic answered it, but for its own address.
const NODE: &str = include_str!("node.json");
/// The UUID of the node.
pub const UUID: &str = "40dd414f-e878-4ff3-8b92-11afa670057a";

/// It serves until this is dropped.
#[derive(Debug)]
pub struct FastIronic {
    address: SocketAddr,
    serving: AbortHandle,
    seen: Arc<Seen>,
}

/// What it counts.
#[derive(Debug, Default)]
struct Seen {
    connections: AtomicUsize,
    questions: AtomicUsize,
}

impl FastIronic {
    /// One at a free port of this machine.
    pub async fn start() -> io::Result<Self> {
        let seen = Arc::<Seen>::default();
        let (accepted, asked) = (seen.clone(), seen.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let listener = listener.tap_io(move |stream| {
            let _ = stream.set_nodelay(true);
            accepted.connections.fetch_add(1, Ordering::Relaxed);
        });
        // Without the spaces: Ironic sends none.
        let node: &'static str = compact(NODE).leak();
        let answer = move |json| {
            asked.questions.fetch_add(1, Ordering::Relaxed);
            versioned(json)
        };
        let version = answer.clone();
        let router = Router::new()
            .route("/v1", get(async move || version("{\"id\":\"v1\"}")))
            .route("/v1/nodes", get(async || versioned("{\"nodes\":[]}")))
            .route(&format!("/v1/nodes/{UUID}"), get(async move || answer(node)));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Ok(Self { address, serving, seen })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections that it was ever asked over.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::Relaxed)
    }

    /// Questions that it was ever asked.
    pub fn questions(&self) -> usize {
        self.seen.questions.load(Ordering::Relaxed)
    }
}

impl Drop for FastIronic {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn compact(json: &str) -> String {
    json.parse::<serde_json::Value>().unwrap_or_default().to_string()
}

fn versioned(json: &'static str) -> Response {
    let version = |name, version| (HeaderName::from_static(name), version);
    let headers = [
        version("x-openstack-ironic-api-minimum-version", "1.1"),
        version("x-openstack-ironic-api-maximum-version", "1.115"),
        (header::CONTENT_TYPE, "application/json"),
    ];
    (StatusCode::OK, headers, json).into_response()
}
