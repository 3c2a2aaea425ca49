//! Faults on order and at random.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Whether a call that fails took effect all the same: the message exists, and its sender does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Nothing was done.
    Before,
    /// All was done.
    After,
}

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call is turned down with these words.
    Refuse {
        /// `error_code` and HTTP status.
        code: u16,
        /// `description`.
        description: String,
    },
    /// 429: come back after so many seconds. Whoever calls earlier is turned down again and noted as a violation.
    TooMany(u32),
    /// 500.
    ServerError(When),
    /// The connection breaks without an answer.
    Drop(When),
    /// 200 with something that is no JSON, as from a proxy in between.
    Garbage(When),
    /// The call is carried out, but only after this long.
    Delay(Duration),
}

/// Faults at random, in a row that the seed fixes. The rest of the probability is success. A 500 and a broken
/// connection come before the effect or after it with equal odds; a 429 asks for one to three seconds.
#[derive(Clone, Debug)]
pub struct Chaos {
    /// Where the row of chances begins.
    pub seed: u64,
    /// Probability of a 429.
    pub too_many: f64,
    /// Probability of a 500.
    pub server_error: f64,
    /// Probability of a broken connection.
    pub dropped: f64,
    /// Whether getUpdates is hit too.
    pub polls: bool,
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    ordered: BTreeMap<String, VecDeque<Fault>>,
    chaos: Option<(Chaos, StdRng)>,
}

impl Faults {
    pub(super) fn order(&mut self, method: &str, fault: &Fault, times: usize) {
        let queue = self.ordered.entry(method.to_lowercase()).or_default();
        queue.extend(std::iter::repeat_n(fault.clone(), times));
    }

    pub(super) fn set_chaos(&mut self, chaos: Option<Chaos>) {
        self.chaos = chaos.map(|chaos| {
            let dice = StdRng::seed_from_u64(chaos.seed);
            (chaos, dice)
        });
    }

    /// How many faults on order were not met yet.
    pub(super) fn left(&self) -> usize {
        self.ordered.values().map(VecDeque::len).sum()
    }

    /// What goes wrong with this call. `method` is in lower case.
    pub(super) fn next(&mut self, method: &str) -> Option<Fault> {
        let ordered = self.ordered.get_mut(method).and_then(VecDeque::pop_front);
        ordered.or_else(|| self.roll(method))
    }

    fn roll(&mut self, method: &str) -> Option<Fault> {
        let (chaos, dice) = self.chaos.as_mut()?;
        if method == "getupdates" && !chaos.polls {
            return None;
        }
        let chance: f64 = dice.random();
        let when = if dice.random_bool(0.5) { When::After } else { When::Before };
        let seconds = dice.random_range(1..=3);
        if chance < chaos.too_many {
            Some(Fault::TooMany(seconds))
        } else if chance < chaos.too_many + chaos.server_error {
            Some(Fault::ServerError(when))
        } else if chance < chaos.too_many + chaos.server_error + chaos.dropped {
            Some(Fault::Drop(when))
        } else {
            None
        }
    }
}
