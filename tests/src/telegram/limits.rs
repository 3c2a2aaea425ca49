//! Telegram's limits, and a memory for 429s: who comes back before `retry_after` is over is noted.
//!
//! Telegram's FAQ ("My bot is hitting limits"): in one chat no more than one message a second, "short bursts that go
//! over this limit" may pass; in a group no more than 20 messages a minute; about 30 messages a second to all. How
//! large a burst may be is not published: 3 here. Edits are not named there, but are counted by the real server too.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use rackhand_core::units::{Timestamp, millis};

/// A chat regains one message in this time.
const CHAT_PACE: Duration = Duration::from_secs(1);
/// So many messages may go to one chat at once.
const CHAT_BURST: i64 = 3;
/// So many messages a minute may go to a group.
const GROUP_A_MINUTE: usize = 20;
/// So many messages a second may go out in all.
const ALL_A_SECOND: usize = 30;
/// A call that arrives so soon after a 429 may have been on its way before its sender could know of it.
const CROSSING: Duration = Duration::from_millis(250);

/// A call that came although a 429 had asked to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When it came.
    pub at: Timestamp,
    /// The method.
    pub method: String,
    /// The chat, if it names one.
    pub chat: Option<i64>,
    /// How much too early it was.
    pub early_by: Duration,
}

/// What a 429 holds back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// All that is paced: messages and edits.
    All,
    Chat(i64),
    Method(String),
}

/// What the limits look at.
#[derive(Clone, Debug)]
pub(super) struct Visit<'a> {
    pub(super) at: Timestamp,
    pub(super) method: &'a str,
    pub(super) chat: Option<i64>,
    /// The whole call, to know one that is repeated.
    pub(super) payload: &'a str,
}

impl Visit<'_> {
    pub(super) fn is_paced(&self) -> bool {
        self.method.starts_with("send") && self.method != "sendchataction" || self.method.starts_with("edit")
    }

    /// What a 429 for this call holds back.
    pub(super) fn scope(&self) -> Scope {
        self.chat.map_or_else(|| Scope::Method(self.method.to_owned()), Scope::Chat)
    }

    fn scopes(&self) -> Vec<Scope> {
        let all = self.is_paced().then_some(Scope::All);
        all.into_iter().chain([self.scope()]).collect()
    }
}

#[derive(Debug)]
struct Hold {
    since: Timestamp,
    until: Timestamp,
    payload: String,
}

/// The 429s whose time is not over.
#[derive(Debug, Default)]
pub(super) struct Patience {
    holds: BTreeMap<Scope, Hold>,
    pub(super) violations: Vec<Violation>,
}

impl Patience {
    /// Seconds that this call must still wait, and a note if its sender knew.
    pub(super) fn check(&mut self, visit: &Visit<'_>) -> Option<u32> {
        self.holds.retain(|_, hold| visit.at < hold.until);
        let hold = visit.scopes().into_iter().find_map(|scope| self.holds.get(&scope))?;
        let knew = visit.at >= hold.since.plus(CROSSING) || visit.payload == hold.payload;
        let left = hold.until.since(visit.at);
        if knew {
            self.violations.push(Violation {
                at: visit.at,
                method: visit.method.to_owned(),
                chat: visit.chat,
                early_by: left,
            });
        }
        Some(whole_seconds(left))
    }

    /// A 429 goes out.
    pub(super) fn hold(&mut self, scope: Scope, visit: &Visit<'_>, seconds: u32) {
        let until = visit.at.plus(Duration::from_secs(u64::from(seconds)));
        self.holds.insert(scope, Hold { since: visit.at, until, payload: visit.payload.to_owned() });
    }
}

/// The real limits.
#[derive(Debug, Default)]
pub(super) struct Limits {
    /// For each private chat the moment at which its bucket is (or was) full, by the "virtual scheduling" algorithm.
    full_at: BTreeMap<i64, Timestamp>,
    groups: BTreeMap<i64, VecDeque<Timestamp>>,
    all: VecDeque<Timestamp>,
}

impl Limits {
    /// Counts one message, or says what is held back, and for how many seconds.
    pub(super) fn take(&mut self, visit: &Visit<'_>, is_group: bool) -> Result<(), (Scope, u32)> {
        let Some(chat) = visit.chat.filter(|_| visit.is_paced()) else { return Ok(()) };
        let of_all = window(&mut self.all, visit.at, Duration::from_secs(1), ALL_A_SECOND);
        of_all.map_err(|wait| (Scope::All, whole_seconds(wait)))?;
        let of_chat = if is_group { self.group(chat, visit.at) } else { self.private(chat, visit.at) };
        of_chat.map_err(|wait| (Scope::Chat(chat), whole_seconds(wait)))?;
        self.all.push_back(visit.at);
        Ok(())
    }

    fn private(&mut self, chat: i64, at: Timestamp) -> Result<(), Duration> {
        let full_at = self.full_at.get(&chat).copied().unwrap_or(at).max(at).plus(CHAT_PACE);
        let most = millis(CHAT_PACE) * CHAT_BURST;
        let debt = full_at.0 - at.0;
        if debt > most {
            return Err(Duration::from_millis(u64::try_from(debt - most).unwrap_or(0)));
        }
        self.full_at.insert(chat, full_at);
        Ok(())
    }

    fn group(&mut self, chat: i64, at: Timestamp) -> Result<(), Duration> {
        let sent = self.groups.entry(chat).or_default();
        window(sent, at, Duration::from_mins(1), GROUP_A_MINUTE)?;
        sent.push_back(at);
        Ok(())
    }
}

/// Whether one more fits among the `most` of the last `span`; otherwise how long until it does.
fn window(sent: &mut VecDeque<Timestamp>, at: Timestamp, span: Duration, most: usize) -> Result<(), Duration> {
    while sent.front().is_some_and(|first| at >= first.plus(span)) {
        sent.pop_front();
    }
    match sent.front() {
        Some(first) if sent.len() >= most => Err(first.plus(span).since(at)),
        _ => Ok(()),
    }
}

fn whole_seconds(span: Duration) -> u32 {
    u32::try_from(span.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
}
