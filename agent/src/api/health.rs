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
    store::{Contact, Store, StoreResult},
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
    /// The providers of machines, as whoever asks them regularly last found them.
    providers: Vec<Provider>,
}

/// A provider of machines.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Provider {
    /// Its name: `time4vps`, `ironic`.
    name: String,
    /// When it last gave a good answer; nothing before its first one.
    answered_at: Option<Timestamp>,
    /// When it last gave none; nothing where it always did.
    failed_at: Option<Timestamp>,
    /// Since when it is out of reach; nothing while it answers.
    away_since: Option<Timestamp>,
}

impl From<Contact> for Provider {
    fn from(Contact { provider, answered_at, failed_at, away_since }: Contact) -> Self {
        Self { name: provider, answered_at, failed_at, away_since }
    }
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
        providers: Vec::new(),
    };
    (StatusCode::SERVICE_UNAVAILABLE, Json(nothing)).into_response()
}

async fn look(store: &Store) -> StoreResult<Readiness> {
    let mut tx = store.read().await?;
    let roles: Vec<Held> = tx.leases().await?.into_iter().map(|(role, held)| Held { role, held }).collect();
    let jobs_without_worker = tx.count_jobs_without_worker().await?;
    let providers: Vec<Provider> = tx.contacts().await?.into_iter().map(Provider::from).collect();
    let worker = roles.iter().any(|role| role.role == WORKER && role.held);
    let away = providers.iter().any(|provider| provider.away_since.is_some());
    let status = if worker && jobs_without_worker == 0 && !away { "ready" } else { "degraded" };
    Ok(Readiness { status, database: true, worker, roles, jobs_without_worker, providers })
}
