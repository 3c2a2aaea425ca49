//! Forgets what is not needed any more: answers to repeated requests after a day, events after a week, messages after a
//! month, the stories of jobs that ended after a quarter. Jobs with their steps, and the audit, are kept.

use std::{error::Error, time::Duration};

use async_trait::async_trait;
use rackhand_core::{ops::Ops, store::Lease, units::Timestamp, units::millis, work::Reconciler};

/// How long the answer to a request with a key is kept.
const REQUESTS_KEPT: Duration = Duration::from_hours(24);
/// How long a message that was delivered, or never will be, is kept after its last change.
const MAIL_KEPT: Duration = Duration::from_hours(30 * 24);
/// How long whoever followed the events may be away and still go on where they were.
const EVENTS_KEPT: Duration = Duration::from_hours(7 * 24);
/// So many events are forgotten in one look.
const MOST_EVENTS: i64 = 20_000;
/// How long the story of a job is kept after its end.
const STORIES_KEPT: Duration = Duration::from_hours(90 * 24);
/// How long a provider is remembered that nobody asks any more: each that is configured is asked daily at the least.
const CONTACTS_KEPT: Duration = Duration::from_hours(2 * 24);
/// So many messages are forgotten in one look: others wait for SQLite's one writer meanwhile.
const MOST_MAIL: i64 = 2_000;
/// The stories of so many jobs are forgotten in one look.
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
        tx.forget_events(before(STORIES_KEPT), MOST_JOBS).await?;
        tx.forget_old_events(before(EVENTS_KEPT), MOST_EVENTS).await?;
        tx.forget_contacts(before(CONTACTS_KEPT)).await?;
        Ok(tx.commit().await?)
    }
}
