//! Whether this process lives, and whether it can do its work: for balancers and supervisors, without a token.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rackhand_core::{
    fault::chain,
    model::IncidentKind,
    store::{Store, StoreResult},
    units::Timestamp,
};
use schemars::JsonSchema;
use serde::Serialize;
use tracing::warn;

use super::Api;

/// Longest wait for the database.
const PATIENCE: Duration = Duration::from_secs(5);
/// The role that every process with workers wants, and takes anew every few seconds.
const WORKER: &str = "rebuilds";

/// The process lives.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Health {
    /// `ok`.
    status: &'static str,
}

/// How ready everything is.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Readiness {
    /// `ready`; `degraded`, where something below is not as it should be and requests are answered all the same;
    /// `unavailable`, where they cannot be.
    status: &'static str,
    /// The database answers.
    database: bool,
    /// Some process works: it looks for what is to be done, and is there to do it.
    worker: bool,
    /// Who does Rackhand's own work: each role that some process of this database ever had, and whether one has it now.
    roles: Vec<Held>,
    /// Jobs whose worker shows no sign of life.
    jobs_without_worker: i64,
    /// Since when the provider of rented servers is out of reach; nothing while it answers.
    provider_away_since: Option<Timestamp>,
}

/// A role that one process has at a time.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Held {
    /// Its name.
    role: String,
    /// Some process has it now.
    held: bool,
}

/// `/healthz`.
pub(super) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// `/readyz`: 503 where the database does not answer.
pub(super) async fn readyz(State(api): State<Api>) -> Response {
    let looked = tokio::time::timeout(PATIENCE, look(&api.ops.store)).await;
    match looked {
        Ok(Ok(readiness)) => return Json(readiness).into_response(),
        Ok(Err(error)) => warn!(error = chain(&error), "not ready"),
        Err(_) => warn!("not ready: the database does not answer in time"),
    }
    let nothing = Readiness {
        status: "unavailable",
        database: false,
        worker: false,
        roles: Vec::new(),
        jobs_without_worker: 0,
        provider_away_since: None,
    };
    (StatusCode::SERVICE_UNAVAILABLE, Json(nothing)).into_response()
}

async fn look(store: &Store) -> StoreResult<Readiness> {
    let mut tx = store.read().await?;
    let roles: Vec<Held> = tx.leases().await?.into_iter().map(|(role, held)| Held { role, held }).collect();
    let jobs_without_worker = tx.count_jobs_without_worker().await?;
    let open = tx.open_incidents().await?;
    let away = open.iter().find(|incident| incident.kind == IncidentKind::ProviderApiUnavailable);
    let provider_away_since = away.map(|incident| incident.detected_at);
    let worker = roles.iter().any(|role| role.role == WORKER && role.held);
    let well = worker && jobs_without_worker == 0 && provider_away_since.is_none();
    let status = if well { "ready" } else { "degraded" };
    Ok(Readiness { status, database: true, worker, roles, jobs_without_worker, provider_away_since })
}
