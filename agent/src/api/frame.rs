//! What surrounds every request: its id, its line in the log, its deadline, and the form of what goes wrong.

use std::time::Duration;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use rackhand_core::{
    clock::{SharedClock, Stopwatch},
    ops::LOOK,
};
use tracing::{Instrument, debug, info_span, warn};
use uuid::Uuid;

use super::{MCP, Problem, metrics};

/// Longest time until an answer begins.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same where a model waits for an operation to end.
const PATIENCE_WITH_MODELS: Duration = Duration::from_mins(1);
/// Whoever only looks outside is told who kept silent, before this door loses its patience.
const _: () = assert!(LOOK.as_secs() < PATIENCE.as_secs() && LOOK.as_secs() < PATIENCE_WITH_MODELS.as_secs());
/// The longest id that a caller may give.
const LONGEST_ID: usize = 64;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers within the deadline, with an id, and with every problem in its form.
pub(super) async fn frame(State(clock): State<SharedClock>, request: Request, next: Next) -> Response {
    let id = id_of(request.headers());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let changes = !method.is_safe();
    // A method that somebody made up is no name for a number, nor for a line of the log.
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::PUT, Method::DELETE, Method::OPTIONS];
    let method = if known.contains(&method) { method.to_string() } else { "OTHER".to_owned() };
    let span = info_span!("request", id, method, route);
    async move {
        let watch = Stopwatch::start();
        let patience = if route == MCP { PATIENCE_WITH_MODELS } else { PATIENCE };
        let response = tokio::select! {
            biased;
            response = next.run(request) => response,
            () = clock.sleep(patience) => too_slow(changes).into_response(),
        };
        let mut response = match response.extensions().get::<Problem>() {
            Some(problem) => with_headers_of(response.headers(), problem.render(&path, &id)),
            None => response,
        };
        let (status, took) = (response.status(), watch.elapsed());
        metrics::count(&route, &method, status.as_u16(), took);
        if status.is_server_error() {
            // `?path`: what comes from outside is never logged as it came.
            warn!(status = status.as_u16(), ms = took.as_millis(), ?path, "failed");
        } else {
            debug!(status = status.as_u16(), ms = took.as_millis(), ?path, "answered");
        }
        protect(response.headers_mut(), &id);
        response
    }
    .instrument(span)
    .await
}

/// What is begun outside goes on without whoever asked for it.
fn too_slow(changes: bool) -> Problem {
    let detail = if changes {
        "it took too long, and may still go on. Whether it was done is not known: ask again with the same \
         Idempotency-Key, or look"
    } else {
        "it took too long. Nothing was changed: ask again"
    };
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too-slow", detail).retry_after(Duration::from_secs(5))
}

/// What the router said of a problem beside it: `Allow`.
fn with_headers_of(given: &HeaderMap, mut rendered: Response) -> Response {
    if let Some(allow) = given.get(header::ALLOW) {
        rendered.headers_mut().insert(header::ALLOW, allow.clone());
    }
    rendered
}

fn protect(headers: &mut HeaderMap, id: &str) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let caching = headers.entry(header::CACHE_CONTROL);
    caching.or_insert(HeaderValue::from_static("no-store"));
}

/// The caller's own id where it can be written anywhere as it is, else a new one.
fn id_of(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let fits = |text: &&str| {
        (1..=LONGEST_ID).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    given.filter(fits).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}
