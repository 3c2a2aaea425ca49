//! The door for programs: REST, made from the table of operations, and what else speaks HTTP.
//!
//! `routes` turns the table into routes, `input` a request into an operation's input, `answer` its answer into a
//! response. Whatever goes wrong anywhere is a [`Problem`], rendered in one place (`frame`).

mod answer;
mod auth;
mod call;
mod docs;
mod frame;
mod health;
mod input;
mod limits;
mod metrics;
mod openapi;
mod problem;
mod routes;
mod schemas;
mod serve;

use std::sync::Arc;

use axum::{Json, Router, middleware, routing::get};
use rackhand_core::{config::ApiAuth, ops::Ops};

pub use auth::Caller;
pub use openapi::document;
pub use problem::{FieldError, Problem};
pub use serve::serve;

use limits::Limiter;

/// What the door has in its hands. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    /// The operations.
    pub ops: Ops,
    auth: ApiAuth,
    limiter: Arc<Limiter>,
}

impl Api {
    /// A door to `ops`, for whoever proves who they are by `auth`, each at most so often in a minute (0 counts as 1).
    pub fn new(ops: Ops, auth: ApiAuth, requests_per_minute: u32) -> Self {
        let limiter = Arc::new(Limiter::new(requests_per_minute, ops.clock.clone()));
        Self { ops, auth, limiter }
    }
}

/// Every route of the door. What is added to `known` is behind authority and the limit of requests: its handlers find
/// the [`Caller`] among the request's extensions.
pub fn router(api: Api) -> Router {
    let known = routes::operations()
        .route("/openapi.json", get(|| async { Json(document()) }))
        .route("/metrics", get(metrics::metrics));
    let known = known.route_layer(middleware::from_fn_with_state(api.clone(), auth::admit));
    known
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .merge(docs::docs())
        .fallback(|| async { Problem::no_route() })
        .method_not_allowed_fallback(|| async { Problem::wrong_method() })
        .layer(middleware::from_fn_with_state(api.clone(), frame::frame))
        .with_state(api)
}
