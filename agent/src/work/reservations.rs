//! Reservations of Ironic's nodes that a process left behind when it died between reserving and provisioning.
//!
//! Nobody else asks Ironic regularly: what is known of whether it answers is noted here.

use std::{error::Error, time::Duration};

use async_trait::async_trait;
use rackhand_core::{
    ops::{IRONIC, Ops},
    store::Lease,
    work::Reconciler,
};
use tracing::info;

/// How often they are looked for.
const INTERVAL: Duration = Duration::from_mins(1);

/// Gives back what was reserved for nothing.
pub struct Reservations {
    ops: Ops,
}

impl Reservations {
    /// On these operations.
    pub fn new(ops: Ops) -> Self {
        Self { ops }
    }
}

#[async_trait]
impl Reconciler for Reservations {
    fn name(&self) -> &'static str {
        "ironic-reservations"
    }

    fn interval(&self) -> Duration {
        INTERVAL
    }

    async fn look(&self, lease: &Lease) -> Result<(), Box<dyn Error + Send + Sync>> {
        let released = self.ops.release_stale_reservations().await;
        let mut tx = self.ops.store.write().await?;
        tx.fence_lease(lease).await?;
        match &released {
            Ok(_) => tx.note_answer(IRONIC, self.ops.clock.now()).await?,
            Err(_) => tx.note_failure(IRONIC, self.ops.clock.now()).await?,
        }
        tx.commit().await?;
        let released = released?;
        if released > 0 {
            info!(released, "reservations that led to nothing were given back");
        }
        Ok(())
    }
}
