//! The clock of approvals: a word before they expire, and the end when they do.

use std::{error::Error, time::Duration};

use async_trait::async_trait;
use rackhand_core::{ops::Ops, store::Lease, work::Reconciler};

/// How often approvals are looked at.
const INTERVAL: Duration = Duration::from_secs(5);

/// Warns of approvals that expire soon, and ends those that have.
pub struct ApprovalClock {
    ops: Ops,
    warn_before: Duration,
}

impl ApprovalClock {
    /// Warns this long before.
    pub fn new(ops: Ops, warn_before: Duration) -> Self {
        Self { ops, warn_before }
    }
}

#[async_trait]
impl Reconciler for ApprovalClock {
    fn name(&self) -> &'static str {
        "approval-clock"
    }

    fn interval(&self) -> Duration {
        INTERVAL
    }

    async fn look(&self, _lease: &Lease) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(self.ops.tick_approvals(self.warn_before).await?)
    }
}
