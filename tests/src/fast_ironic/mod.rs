//! An Ironic that answers at once: what is measured in front of it is not its own slowness.
//!
//! It speaks of the version of its interface as Ironic does, and of a node that Ironic 39.0.0 has deployed. Beside that
//! it lists a free one and one that is manageable, takes every wish for the three, and forgets it: each stays as it is.
//! Only whose the free one is it remembers, until it is told to begin.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Json, Router,
    body::Body,
    extract::RawQuery,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, put},
    serve::ListenerExt,
};
use serde_json::Value;
use tokio::{net::TcpListener, task::AbortHandle};

/// As Ironic answered it, but for its own address.
const NODE: &str = include_str!("node.json");
/// The UUID of the node.
pub const UUID: &str = "40dd414f-e878-4ff3-8b92-11afa670057a";
/// The UUID of the free one.
pub const FREE: &str = "8f0c2a51-3b7d-4e69-a1f4-6d2e90b7c835";
/// The UUID of the one that is manageable.
pub const MANAGEABLE: &str = "c2e4b7a9-61d0-4f35-8a17-3b9d5e0f7c24";
/// What it says of any node that is to be provisioned.
const VALID: &str =
    r#"{"boot":{"result":true},"deploy":{"result":true},"management":{"result":true},"power":{"result":true}}"#;

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
        let free: &'static str = without_instance(FREE, "rack4-node08", "available").leak();
        let manageable: &'static str = without_instance(MANAGEABLE, "rack4-node09", "manageable").leak();
        let lists = Lists { all: listed(&[node, free, manageable].join(",")).leak(), free: listed(free).leak() };
        let list = get(async move |RawQuery(query)| versioned(lists.of(&query.unwrap_or_default())));
        let owner = Owner::default();
        let (shown, given, begun) = (owner.clone(), owner.clone(), owner);
        let free_now = get(async move || versioned(shown.of(free)));
        let router = Router::new()
            .route("/v1", get(async move || version("{\"id\":\"v1\"}")))
            .route("/v1/nodes", list.post(async move || (StatusCode::CREATED, versioned(free))))
            .route(&format!("/v1/nodes/{UUID}"), get(async move || answer(node)))
            .route(
                &format!("/v1/nodes/{FREE}"),
                free_now.patch(async move |Json(patches): Json<Vec<Value>>| versioned(given.given(free, &patches))),
            )
            .route(&format!("/v1/nodes/{MANAGEABLE}"), get(async move || versioned(manageable)))
            .route(&format!("/v1/nodes/{FREE}/validate"), get(async || versioned(VALID)));
        let router = [UUID, FREE, MANAGEABLE].iter().fold(router, |router, uuid| {
            let begun = begun.clone();
            let taken = put(async move || {
                begun.forget();
                (StatusCode::ACCEPTED, versioned(""))
            });
            router.route(&format!("/v1/nodes/{uuid}/states/provision"), taken)
        });
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

/// Whose the free node is.
#[derive(Clone, Debug, Default)]
struct Owner(Arc<Mutex<Value>>);

impl Owner {
    /// The node with it.
    fn of(&self, node: &str) -> String {
        let mut node: Value = node.parse().unwrap_or_default();
        node["instance_uuid"] = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        node.to_string()
    }

    /// The same after these patches.
    fn given(&self, node: &str, patches: &[Value]) -> String {
        for patch in patches.iter().filter(|patch| patch["path"] == "/instance_uuid") {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = patch["value"].clone();
        }
        self.of(node)
    }

    fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Value::Null;
    }
}

/// What it lists.
#[derive(Clone, Copy)]
struct Lists {
    all: &'static str,
    free: &'static str,
}

impl Lists {
    /// Nothing has the instance that somebody looks for; of kinds of machines it knows nothing.
    fn of(self, query: &str) -> &'static str {
        match query {
            _ if query.contains("instance_uuid=") => "{\"nodes\":[]}",
            _ if query.contains("associated=") || query.contains("provision_state=") => self.free,
            _ => self.all,
        }
    }
}

fn listed(nodes: &str) -> String {
    format!("{{\"nodes\":[{nodes}]}}")
}

/// Another node like the deployed one, before it was.
fn without_instance(uuid: &str, name: &str, state: &str) -> String {
    let mut node: Value = NODE.parse().unwrap_or_default();
    let before = [("uuid", uuid.into()), ("name", name.into()), ("provision_state", state.into())];
    for (field, value) in before.into_iter().chain([("instance_uuid", Value::Null)]) {
        node[field] = value;
    }
    node.to_string()
}

fn compact(json: &str) -> String {
    json.parse::<Value>().unwrap_or_default().to_string()
}

fn versioned(json: impl Into<Body>) -> Response {
    let version = |name, version| (HeaderName::from_static(name), version);
    let headers = [
        version("x-openstack-ironic-api-minimum-version", "1.1"),
        version("x-openstack-ironic-api-maximum-version", "1.115"),
        (header::CONTENT_TYPE, "application/json"),
    ];
    (StatusCode::OK, headers, json.into()).into_response()
}
