//! Whose turn it is: the chats with something due, most urgent first, one turn of a chat at a time.

use std::{collections::HashMap, sync::Arc, time::Duration};

use rackhand_core::{
    fault::chain,
    store::{Due, StoreResult},
    units::Timestamp,
};
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::turn::{Desk, Ended, turn};

/// Chats at once.
const MOST_TURNS: usize = 16;
/// How often to look for messages that other processes wrote.
const POLL: Duration = Duration::from_secs(1);
/// How long turns may go on after a stop was asked for.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// Gives chats their turns until `stop`, and then lets those that are under way end.
pub(super) async fn serve(desk: &Arc<Desk>, stop: &CancellationToken) {
    let mut queue = Queue::new(desk.clone());
    while !stop.is_cancelled() {
        queue.refresh().await;
        let wait = queue.start_turns();
        tokio::select! {
            () = stop.cancelled() => {}
            () = desk.store.pokes().outbox.notified() => queue.stale = true,
            Some(ended) = queue.turns.join_next_with_id() => queue.ended(ended),
            () = desk.clock.sleep(wait) => {}
        }
    }
    let rest = async { while queue.turns.join_next().await.is_some() {} };
    tokio::select! {
        () = rest => {}
        () = desk.clock.sleep(STOP_GRACE) => warn!("messages in flight are broken off; they may come again"),
    }
}

struct Queue {
    desk: Arc<Desk>,
    /// The chats with something due, most urgent first. Also those that have their turn just now, if they were found due
    /// meanwhile.
    due: Vec<Due>,
    /// Whether the database may know better.
    stale: bool,
    /// When to ask it in any case.
    ask_at: Timestamp,
    turns: JoinSet<Ended>,
    busy: HashMap<Id, i64>,
}

impl Queue {
    fn new(desk: Arc<Desk>) -> Self {
        let ask_at = desk.clock.now();
        Self { desk, due: Vec::new(), stale: true, ask_at, turns: JoinSet::new(), busy: HashMap::new() }
    }

    /// Asks the database who has something due, where that may have changed.
    async fn refresh(&mut self) {
        let now = self.desk.clock.now();
        if !self.stale && now < self.ask_at {
            return;
        }
        match ask(&self.desk, now).await {
            Ok((due, next)) => {
                self.due = due;
                self.stale = false;
                self.ask_at = next.map_or(now.plus(POLL), |next| next.min(now.plus(POLL)));
            }
            Err(error) => {
                warn!(error = chain(&error), "the outbox cannot be read; trying again");
                self.ask_at = now.plus(POLL);
            }
        }
    }

    /// Starts what may be started. Answers how long until there may be more.
    fn start_turns(&mut self) -> Duration {
        let mut wait = self.ask_at.since(self.desk.clock.now());
        let mut left = Vec::new();
        for due in std::mem::take(&mut self.due) {
            if self.turns.len() >= MOST_TURNS || self.busy.values().any(|chat| *chat == due.chat) {
                left.push(due);
                continue;
            }
            match self.desk.pace.take_turn(due.chat) {
                Ok(()) => {
                    let task = self.turns.spawn(turn(self.desk.clone(), due.chat));
                    self.busy.insert(task.id(), due.chat);
                }
                Err(until) => {
                    wait = wait.min(until);
                    left.push(due);
                }
            }
        }
        self.due = left;
        wait.max(Duration::from_millis(1))
    }

    fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let (id, ended) = match ended {
            Ok((id, ended)) => (id, ended),
            Err(panic) => {
                error!(%panic, "a turn of the outbox died");
                (panic.id(), Ended::Ask)
            }
        };
        let Some(chat) = self.busy.remove(&id) else { return };
        // What was found due while the turn went on may be what it has just sent.
        let found_meanwhile = self.due.iter().any(|due| due.chat == chat);
        match ended {
            Ended::Sent { next } if !found_meanwhile => {
                let Some(next) = next else { return };
                let key = |due: &Due| (due.rank, due.since, due.chat);
                let place = self.due.partition_point(|due| key(due) < key(&next));
                self.due.insert(place, next);
            }
            Ended::Sent { .. } | Ended::Ask => self.stale = true,
        }
    }
}

async fn ask(desk: &Desk, now: Timestamp) -> StoreResult<(Vec<Due>, Option<Timestamp>)> {
    let mut tx = desk.store.read().await?;
    let mut due = tx.chats_due(now).await?;
    due.retain(|due| desk.chats.serves(due.chat));
    Ok((due, tx.next_mail(now).await?))
}
