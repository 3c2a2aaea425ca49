//! The lease `outbox` (or, for a terminal, one of its own): who holds it sends.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use rackhand_core::{
    clock::SharedClock,
    fault::chain,
    store::{Lease, Store, StoreError, StoreResult, Tx},
    units::Timestamp,
};
use tokio::sync::Notify;
use tracing::{debug, warn};

/// The lease while it is held.
pub(super) struct Held {
    store: Store,
    clock: SharedClock,
    role: &'static str,
    owner: String,
    span: Duration,
    lease: Lease,
    /// Until when this process trusts it without asking: before others may take it.
    trusted_until: AtomicI64,
    lost: Notify,
}

impl Held {
    /// Takes the lease; none while another replica holds it.
    pub(super) async fn take(
        store: &Store,
        clock: &SharedClock,
        role: &'static str,
        owner: &str,
        span: Duration,
    ) -> StoreResult<Option<Self>> {
        let asked = clock.now();
        let Some(lease) = ask(store, role, owner, span).await? else { return Ok(None) };
        let trusted_until = AtomicI64::new(trusted(asked, span).0);
        let (store, clock, owner) = (store.clone(), clock.clone(), owner.to_owned());
        Ok(Some(Self { store, clock, role, owner, span, lease, trusted_until, lost: Notify::new() }))
    }

    /// Whether a call may still be made. A process that was frozen finds here that its time is over.
    pub(super) fn is_trusted(&self) -> bool {
        self.clock.now().0 < self.trusted_until.load(Ordering::Acquire)
    }

    /// Proves within `tx` that nobody else has taken it.
    pub(super) async fn fence(&self, tx: &mut Tx) -> StoreResult<()> {
        let fenced = tx.fence_lease(&self.lease).await;
        if let Err(StoreError::LeaseLost(_)) = fenced {
            self.trusted_until.store(0, Ordering::Release);
            self.lost.notify_one();
        }
        fenced
    }

    /// Prolongs it; returns once it is lost.
    pub(super) async fn keep(&self) {
        let mut wait = self.span / 3;
        loop {
            tokio::select! {
                () = self.clock.sleep(wait) => {}
                () = self.lost.notified() => return,
            }
            let asked = self.clock.now();
            match ask(&self.store, self.role, &self.owner, self.span).await {
                Ok(Some(lease)) if lease == self.lease => {
                    self.trusted_until.store(trusted(asked, self.span).0, Ordering::Release);
                    wait = self.span / 3;
                }
                Ok(_) => return,
                Err(error) if self.is_trusted() => {
                    debug!(error = chain(&error), "the outbox's lease could not be prolonged; trying again");
                    wait = self.span / 10;
                }
                Err(error) => {
                    warn!(error = chain(&error), "the outbox's lease could not be prolonged");
                    return;
                }
            }
        }
    }

    /// Lets another replica have it at once.
    pub(super) async fn give_back(&self) {
        let given = async {
            let mut tx = self.store.write().await?;
            tx.drop_lease(&self.lease).await?;
            tx.commit().await
        };
        if let Err(error) = given.await {
            debug!(error = chain(&error), "the outbox's lease runs out by itself");
        }
    }
}

async fn ask(store: &Store, role: &str, owner: &str, span: Duration) -> StoreResult<Option<Lease>> {
    let mut tx = store.write().await?;
    let lease = tx.take_lease(role, owner, span).await?;
    tx.commit().await?;
    Ok(lease)
}

/// A little less than the whole, since a call that is made now arrives a little later.
fn trusted(asked: Timestamp, span: Duration) -> Timestamp {
    asked.plus(span * 4 / 5)
}
