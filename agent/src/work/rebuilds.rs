//! Servers whose status asks for a job: `pending_setup` and `force_rebuild`.
//!
//! A status is a wish, not a permission. Setting up keeps the disk and may run by itself; a rebuild runs only with the
//! approval that a person gave, and where there is none (somebody wrote the status by hand) a person is asked.

use std::{error::Error, time::Duration};

use async_trait::async_trait;
use rackhand_core::{
    fault::chain,
    model::{Actor, Server},
    ops::{HandleInput, OpError, Operation, Ops, RebuildServer, SetUpServer},
    states::{JobStatus, ServerStatus},
    store::{JobFilter, Lease, Slice},
    units::{Timestamp, millis},
    work::Reconciler,
};
use tokio::sync::Notify;
use tracing::warn;

use super::CALM;

/// How long a status that nobody allowed is not asked about again.
const NO_HOLDS: Duration = Duration::from_hours(1);

/// Files the jobs that servers' statuses ask for.
pub struct Rebuilds {
    ops: Ops,
    actor: Actor,
}

impl Rebuilds {
    /// On these operations.
    pub fn new(ops: Ops) -> Self {
        Self { ops, actor: Actor::system("reconciler") }
    }

    /// A person called its last job off, or its attempts are spent: they start the next one themselves.
    async fn called_off(&self, server: &Server) -> Result<bool, OpError> {
        let mut tx = self.ops.store.read().await?;
        let filter = JobFilter { target: Some(server.id), open: false };
        let newest = tx.jobs(&filter, &Slice::first(1)).await?.pop();
        let cancelled = newest.is_some_and(|job| job.status == JobStatus::Cancelled);
        Ok(cancelled || server.provisioning_attempts >= self.ops.limits.attempts)
    }

    /// People were asked, and have not answered yet or not long ago: a no holds for a while.
    async fn asked_lately(&self, handle: &str) -> Result<bool, OpError> {
        let since = Timestamp(self.ops.clock.now().0.saturating_sub(millis(NO_HOLDS)));
        let mut tx = self.ops.store.read().await?;
        Ok(tx.approval_asked_since(RebuildServer::SPEC.name, handle, since).await?)
    }

    async fn servers_in(&self, status: ServerStatus) -> Result<Vec<Server>, OpError> {
        Ok(self.ops.store.read().await?.idle_servers_in(status).await?)
    }
}

#[async_trait]
impl Reconciler for Rebuilds {
    fn name(&self) -> &'static str {
        "rebuilds"
    }

    fn interval(&self) -> Duration {
        CALM
    }

    fn poke(&self) -> Option<&Notify> {
        Some(&self.ops.store.pokes().servers)
    }

    async fn look(&self, _lease: &Lease) -> Result<(), Box<dyn Error + Send + Sync>> {
        for server in self.servers_in(ServerStatus::PendingSetup).await? {
            if self.called_off(&server).await? {
                continue;
            }
            let input = HandleInput { handle: server.handle };
            said_no(self.ops.call::<SetUpServer>(&self.actor, &input, None).await);
        }
        for server in self.servers_in(ServerStatus::ForceRebuild).await? {
            let approval = server.rebuild_approval.as_deref().and_then(|id| id.parse().ok());
            let input = HandleInput { handle: server.handle };
            match approval {
                Some(approval) => said_no(self.ops.rebuild_approved(&self.actor, &input, approval).await),
                None if self.asked_lately(&input.handle).await? => {}
                None => said_no(self.ops.call::<RebuildServer>(&self.actor, &input, None).await),
            }
        }
        Ok(())
    }
}

/// A refusal (no address yet, attempts spent) is an answer: the next look asks again.
fn said_no<T>(answer: Result<T, OpError>) {
    if let Err(error) = answer {
        warn!(error = chain(&error), "a server's wish cannot be met now");
    }
}
