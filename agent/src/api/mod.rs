//! The door for programs: REST, made from the table of operations, and what else speaks HTTP.
//!
//! `routes` turns the table into routes, `input` a request into an operation's input, `answer` its answer into a
//! response. Whatever goes wrong anywhere is a [`Problem`], rendered in one place (`frame`).

mod answer;
mod auth;
mod call;
mod docs;
mod events;
mod frame;
mod health;
mod input;
mod json;
mod jwt;
mod limits;
mod metrics;
mod openapi;
mod pace;
mod problem;
mod routes;
mod serve;
mod streams;

use std::sync::Arc;

use axum::{
    Json, Router, middleware,
    routing::{MethodRouter, any_service, get},
};
use rackhand_core::ops::Ops;

pub use auth::{Auth, Caller};
pub use jwt::{Jwt, KeyError};
pub use openapi::document;
pub use problem::{FieldError, Problem};
pub use serve::{Patience, serve, serve_paced};

use crate::mcp;
use limits::Limiter;
use streams::Streams;

pub(crate) use call::{LONGEST_KEY, is_key};
pub(crate) use input::LONGEST_BODY;

/// Where language models come in.
pub(crate) const MCP: &str = "/mcp";

/// What the door has in its hands. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    /// The operations.
    pub ops: Ops,
    auth: Auth,
    limiter: Arc<Limiter>,
    models: Option<MethodRouter>,
    streams: Streams,
}

impl Api {
    /// A door to `ops`, for whoever proves who they are by `auth`, each at most so often in a minute (0 counts as 1).
    pub fn new(ops: Ops, auth: Auth, requests_per_minute: u32) -> Self {
        let limiter = Arc::new(Limiter::new(requests_per_minute, ops.clock.clone()));
        Self { ops, auth, limiter, streams: Streams::default(), models: None }
    }

    /// The same with bounds of its own on open streams of events: of one caller, and in all.
    #[must_use]
    pub fn with_streams(self, of_one: usize, in_all: usize) -> Self {
        Self { streams: Streams::new(of_one, in_all), ..self }
    }

    /// The same with the door for language models beside it.
    #[must_use]
    pub fn with_models<S: mcp::ServerHandler>(self, models: mcp::Service<S>) -> Self {
        Self { models: Some(any_service(models)), ..self }
    }
}

/// Every route of the door. What is added to `known` is behind authority and the limit of requests: its handlers find
/// the [`Caller`] among the request's extensions.
pub fn router(mut api: Api) -> Router {
    // Not among what each request takes along: it is no cheap clone.
    let models = api.models.take();
    let mut known = routes::operations()
        .merge(events::routes())
        .route("/openapi.json", get(|| async { Json(document()) }))
        .route("/metrics", get(metrics::metrics));
    if let Some(models) = models {
        known = known.route_service(MCP, models);
    }
    let known = known.route_layer(middleware::from_fn_with_state(api.clone(), auth::admit));
    known
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .merge(docs::docs())
        .fallback(|| async { Problem::no_route() })
        .method_not_allowed_fallback(|| async { Problem::wrong_method() })
        .layer(middleware::from_fn_with_state(api.ops.clock.clone(), frame::frame))
        .with_state(api)
}
