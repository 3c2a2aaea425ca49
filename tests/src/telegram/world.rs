//! All that this Telegram knows, and how a call passes through it.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use rackhand_core::{clock::SharedClock, units::Timestamp};
use serde_json::{Value, json};

use super::{
    args::{Args, Refusal},
    chats::Chats,
    faults::{Fault, Faults, When},
    limits::{Limits, Patience, Visit},
    updates::Queue,
};

/// The log of calls keeps this many.
const MOST_CALLS: usize = 100_000;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has not ended yet: a long poll, or a delay.
    Open,
    /// An answer with this HTTP status.
    Answered(u16),
    /// The connection was broken.
    Dropped,
}

/// A call of the bot.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it came.
    pub at: Timestamp,
    /// The method, in lower case.
    pub method: String,
    /// The chat it names.
    pub chat: Option<i64>,
    /// Its arguments, without uploaded files.
    pub args: Value,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it took effect.
    pub effect: bool,
}

/// A press of a button, as the bot must answer it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The words shown to who pressed.
    pub text: Option<String>,
    /// Whether they stand in a window of their own.
    pub alert: bool,
}

/// Command lists by scope and language.
pub(super) type Commands = BTreeMap<(String, String), Vec<(String, String)>>;

#[derive(Debug)]
pub(super) struct World {
    pub(super) clock: SharedClock,
    pub(super) token: String,
    pub(super) username: String,
    pub(super) chats: Chats,
    pub(super) queue: Queue,
    /// Each press, and its answer once it was given.
    pub(super) presses: BTreeMap<String, Option<Answer>>,
    pub(super) commands: Commands,
    pub(super) faults: Faults,
    pub(super) patience: Patience,
    pub(super) limits: Option<Limits>,
    pub(super) calls: VecDeque<Call>,
    /// Whether anybody gets an answer at all.
    pub(super) reachable: bool,
    first_call: usize,
}

/// What happens to a call on its way in.
#[derive(Debug)]
pub(super) enum Admission {
    /// It is carried out, after a while; what its sender then sees may be a fault.
    Pass { delay: Option<Duration>, fault: Option<Fault> },
    /// It is turned down.
    Refuse(Refusal),
    /// It fails without effect.
    Fail(Fault),
}

impl World {
    pub(super) fn new(clock: SharedClock, token: String) -> Self {
        Self {
            clock,
            token,
            username: "rackhand_test_bot".to_owned(),
            chats: Chats::default(),
            queue: Queue::new(),
            presses: BTreeMap::new(),
            commands: Commands::new(),
            faults: Faults::default(),
            patience: Patience::default(),
            limits: None,
            calls: VecDeque::new(),
            reachable: true,
            first_call: 0,
        }
    }

    pub(super) fn bot_id(&self) -> i64 {
        self.token.split(':').next().and_then(|id| id.parse().ok()).unwrap_or(0)
    }

    pub(super) fn bot_json(&self) -> Value {
        json!({"id": self.bot_id(), "is_bot": true, "first_name": "Rackhand", "username": self.username})
    }

    /// Notes a call. Answers its place in the log.
    pub(super) fn note(&mut self, method: &str, args: &Args) -> usize {
        self.calls.push_back(Call {
            at: self.clock.now(),
            method: method.to_owned(),
            chat: args.chat(),
            args: Value::Object(args.map.clone()),
            outcome: Outcome::Open,
            effect: false,
        });
        if self.calls.len() > MOST_CALLS {
            self.calls.pop_front();
            self.first_call += 1;
        }
        self.first_call + self.calls.len() - 1
    }

    /// Notes how a call ended.
    pub(super) fn noted(&mut self, place: usize) -> Option<&mut Call> {
        place.checked_sub(self.first_call).and_then(|index| self.calls.get_mut(index))
    }

    /// Decides what happens to a call: an earlier 429 first, then faults, then limits.
    pub(super) fn admit(&mut self, method: &str, args: &Args) -> Admission {
        let payload = format!("{method} {}", Value::Object(args.map.clone()));
        let visit = Visit { at: self.clock.now(), method, chat: args.chat(), payload: &payload };
        if let Some(seconds) = self.patience.check(&visit) {
            return Admission::Refuse(Refusal::too_many(seconds));
        }
        let fault = self.faults.next(method);
        match fault {
            Some(Fault::TooMany(seconds)) => {
                self.patience.hold(visit.scope(), &visit, seconds);
                return Admission::Refuse(Refusal::too_many(seconds));
            }
            Some(Fault::Refuse { code, description }) => return Admission::Refuse(Refusal::new(code, description)),
            Some(
                fault @ (Fault::ServerError(When::Before) | Fault::Drop(When::Before) | Fault::Garbage(When::Before)),
            ) => return Admission::Fail(fault),
            _ => {}
        }
        let is_group = visit.chat.and_then(|id| self.chats.by_id.get(&id)).is_some_and(super::chats::Chat::is_group);
        if let Some(Err((scope, seconds))) = self.limits.as_mut().map(|limits| limits.take(&visit, is_group)) {
            self.patience.hold(scope, &visit, seconds);
            return Admission::Refuse(Refusal::too_many(seconds));
        }
        match fault {
            Some(Fault::Delay(delay)) => Admission::Pass { delay: Some(delay), fault: None },
            fault => Admission::Pass { delay: None, fault },
        }
    }
}
