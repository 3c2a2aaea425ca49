//! What stands between Rackhand and Ironic: it lets everything through, shows one test its own nodes only, and does harm
//! where it is told to.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rackhand_core::clients::ironic::Patch;

/// Harm that is done to the next request of a method whose path ends so.
#[derive(Clone, Debug, PartialEq)]
pub enum Harm {
    /// None: it goes through, and the next one is meant.
    Pass,
    /// Ironic answers with this status, and does nothing.
    Status(u16),
    /// The same, in words that Ironic once said.
    Answer(u16, &'static str),
    /// Ironic does it, and its answer is lost.
    LoseAnswer,
    /// Ironic does it, and its answer never comes: time to kill whoever asked.
    KeepAnswer,
    /// Ironic does it, and then the node is reserved for somebody else.
    TakeOver,
}

/// For whom the node is reserved after [`Harm::TakeOver`].
pub const STRANGER: &str = "11111111-2222-4333-8444-555555555555";

#[derive(Clone)]
struct Inner {
    upstream: String,
    class: String,
    client: reqwest::Client,
    harms: Arc<Mutex<Vec<(String, String, Harm)>>>,
    seen: Arc<Mutex<Vec<String>>>,
    done: Arc<Mutex<Vec<String>>>,
}

pub struct Between {
    pub url: String,
    inner: Inner,
}

impl Between {
    pub async fn start(upstream: &str, class: &str) -> Self {
        let inner = Inner {
            upstream: upstream.trim_end_matches('/').to_owned(),
            class: class.to_owned(),
            // A connection for each request: one that Ironic just closes loses nobody's.
            client: reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap(),
            harms: Arc::default(),
            seen: Arc::default(),
            done: Arc::default(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(pass).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, inner }
    }

    /// Harms the next request of this method whose path ends so.
    pub fn harm(&self, method: &str, end: &str, harm: Harm) {
        self.inner.harms.lock().unwrap().push((method.to_owned(), end.to_owned(), harm));
    }

    /// How much harm is yet to be done.
    pub fn left(&self) -> usize {
        self.inner.harms.lock().unwrap().len()
    }

    /// How often this was asked for.
    pub fn count(&self, method: &str, end: &str) -> usize {
        lines(&self.inner.seen, method, end)
    }

    /// How often this was asked for, and Ironic did it.
    pub fn done(&self, method: &str, end: &str) -> usize {
        lines(&self.inner.done, method, end)
    }
}

impl Inner {
    async fn take_over(&self, node: &str) {
        for patch in [Patch::remove("/instance_uuid"), Patch::add("/instance_uuid", STRANGER)] {
            let call = self.client.patch(format!("{}{node}", self.upstream)).json(&[patch]);
            let answer = call.header("X-OpenStack-Ironic-API-Version", "1.56").send().await.unwrap();
            assert!(answer.status().is_success(), "{answer:?}");
        }
    }
}

fn lines(of: &Mutex<Vec<String>>, method: &str, end: &str) -> usize {
    let fits = |line: &&String| line.starts_with(&format!("{method} ")) && line.ends_with(end);
    of.lock().unwrap().iter().filter(fits).count()
}

async fn pass(State(inner): State<Inner>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    let line = format!("{method} {path}");
    inner.seen.lock().unwrap().push(line.clone());
    let harm = {
        let mut harms = inner.harms.lock().unwrap();
        let found = harms.iter().position(|(of, end, _)| *of == method && path.ends_with(end.as_str()));
        found.map(|at| harms.remove(at).2)
    };
    match harm {
        Some(Harm::Status(status)) => return StatusCode::from_u16(status).unwrap().into_response(),
        Some(Harm::Answer(status, words)) => return (StatusCode::from_u16(status).unwrap(), words).into_response(),
        _ => {}
    }
    let mut query = parts.uri.query().unwrap_or_default().to_owned();
    let looks_by_instance = query.contains("instance_uuid=");
    if path == "/v1/nodes" && method == "GET" && !query.contains("resource_class=") && !looks_by_instance {
        query = format!("{query}&resource_class={}", inner.class);
    }
    let mut call = inner.client.request(parts.method, format!("{}{path}?{query}", inner.upstream)).body(body);
    for name in ["content-type", "x-openstack-ironic-api-version"] {
        if let Some(value) = parts.headers.get(name) {
            call = call.header(name, value);
        }
    }
    let answer = call.send().await.unwrap();
    if answer.status().is_success() {
        inner.done.lock().unwrap().push(line);
    }
    if harm == Some(Harm::TakeOver) {
        inner.take_over(path.trim_end_matches("/validate")).await;
    }
    if harm == Some(Harm::KeepAnswer) {
        std::future::pending::<()>().await;
    }
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name.as_str().starts_with("x-openstack") || name == "content-type" {
            response = response.header(name, value);
        }
    }
    let told = answer.bytes().await.unwrap();
    if harm == Some(Harm::LoseAnswer) {
        // Promised more than ever comes: the connection breaks off in the middle.
        let broken = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("lost")) });
        return response.header("content-length", "1000").body(Body::from_stream(broken)).unwrap();
    }
    response.body(Body::from(told)).unwrap()
}
