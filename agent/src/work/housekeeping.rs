//! Forgets what is not needed any more: answers to repeated requests after a day, messages after a month, the stories of
//! jobs that ended after a quarter. Jobs with their steps, and the audit, are kept.

use std::{error::Error, time::Duration};

use async_trait::async_trait;
use rackhand_core::{ops::Ops, store::Lease, units::Timestamp, units::millis, work::Reconciler};

/// How long the answer to a request with a key is kept.
const REQUESTS_KEPT: Duration = Duration::from_hours(24);
/// How long a message that was delivered, or never will be, is kept after its last change.
const MAIL_KEPT: Duration = Duration::from_hours(30 * 24);
/// How long the events of a job are kept after its end.
const EVENTS_KEPT: Duration = Duration::from_hours(90 * 24);
/// So many messages are forgotten in one look: others wait for SQLite's one writer meanwhile.
const MOST_MAIL: i64 = 2_000;
/// The events of so many jobs are forgotten in one look.
const MOST_JOBS: i64 = 100;

/// Forgets.
pub struct Housekeeping {
    ops: Ops,
}

impl Housekeeping {
    /// In this store.
    pub fn new(ops: Ops) -> Self {
        Self { ops }
    }
}

#[async_trait]
impl Reconciler for Housekeeping {
    fn name(&self) -> &'static str {
        "housekeeping"
    }

    fn interval(&self) -> Duration {
        Duration::from_hours(1)
    }

    async fn look(&self, lease: &Lease) -> Result<(), Box<dyn Error + Send + Sync>> {
        let now = self.ops.clock.now();
        let before = |kept: Duration| Timestamp(now.0.saturating_sub(millis(kept)));
        let mut tx = self.ops.store.write().await?;
        tx.fence_lease(lease).await?;
        tx.forget_requests(before(REQUESTS_KEPT)).await?;
        tx.forget_mail(before(MAIL_KEPT), MOST_MAIL).await?;
        tx.forget_events(before(EVENTS_KEPT), MOST_JOBS).await?;
        Ok(tx.commit().await?)
    }
}
