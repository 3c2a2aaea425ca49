//! Reconcilers: no input, a timer and a poke, idempotent; at any time only one replica runs each.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::{
    clock::SharedClock,
    fault::chain,
    store::{Lease, Store, StoreResult},
};

/// Compares how things are with how they should be, and does or files what is missing.
#[async_trait]
pub trait Reconciler: Send + Sync {
    /// Its name: also the name of its lease.
    fn name(&self) -> &'static str;
    /// How often it looks without being poked.
    fn interval(&self) -> Duration;
    /// Looks once. What it writes is fenced by `lease`.
    ///
    /// # Errors
    /// Whatever went wrong; it is logged, and the next look tries again.
    async fn look(&self, lease: &Lease) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;
    /// What else wakes it.
    fn poke(&self) -> Option<&Notify> {
        None
    }
}

/// Longest time of one look.
const LOOK_LIMIT: Duration = Duration::from_mins(2);
/// How long another replica waits after this one died.
const LEASE: Duration = Duration::from_secs(150);

/// Runs a reconciler until `stop`, whenever this process has its lease.
pub async fn reconcile(
    reconciler: Arc<dyn Reconciler>,
    store: Store,
    clock: SharedClock,
    owner: String,
    stop: CancellationToken,
) {
    let mut held: Option<Lease> = None;
    loop {
        match take(&store, reconciler.name(), &owner).await {
            Ok(lease) => {
                held = lease;
                if let Some(lease) = &held {
                    look(reconciler.as_ref(), lease).await;
                }
            }
            Err(error) => warn!(reconciler = reconciler.name(), error = chain(&error), "no lease; trying again"),
        }
        let poked = async {
            match reconciler.poke() {
                Some(notify) => notify.notified().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = clock.sleep(reconciler.interval()) => {}
            () = poked => {}
            () = stop.cancelled() => break,
        }
    }
    if let Some(lease) = held {
        let given_back = async {
            let mut tx = store.write().await?;
            tx.drop_lease(&lease).await?;
            tx.commit().await
        };
        if let Err(error) = given_back.await {
            debug!(error = chain(&error), "the lease runs out by itself");
        }
    }
}

async fn look(reconciler: &dyn Reconciler, lease: &Lease) {
    match tokio::time::timeout(LOOK_LIMIT, reconciler.look(lease)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => warn!(reconciler = reconciler.name(), error = chain(error.as_ref()), "looking failed"),
        Err(_) => warn!(reconciler = reconciler.name(), limit_s = LOOK_LIMIT.as_secs(), "looking took too long"),
    }
}

async fn take(store: &Store, role: &str, owner: &str) -> StoreResult<Option<Lease>> {
    let mut tx = store.write().await?;
    let lease = tx.take_lease(role, owner, LEASE).await?;
    tx.commit().await?;
    Ok(lease)
}
