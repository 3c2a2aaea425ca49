//! Delivers the outbox: most urgent first, within Telegram's limits and each person's hourly budget, nothing lost.
//!
//! Any number of replicas may run a [`Sender`]; the one that holds the lease `outbox` sends. A chat has one message in
//! flight, several chats go on at once (`queue`). A turn (`turn`) takes the most urgent message of a chat, makes one
//! call and records what came of it, so that a crash repeats at most the call that was under way. It words nothing
//! ([`Render`]) and decides nothing about who is told what.

mod digest;
mod lease;
mod pace;
mod parts;
mod queue;
mod quiet;
mod render;
mod turn;

use std::{fmt, sync::Arc, time::Duration};

use rackhand_core::{clock::SharedClock, fault::chain, store::Store};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use self::render::{Render, RenderError};
use self::{lease::Held, pace::Pace};
use crate::messenger::Messenger;

/// How long another replica waits after this one died.
const LEASE: Duration = Duration::from_secs(15);
/// Until a lease or a database that could not be had is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// How much may be sent. Telegram's own limits are from its FAQ, "My bot is hitting limits".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budgets {
    /// Calls a second in all: edits count too.
    pub per_second: u32,
    /// Calls a second to one chat.
    pub chat_per_second: u32,
    /// Calls a minute to one group.
    pub group_per_minute: u32,
    /// Messages an hour to one person (`NOTIFICATION_RATE_LIMIT`) before they are folded into a digest. Critical ones,
    /// replies, edits and the digest itself are not counted.
    pub person_per_hour: u32,
}

impl Default for Budgets {
    /// Telegram's limits, and ten an hour.
    fn default() -> Self {
        Self { per_second: 30, chat_per_second: 1, group_per_minute: 20, person_per_hour: 10 }
    }
}

/// Which chats a sender serves. A terminal knows nobody of Telegram's, and Telegram nobody at a terminal: each would
/// take the other's chats for closed ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chats {
    /// Telegram's: everything but the terminal's.
    Telegram,
    /// The terminal's own.
    Terminal,
}

/// The chat of whoever sits at the terminal. Telegram's people have positive numbers, and its groups end far below.
pub const TERMINAL_CHAT: i64 = -1;

impl Chats {
    fn serves(self, chat: i64) -> bool {
        (chat == TERMINAL_CHAT) == (self == Self::Terminal)
    }

    fn role(self) -> &'static str {
        match self {
            Self::Telegram => "outbox",
            Self::Terminal => "outbox-terminal",
        }
    }
}

/// The outbox's sender.
pub struct Sender {
    store: Store,
    clock: SharedClock,
    messenger: Arc<dyn Messenger>,
    render: Arc<dyn Render>,
    budgets: Budgets,
    owner: String,
    lease: Duration,
    chats: Chats,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("owner", &self.owner).field("budgets", &self.budgets).finish_non_exhaustive()
    }
}

impl Sender {
    /// A sender in the name of `owner`, which must be unique among processes, with the default budgets.
    pub fn new(
        store: Store,
        clock: SharedClock,
        messenger: Arc<dyn Messenger>,
        render: Arc<dyn Render>,
        owner: String,
    ) -> Self {
        Self {
            store,
            clock,
            messenger,
            render,
            budgets: Budgets::default(),
            owner,
            lease: LEASE,
            chats: Chats::Telegram,
        }
    }

    /// With these budgets.
    #[must_use]
    pub fn budgets(mut self, budgets: Budgets) -> Self {
        self.budgets = budgets;
        self
    }

    /// For these chats; Telegram's unless said otherwise.
    #[must_use]
    pub fn serving(mut self, chats: Chats) -> Self {
        self.chats = chats;
        self
    }

    /// With a lease of this length: so long the others wait when this process dies.
    #[must_use]
    pub fn lease(mut self, span: Duration) -> Self {
        self.lease = span;
        self
    }

    /// Sends whenever this process holds the lease, until `stop`; then finishes what is in flight, at most for ten
    /// seconds, and gives the lease back.
    pub async fn run(&self, stop: CancellationToken) {
        let pace = Arc::new(Pace::new(self.clock.clone(), &self.budgets));
        while !stop.is_cancelled() {
            match Held::take(&self.store, &self.clock, self.chats.role(), &self.owner, self.lease).await {
                Ok(Some(held)) => self.serve(Arc::new(held), pace.clone(), &stop).await,
                Ok(None) => self.rest(self.lease / 3, &stop).await,
                Err(error) => {
                    warn!(error = chain(&error), "the outbox's lease cannot be asked for; trying again");
                    self.rest(AGAIN, &stop).await;
                }
            }
        }
    }

    async fn serve(&self, held: Arc<Held>, pace: Arc<Pace>, stop: &CancellationToken) {
        info!(owner = self.owner, "this process sends the outbox");
        let desk = Arc::new(turn::Desk {
            store: self.store.clone(),
            clock: self.clock.clone(),
            messenger: self.messenger.clone(),
            render: self.render.clone(),
            budgets: self.budgets.clone(),
            pace,
            held: held.clone(),
            chats: self.chats,
        });
        tokio::select! {
            () = queue::serve(&desk, stop) => held.give_back().await,
            // Dropping the queue breaks off what is in flight.
            () = held.keep() => {
                warn!(owner = self.owner, "the outbox's lease is lost; nothing more is sent until it is had again");
            }
        }
    }

    async fn rest(&self, span: Duration, stop: &CancellationToken) {
        tokio::select! {
            () = self.clock.sleep(span) => {}
            () = stop.cancelled() => {}
        }
    }
}
