//! Whom to leave alone for now: because Telegram said so (429), or because calls fail.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use rackhand_core::units::Timestamp;

use super::pace::is_group;

/// The chat number that stands for all chats.
pub(super) const ALL: i64 = 0;

/// 429s of different chats within this time are no matter of one chat.
const TOGETHER: Duration = Duration::from_secs(1);
/// Telegram does not say what its limit of a private chat looks back on; it forgives within seconds.
const LOOKS_BACK: Duration = Duration::from_secs(5);
const MINUTE: Duration = Duration::from_mins(1);
/// So many calls to a group within a minute may be too many for Telegram, although 20 are allowed.
const MANY_IN_GROUP: usize = 10;
/// The first wait after a call without an answer, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(2), Duration::from_mins(1));
/// Chats of which nothing is known any more are forgotten beyond this many.
const MANY_CHATS: usize = 1000;

/// What is known of the chats' moods.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    until: HashMap<i64, Timestamp>,
    failures: HashMap<i64, u32>,
    refused: VecDeque<(Timestamp, i64)>,
    calls: HashMap<i64, VecDeque<Timestamp>>,
}

impl Quiet {
    /// Until when a chat is left alone; none when it may be called.
    pub(super) fn until(&self, chat: i64, now: Timestamp) -> Option<Timestamp> {
        [ALL, chat].iter().filter_map(|chat| self.until.get(chat)).max().filter(|until| **until > now).copied()
    }

    /// Leaves a chat, or [`ALL`], alone until then, or longer where that was said before.
    pub(super) fn hold(&mut self, chat: i64, until: Timestamp) {
        let known = self.until.entry(chat).or_insert(until);
        *known = until.max(*known);
    }

    /// Notes that a call goes out.
    pub(super) fn calling(&mut self, chat: i64, now: Timestamp) {
        let calls = self.calls.entry(chat).or_default();
        calls.push_back(now);
        while calls.front().is_some_and(|call| now.since(*call) > MINUTE) {
            calls.pop_front();
        }
        if self.calls.len() > MANY_CHATS {
            self.calls.retain(|_, calls| calls.back().is_some_and(|call| now.since(*call) <= MINUTE));
            self.until.retain(|_, until| *until > now);
            self.failures.retain(|chat, _| self.until.contains_key(chat));
        }
    }

    /// A call was answered with a 429. Says who is left alone from now on: the chat, or [`ALL`] where this chat alone can
    /// hardly be the reason. Telegram does not tell, and to take the limit of all for one chat's would be the worse error.
    pub(super) fn refused(&mut self, chat: i64, wait: Duration, now: Timestamp) -> i64 {
        self.refused.push_back((now, chat));
        while self.refused.front().is_some_and(|(at, _)| now.since(*at) > TOGETHER) {
            self.refused.pop_front();
        }
        let others = self.refused.iter().any(|(_, other)| *other != chat);
        let scope = if others || !self.may_be_full(chat, now) { ALL } else { chat };
        self.hold(scope, now.plus(wait));
        scope
    }

    /// A call got no answer. Leaves the chat alone for a while, longer each time, and says how long and how often.
    pub(super) fn failed(&mut self, chat: i64, now: Timestamp) -> Duration {
        let times = self.failures.entry(chat).or_default();
        *times += 1;
        let wait = backoff(i64::from(*times));
        self.hold(chat, now.plus(wait));
        wait
    }

    /// A call was answered.
    pub(super) fn answered(&mut self, chat: i64) {
        self.failures.remove(&chat);
    }

    /// Whether the calls to this chat, the last one left out, were so many that its own limit may be reached.
    fn may_be_full(&self, chat: i64, now: Timestamp) -> bool {
        let Some(calls) = self.calls.get(&chat) else { return false };
        let before = calls.len().saturating_sub(1);
        let lately = calls.iter().take(before).any(|call| now.since(*call) <= LOOKS_BACK);
        lately || (is_group(chat) && before >= MANY_IN_GROUP)
    }
}

/// The wait after so many failures in a row: 2 s, 4 s, … a minute.
pub(super) fn backoff(times: i64) -> Duration {
    let doublings = u32::try_from(times.clamp(1, 10) - 1).unwrap_or_default();
    (BACKOFF.0 * 2_u32.pow(doublings)).min(BACKOFF.1)
}
