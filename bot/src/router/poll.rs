//! The loop that takes what comes in, on one replica at a time; it goes on taking while chats are at work.

use std::{sync::Arc, time::Duration};

use rackhand_core::{
    clock::SharedClock,
    fault::chain,
    store::{Lease, Store},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{Router, taken::Taken};
use crate::messenger::SendError;

/// The role that only the polling replica has.
const ROLE: &str = "telegram";
/// A poll takes at most 15 s, and the next one follows within [`PACE`]. So long nobody listens after a crash.
const LEASE: Duration = Duration::from_secs(20);
/// So long is waited for what a poll brought before the next one: Telegram tells at once again what is not acknowledged.
const PACE: Duration = Duration::from_secs(1);
/// Between two looks of a replica that stands by.
const STAND_BY: Duration = Duration::from_secs(3);
/// After another program took our poll, or Telegram refused the token: a person has to act.
const TROUBLE: Duration = Duration::from_secs(30);
/// The longest wait between two tries while Telegram, or our database, is away.
const MOST_WAIT: Duration = Duration::from_secs(30);

/// How the loop polls.
#[derive(Clone, Debug)]
pub struct Polling {
    /// The replica's name for the lease; none where nobody else can poll, as in a terminal.
    pub owner: Option<String>,
}

/// Takes what comes in until `stop`, or until the person at the terminal has left. What was handed out and not handled
/// comes again, to this replica or another. Call it once for a router.
pub async fn poll(router: Arc<Router>, polling: Polling, stop: CancellationToken) {
    let clock = router.ops.clock.clone();
    let store = router.ops.store.clone();
    // A router that is stopped already by another keeps to that one.
    let _ = router.stop.set(stop.clone());
    let mut taken = Taken::new(router.clone(), stop.clone());
    let mut lease = None;
    let mut failures = 0;
    let mut greeted = false;
    while !stop.is_cancelled() {
        if let Some(owner) = &polling.owner {
            let was_ours = lease.is_some();
            lease = take(&store, owner).await;
            if lease.is_none() {
                // Telegram says again what nobody acknowledged, so a new turn begins without a number of ours: numbers
                // may begin anew at Telegram, and a number that is too high would hide what waits.
                taken.forget();
                if was_ours {
                    warn!("another replica polls now");
                }
                rest(&clock, STAND_BY, &stop).await;
                continue;
            }
        }
        if !greeted {
            router.set_menus().await;
            greeted = true;
        }
        let handled = taken.handled();
        if taken.is_full() {
            taken.settle(PACE).await;
            continue;
        }
        let updates = tokio::select! {
            updates = router.messenger.updates(handled) => updates,
            () = stop.cancelled() => break,
        };
        match updates {
            Ok(updates) => {
                failures = 0;
                taken.take(updates);
                taken.settle(PACE).await;
            }
            Err(SendError::Left) => break,
            Err(problem) => {
                failures += 1;
                rest(&clock, after_failure(&problem, failures), &stop).await;
            }
        }
    }
    taken.finish().await;
    if let Some(lease) = lease {
        give_back(&store, &lease).await;
    }
}

/// Says what is wrong, and how long to wait before the next poll.
fn after_failure(problem: &SendError, failures: u32) -> Duration {
    match problem {
        SendError::TooMany { retry_after } => *retry_after,
        SendError::Conflict { .. } | SendError::Unauthorized => {
            error!(error = chain(problem), "nothing that people write is received");
            TROUBLE
        }
        _ => {
            warn!(error = chain(problem), failures, "Telegram could not be asked for updates");
            wait(failures)
        }
    }
}

/// 1 s, 2 s, 4 s, … at most [`MOST_WAIT`].
pub(super) fn wait(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.saturating_sub(1).min(5)).min(MOST_WAIT)
}

pub(super) async fn rest(clock: &SharedClock, span: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = clock.sleep(span) => {}
        () = stop.cancelled() => {}
    }
}

async fn take(store: &Store, owner: &str) -> Option<Lease> {
    let taken = async {
        let mut tx = store.write().await?;
        let lease = tx.take_lease(ROLE, owner, LEASE).await?;
        tx.commit().await?;
        Ok::<_, rackhand_core::store::StoreError>(lease)
    };
    taken.await.unwrap_or_else(|problem| {
        warn!(error = chain(&problem), "whether this replica may poll is not known");
        None
    })
}

async fn give_back(store: &Store, lease: &Lease) {
    let given = async {
        let mut tx = store.write().await?;
        tx.drop_lease(lease).await?;
        tx.commit().await
    };
    match given.await {
        Ok(()) => info!("another replica may poll now"),
        Err(problem) => warn!(error = chain(&problem), "the right to poll runs out by itself"),
    }
}
