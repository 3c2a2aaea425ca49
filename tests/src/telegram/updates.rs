//! The queue of updates for the bot.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::args::{Args, Refusal};

/// Updates that were not acknowledged are kept up to this many; the real server keeps them for 24 hours.
const MOST_KEPT: usize = 100_000;

#[derive(Debug)]
pub(super) struct Queue {
    next: i64,
    waiting: BTreeMap<i64, Value>,
    /// All that was ever pushed, to be delivered again when a test asks.
    history: BTreeMap<i64, Value>,
    again: VecDeque<Value>,
    allowed: Option<Vec<String>>,
    /// Grows with each getUpdates: an older one that still waits is told to go.
    pub(super) poller: u64,
    pub(super) webhook: Option<String>,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            next: 700_001,
            waiting: BTreeMap::new(),
            history: BTreeMap::new(),
            again: VecDeque::new(),
            allowed: None,
            poller: 0,
            webhook: None,
        }
    }

    /// Puts an update of this kind in the queue, unless the bot did not ask for such.
    pub(super) fn push(&mut self, kind: &str, body: &Value) -> i64 {
        let id = self.next;
        self.next += 1;
        let update = json!({"update_id": id, kind: body});
        let wanted = self.allowed.as_ref().is_none_or(|allowed| allowed.iter().any(|name| name == kind));
        if wanted {
            self.waiting.insert(id, update.clone());
        }
        self.history.insert(id, update);
        if self.history.len() > MOST_KEPT {
            self.history.pop_first();
        }
        if self.waiting.len() > MOST_KEPT {
            self.waiting.pop_first();
        }
        id
    }

    /// Delivers an update once more, whatever was acknowledged.
    pub(super) fn repeat(&mut self, id: i64) -> bool {
        let Some(update) = self.history.get(&id) else { return false };
        self.again.push_back(update.clone());
        true
    }

    /// How many updates the bot has not acknowledged.
    pub(super) fn unread(&self) -> usize {
        self.waiting.len() + self.again.len()
    }

    /// A getUpdates arrives: it acknowledges, and takes the place of an older one. Answers its number.
    pub(super) fn arrive(&mut self, args: &Args) -> Result<u64, Refusal> {
        if self.webhook.as_deref().is_some_and(|url| !url.is_empty()) {
            return Err(Refusal::new(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
            ));
        }
        self.allow(args)?;
        match args.int("offset").unwrap_or(0) {
            offset if offset > 0 => self.waiting = self.waiting.split_off(&offset),
            offset if offset < 0 => {
                let keep = usize::try_from(-offset).unwrap_or(usize::MAX);
                while self.waiting.len() > keep {
                    self.waiting.pop_first();
                }
            }
            _ => {}
        }
        self.poller += 1;
        Ok(self.poller)
    }

    /// Remembers which kinds of updates the bot wants; a call that does not say leaves it as it was.
    pub(super) fn allow(&mut self, args: &Args) -> Result<(), Refusal> {
        if let Some(Value::Array(kinds)) = args.nested("allowed_updates")? {
            let names: Vec<String> = kinds.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
            self.allowed = if names.is_empty() { None } else { Some(names) };
        }
        Ok(())
    }

    /// What poller number `poller` gets now: `None` while there is nothing.
    pub(super) fn take(&mut self, poller: u64, limit: Option<i64>) -> Result<Option<Vec<Value>>, Refusal> {
        if poller != self.poller {
            return Err(Refusal::new(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            ));
        }
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(100).clamp(1, 100);
        let mut batch: Vec<Value> = self.again.drain(..self.again.len().min(limit)).collect();
        batch.extend(self.waiting.values().take(limit - batch.len()).cloned());
        Ok(if batch.is_empty() { None } else { Some(batch) })
    }
}
