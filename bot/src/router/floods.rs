//! One person must not be able to keep the bot busy: who writes too fast is told once and then not heard until calm.

use std::{
    cmp::Ordering,
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rackhand_core::{model::Role, units::Timestamp};

use super::{Asked, Reply, Router};
use crate::{messenger::Message, texts::say, views};

/// So many messages and presses a person may send in [`WINDOW`]: more than a person in a hurry does.
const MOST: u32 = 40;
/// So many a guest may: enough to mistype a code, too few to fill the audit with guesses.
const MOST_OF_A_GUEST: u32 = 5;
const WINDOW: Duration = Duration::from_secs(30);
/// So many people are watched at once; the calmest are forgotten first.
const MOST_PEOPLE: usize = 10_000;

/// Who wrote how much of late, in this process.
#[derive(Debug, Default)]
pub(super) struct Floods(Mutex<HashMap<i64, (Timestamp, u32)>>);

/// What is done with one more message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hear {
    Yes,
    TellOnce,
    No,
}

impl Floods {
    fn hear(&self, person: i64, most: u32, now: Timestamp) -> Hear {
        let mut people = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if people.len() >= MOST_PEOPLE {
            people.retain(|_, (since, _)| now.since(*since) < WINDOW);
        }
        let (since, count) = people.entry(person).or_insert((now, 0));
        if now.since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        match (*count).cmp(&most.saturating_add(1)) {
            Ordering::Less => Hear::Yes,
            Ordering::Equal => Hear::TellOnce,
            Ordering::Greater => Hear::No,
        }
    }
}

impl Router {
    /// What to answer instead, where a person writes too fast.
    pub(super) fn flood(&self, asked: &Asked<'_>) -> Option<Reply> {
        let most = if asked.user.role == Role::Guest { MOST_OF_A_GUEST } else { MOST };
        match self.floods.hear(asked.user.telegram_id, most, self.ops.clock.now()) {
            Hear::Yes => None,
            Hear::TellOnce => {
                let words = say!(asked.reader.lang, "flood", seconds = i64::try_from(WINDOW.as_secs()).unwrap_or(0));
                Some(Reply::below(views::body(Message::new(words))))
            }
            Hear::No => Some(Reply::default()),
        }
    }
}
