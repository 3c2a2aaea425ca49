//! Keeps the lease while a job is worked on. Runs by real time, as the database's clock does.

use std::time::Duration;

use tokio_util::sync::{CancellationToken, DropGuard};

use crate::store::{Claim, Store, StoreError, StoreResult};

/// Tokens by which the heartbeat speaks to the job's task.
pub(super) struct Signals {
    /// The lease is gone.
    pub lost: CancellationToken,
    /// Somebody called the job off.
    pub cancel: CancellationToken,
}

/// Starts the heartbeat; it ends when the guard is dropped.
pub(super) fn start_heartbeat(store: &Store, claim: Claim, lease: Duration) -> (Signals, DropGuard) {
    let signals = Signals { lost: CancellationToken::new(), cancel: CancellationToken::new() };
    let done = CancellationToken::new();
    let (lost, cancel, over) = (signals.lost.clone(), signals.cancel.clone(), done.clone());
    let store = store.clone();
    tokio::spawn(async move {
        let beating = async {
            let mut ticks = tokio::time::interval(lease / 3);
            // The claim itself was the first beat.
            ticks.tick().await;
            let mut failures = 0;
            loop {
                ticks.tick().await;
                match beat(&store, claim, lease).await {
                    Ok(called_off) => {
                        failures = 0;
                        if called_off {
                            cancel.cancel();
                        }
                    }
                    // The second failure in a row comes when five sixths of the lease are over: time to stop.
                    Err(error) => {
                        failures += 1;
                        if failures > 1 || matches!(error, StoreError::LeaseLost(_)) {
                            return;
                        }
                    }
                }
            }
        };
        tokio::select! {
            () = over.cancelled() => {}
            () = beating => lost.cancel(),
        }
    });
    (signals, done.drop_guard())
}

async fn beat(store: &Store, claim: Claim, lease: Duration) -> StoreResult<bool> {
    let beat = async {
        let mut tx = store.write().await?;
        let called_off = tx.heartbeat(claim, lease).await?;
        tx.commit().await?;
        Ok(called_off)
    };
    tokio::time::timeout(lease / 6, beat).await.unwrap_or_else(|_| Err(StoreError::Changed("a heartbeat".into())))
}
