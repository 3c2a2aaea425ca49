//! How fast calls may follow each other.
//!
//! A bucket that refills steadily lets through, within any window, its size and what it regains meanwhile. Each bucket
//! here is cut so that both together stay within the limit.

use std::{
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::{
    NotUntil, Quota, RateLimiter,
    clock::Clock as GovernorClock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed, keyed::HashMapStateStore},
};
use rackhand_core::{clock::SharedClock, units::Timestamp};

use super::{Budgets, TERMINAL_CHAT, quiet::Quiet};

type Passes = NoOpMiddleware<Duration>;
type ByChat = RateLimiter<i64, HashMapStateStore<i64>, Ticks, Passes>;

/// Chats are forgotten once their buckets are full again and there are more than this.
const MANY_CHATS: usize = 1000;

/// The limits of this process, and whom Telegram told it to leave alone.
pub(super) struct Pace {
    clock: SharedClock,
    ticks: Ticks,
    all: RateLimiter<NotKeyed, InMemoryState, Ticks, Passes>,
    /// Who waits for the limit of all waits in a line.
    line: tokio::sync::Mutex<()>,
    chats: ByChat,
    groups: ByChat,
    quiet: Mutex<Quiet>,
}

impl Pace {
    pub(super) fn new(clock: SharedClock, budgets: &Budgets) -> Self {
        let ticks = Ticks::new(clock.clone());
        Self {
            all: RateLimiter::direct_with_clock(of_all(budgets.per_second), ticks.clone()),
            chats: RateLimiter::hashmap_with_clock(of_chat(budgets.chat_per_second), ticks.clone()),
            groups: RateLimiter::hashmap_with_clock(of_group(budgets.group_per_minute), ticks.clone()),
            line: tokio::sync::Mutex::default(),
            quiet: Mutex::default(),
            clock,
            ticks,
        }
    }

    /// Takes a chat's next turn, or says how long until it may have one. The terminal has no limits of its own.
    pub(super) fn take_turn(&self, chat: i64) -> Result<(), Duration> {
        if let Some(until) = self.quiet().until(chat, self.clock.now()) {
            return Err(until.since(self.clock.now()));
        }
        if chat == TERMINAL_CHAT {
            return Ok(());
        }
        self.chats.check_key(&chat).map_err(|until| self.wait(&until))?;
        if is_group(chat) {
            self.groups.check_key(&chat).map_err(|until| self.wait(&until))?;
        }
        if self.chats.len() > MANY_CHATS {
            self.chats.retain_recent();
            self.groups.retain_recent();
        }
        Ok(())
    }

    /// Waits until one more call may be made to anybody.
    pub(super) async fn wait_for_all(&self) {
        let _place = self.line.lock().await;
        while let Err(until) = self.all.check() {
            self.clock.sleep(self.wait(&until)).await;
        }
    }

    /// Whom to leave alone, and how the last calls went.
    pub(super) fn quiet(&self) -> MutexGuard<'_, Quiet> {
        self.quiet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, until: &NotUntil<Duration>) -> Duration {
        // Sleeping less than a tick of the clock would be a busy loop.
        until.wait_time_from(GovernorClock::now(&self.ticks)).max(Duration::from_millis(1))
    }
}

/// Whether several people read this chat: Telegram gives groups negative numbers.
pub(super) fn is_group(chat: i64) -> bool {
    chat < 0 && chat != TERMINAL_CHAT
}

/// Two short of the limit: one for the bucket itself, one for calls that come closer together on their way.
fn of_all(per_second: u32) -> Quota {
    let steady = if per_second > 9 { per_second - 2 } else { per_second };
    every(Duration::from_secs(1), steady)
}

fn of_chat(per_second: u32) -> Quota {
    every(Duration::from_secs(1), per_second)
}

/// A quarter at once, the rest spread over the minute.
fn of_group(per_minute: u32) -> Quota {
    let burst = per_minute / 4;
    every(Duration::from_mins(1), per_minute - burst).allow_burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN))
}

fn every(span: Duration, times: u32) -> Quota {
    let period = (span / times.max(1)).max(Duration::from_nanos(1));
    Quota::with_period(period).unwrap_or_else(|| Quota::per_second(NonZeroU32::MIN))
}

/// Our clock for governor, which wants one that never goes back.
#[derive(Clone)]
struct Ticks {
    clock: SharedClock,
    seen: std::sync::Arc<Mutex<(Timestamp, Duration)>>,
}

impl Ticks {
    fn new(clock: SharedClock) -> Self {
        let start = (clock.now(), Duration::ZERO);
        Self { clock, seen: std::sync::Arc::new(Mutex::new(start)) }
    }
}

impl GovernorClock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        *seen = (now, seen.1 + now.since(seen.0));
        seen.1
    }
}
