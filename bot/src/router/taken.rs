//! What was taken from the messenger: handled one after another in each chat, several chats at once, and acknowledged
//! only once all before it is handled, so that nothing is lost with this process.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rackhand_core::fault::{Fault, chain};
use tokio::{
    sync::Semaphore,
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::{
    Router,
    poll::{rest, wait},
};
use crate::messenger::{Incoming, Kind, UpdateId};

/// Chats that are answered at the same time.
const AT_ONCE: usize = 32;
/// The most that is taken and not acknowledged: as much as Telegram tells at once.
const MOST: usize = 100;
/// Tries with an update that fails for another reason than something being away.
const TRIES: u32 = 3;

/// What was taken and is not acknowledged yet.
pub(super) struct Taken {
    hands: Arc<Hands>,
    /// One for each chat that is at work.
    chats: JoinSet<()>,
    acknowledged: Option<UpdateId>,
}

/// What the chats at work share.
struct Hands {
    router: Arc<Router>,
    stop: CancellationToken,
    places: Semaphore,
    ledger: Mutex<Ledger>,
}

#[derive(Default)]
struct Ledger {
    /// Whether each update is handled.
    known: BTreeMap<UpdateId, bool>,
    /// For each chat at work, what comes after what it is at.
    waiting: HashMap<i64, VecDeque<Incoming>>,
}

impl Taken {
    pub fn new(router: Arc<Router>, stop: CancellationToken) -> Self {
        let hands = Hands { router, stop, places: Semaphore::new(AT_ONCE), ledger: Mutex::default() };
        Self { hands: Arc::new(hands), chats: JoinSet::new(), acknowledged: None }
    }

    /// Takes what came; what is known is passed over.
    pub fn take(&mut self, updates: Vec<Incoming>) {
        let mut ledger = self.hands.ledger();
        for incoming in updates {
            if ledger.known.contains_key(&incoming.update) {
                continue;
            }
            ledger.known.insert(incoming.update, false);
            let chat = chat_of(&incoming);
            let at_work = ledger.waiting.contains_key(&chat);
            ledger.waiting.entry(chat).or_default().push_back(incoming);
            if !at_work {
                self.chats.spawn(self.hands.clone().work(chat));
            }
        }
    }

    /// All up to this is handled.
    pub fn handled(&mut self) -> Option<UpdateId> {
        let mut ledger = self.hands.ledger();
        while let Some(first) = ledger.known.first_entry().filter(|first| *first.get()) {
            self.acknowledged = self.acknowledged.max(Some(*first.key()));
            first.remove();
        }
        self.acknowledged
    }

    /// Whether nothing more is to be taken for now.
    pub fn is_full(&self) -> bool {
        self.hands.ledger().known.len() >= MOST
    }

    /// Waits until all that was taken is handled, but no longer than this, and not beyond the stop.
    pub async fn settle(&mut self, span: Duration) {
        let hands = self.hands.clone();
        tokio::select! {
            () = self.finish() => {}
            () = rest(&hands.router.ops.clock, span, &hands.stop) => {}
        }
    }

    /// Waits until all that was taken is handled; after the stop, until each chat at work has let go.
    pub async fn finish(&mut self) {
        while let Some(ended) = self.chats.join_next().await {
            if let Err(Ok(panic)) = ended.map_err(JoinError::try_into_panic) {
                std::panic::resume_unwind(panic);
            }
        }
    }

    /// Another turn begins: what is not handled comes again, and numbers may begin anew.
    pub fn forget(&mut self) {
        let mut ledger = self.hands.ledger();
        ledger.known.clear();
        ledger.waiting.values_mut().for_each(VecDeque::clear);
        self.acknowledged = None;
    }
}

impl Hands {
    /// Handles what waits in a chat, in its order, until nothing does.
    async fn work(self: Arc<Self>, chat: i64) {
        while let Some(incoming) = self.next(chat) {
            let update = incoming.update;
            let Ok(_place) = self.places.acquire().await else { return };
            if self.stop.is_cancelled() || !self.router.handle_surely(incoming, &self.stop).await {
                return;
            }
            if let Some(handled) = self.ledger().known.get_mut(&update) {
                *handled = true;
            }
        }
    }

    /// What is next in a chat; where nothing is, the chat is no longer at work.
    fn next(&self, chat: i64) -> Option<Incoming> {
        let mut ledger = self.ledger();
        let next = ledger.waiting.get_mut(&chat).and_then(VecDeque::pop_front);
        if next.is_none() {
            ledger.waiting.remove(&chat);
        }
        next
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Router {
    /// Handles one update, again and again while something is away; `false` when stopped meanwhile.
    async fn handle_surely(&self, incoming: Incoming, stop: &CancellationToken) -> bool {
        let mut tries = 0;
        loop {
            let Err(problem) = self.handle(incoming.clone()).await else { return true };
            if stop.is_cancelled() {
                return false;
            }
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

fn chat_of(incoming: &Incoming) -> i64 {
    match &incoming.kind {
        Kind::Text { origin, .. } | Kind::Press { origin, .. } | Kind::Unreadable { origin: Some(origin) } => {
            origin.chat.0
        }
        Kind::Unreadable { origin: None } => 0,
    }
}
