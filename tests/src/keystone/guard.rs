//! A guard before a real service, as keystonemiddleware is one: who comes without a good token is sent away.

use std::{
    io,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rackhand_core::clients::http::{self, Limits};
use serde_json::json;
use tokio::{net::TcpListener, task::JoinHandle};

use super::Inner;

/// The largest request that is passed on, in bytes.
const LARGEST: usize = 4 * 1024 * 1024;

/// A guard. Stops when it is dropped.
pub struct Guard {
    url: String,
    seen: Arc<Seen>,
    serving: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Seen {
    passed: AtomicUsize,
    refused: AtomicUsize,
    distrustful: AtomicBool,
}

impl Guard {
    pub(super) async fn start(keystone: Arc<Inner>, upstream: &str) -> io::Result<Self> {
        let limits = Limits { connect: Duration::from_secs(5), request: Duration::from_mins(1) };
        let http = http::client(limits).map_err(io::Error::other)?;
        let (upstream, seen) = (upstream.to_owned(), Arc::<Seen>::default());
        let (state, listener) = (seen.clone(), TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        let url = format!("http://{}", listener.local_addr()?);
        let pass = move |State(seen): State<Arc<Seen>>, request: Request| async move {
            let token = request.headers().get("X-Auth-Token").and_then(|token| token.to_str().ok());
            if seen.distrustful.load(Ordering::SeqCst) || !token.is_some_and(|token| keystone.knows(token)) {
                seen.refused.fetch_add(1, Ordering::SeqCst);
                return refusal();
            }
            seen.passed.fetch_add(1, Ordering::SeqCst);
            let (parts, body) = request.into_parts();
            let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
            let mut call = http.request(parts.method, format!("{upstream}{path}"));
            for (name, value) in parts.headers.iter().filter(|(name, _)| *name != header::HOST) {
                call = call.header(name, value);
            }
            let Ok(body) = to_bytes(body, LARGEST).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
            let Ok(answer) = call.body(body).send().await else { return StatusCode::BAD_GATEWAY.into_response() };
            let (status, mut headers) = (answer.status(), answer.headers().clone());
            headers.remove(header::TRANSFER_ENCODING);
            let body = answer.bytes().await.unwrap_or_default();
            (status, headers, Body::from(body)).into_response()
        };
        let router = Router::new().fallback(pass).with_state(state);
        let serving = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { url, seen, serving })
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Requests that it let through.
    pub fn passed(&self) -> usize {
        self.seen.passed.load(Ordering::SeqCst)
    }

    /// Requests that it sent away.
    pub fn refused(&self) -> usize {
        self.seen.refused.load(Ordering::SeqCst)
    }

    /// From now on no token is good enough.
    pub fn distrust(&self) {
        self.seen.distrustful.store(true, Ordering::SeqCst);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn refusal() -> Response {
    let message = "The request you have made requires authentication.";
    let body = json!({ "error": { "code": 401, "title": "Unauthorized", "message": message } });
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Keystone uri=\"\"")], Json(body)).into_response()
}
