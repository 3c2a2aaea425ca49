//! The loop that takes what comes in: on one replica at a time, in order for each chat, several chats at once.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{StreamExt, stream};
use rackhand_core::{
    clock::SharedClock,
    fault::{Fault, chain},
    store::{Lease, Store},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{RouteError, Router};
use crate::messenger::{Incoming, Kind, SendError, UpdateId};

/// The role that only the polling replica has.
const ROLE: &str = "telegram";
/// A poll takes at most 15 s, and what it brings far less than the rest. So long nobody listens after a crash.
const LEASE: Duration = Duration::from_secs(20);
/// Between two looks of a replica that stands by.
const STAND_BY: Duration = Duration::from_secs(3);
/// After another program took our poll, or Telegram refused the token: a person has to act.
const TROUBLE: Duration = Duration::from_secs(30);
/// The longest wait between two tries while Telegram, or our database, is away.
const MOST_WAIT: Duration = Duration::from_secs(30);
/// Chats that are answered at the same time.
const AT_ONCE: usize = 8;
/// Tries with an update that fails for another reason than something being away.
const TRIES: u32 = 3;

/// How the loop polls.
#[derive(Clone, Debug)]
pub struct Polling {
    /// The replica's name for the lease; none where nobody else can poll, as in a terminal.
    pub owner: Option<String>,
}

/// Takes what comes in until `stop`, or until the person at the terminal has left. What was handed out and not handled
/// comes again, to this replica or another.
pub async fn poll(router: Arc<Router>, polling: Polling, stop: CancellationToken) {
    let clock = router.ops.clock.clone();
    let store = router.ops.store.clone();
    let mut lease = None;
    let mut after: Option<UpdateId> = None;
    let mut failures = 0;
    let mut greeted = false;
    while !stop.is_cancelled() {
        if let Some(owner) = &polling.owner {
            let was_ours = lease.is_some();
            lease = take(&store, owner).await;
            if lease.is_none() {
                // Telegram says again what nobody acknowledged, so a new turn begins without a number of ours: numbers
                // may begin anew at Telegram, and a number that is too high would hide what waits.
                after = None;
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
        let updates = tokio::select! {
            updates = router.messenger.updates(after) => updates,
            () = stop.cancelled() => break,
        };
        match updates {
            Ok(updates) => {
                failures = 0;
                let last = updates.iter().map(|incoming| incoming.update).max();
                if router.handle_all(updates, &stop).await {
                    after = last.or(after);
                }
            }
            Err(SendError::Left) => break,
            Err(problem) => {
                failures += 1;
                rest(&clock, after_failure(&problem, failures), &stop).await;
            }
        }
    }
    if let Some(lease) = lease {
        give_back(&store, &lease).await;
    }
}

impl Router {
    /// Handles a batch; `false` when it was stopped before the end, and the rest has to come again.
    async fn handle_all(&self, updates: Vec<Incoming>, stop: &CancellationToken) -> bool {
        let mut chats: BTreeMap<i64, Vec<Incoming>> = BTreeMap::new();
        for incoming in updates {
            chats.entry(chat_of(&incoming)).or_default().push(incoming);
        }
        let handled = stream::iter(chats.into_values()).map(|updates| async move {
            for incoming in updates {
                if !self.handle_surely(incoming, stop).await {
                    return false;
                }
            }
            true
        });
        handled.buffer_unordered(AT_ONCE).fold(true, |all, done| async move { all && done }).await
    }

    /// Handles one update, again and again while something is away; `false` when stopped meanwhile.
    async fn handle_surely(&self, incoming: Incoming, stop: &CancellationToken) -> bool {
        let mut tries = 0;
        loop {
            let Err(problem) = self.handle(incoming.clone()).await else { return true };
            tries += 1;
            warn!(update = incoming.update.0, tries, error = chain(&problem), "an update could not be handled");
            if !problem.kind().is_transient() && tries >= TRIES {
                error!(update = incoming.update.0, error = chain(&problem), "an update is given up");
                if self.give_up(&incoming).await.is_ok() {
                    return true;
                }
            }
            rest(&self.ops.clock, wait(tries), stop).await;
            if stop.is_cancelled() {
                return false;
            }
        }
    }
}

impl RouteError {
    fn kind(&self) -> rackhand_core::fault::FaultKind {
        Fault::kind(self)
    }
}

fn chat_of(incoming: &Incoming) -> i64 {
    match &incoming.kind {
        Kind::Text { origin, .. } | Kind::Press { origin, .. } | Kind::Unreadable { origin: Some(origin) } => {
            origin.chat.0
        }
        Kind::Unreadable { origin: None } => 0,
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
fn wait(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.saturating_sub(1).min(5)).min(MOST_WAIT)
}

async fn rest(clock: &SharedClock, span: Duration, stop: &CancellationToken) {
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
