//! Forgets what is not needed any more: answers to repeated requests after a day.

use std::{error::Error, time::Duration};

use async_trait::async_trait;
use rackhand_core::{ops::Ops, store::Lease, units::Timestamp, units::millis, work::Reconciler};

/// How long the answer to a request with a key is kept.
const REQUESTS_KEPT: Duration = Duration::from_hours(24);

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
        let before = Timestamp(self.ops.clock.now().0.saturating_sub(millis(REQUESTS_KEPT)));
        let mut tx = self.ops.store.write().await?;
        tx.fence_lease(lease).await?;
        tx.forget_requests(before).await?;
        Ok(tx.commit().await?)
    }
}
