//! What is counted of calls to the outside: how many, how they ended, how long they took.
//!
//! How a call ended is told by the kind of its fault, for every system alike: one has no statuses, and another sends its
//! errors with any status. Numbers are counted by the process that calls, where it keeps any.

use crate::{clock::Stopwatch, fault::Fault};

/// The name of the durations, in seconds; by `system`, and by `code`: `ok`, or the kind of the fault.
pub const DURATIONS: &str = "outside_call_duration_seconds";

/// A call that is under way. One that nobody waits for to its end is not counted.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    system: &'static str,
    watch: Stopwatch,
}

impl Call {
    /// A call of `system` that begins now.
    pub fn of(system: &'static str) -> Self {
        Self { system, watch: Stopwatch::start() }
    }

    /// Counts it by how it ended, and gives that back.
    ///
    /// # Errors
    /// Those of the call.
    pub fn ended<T, E: Fault>(self, ended: Result<T, E>) -> Result<T, E> {
        let code: &'static str = ended.as_ref().map_or_else(|error| error.kind().into(), |_| "ok");
        metrics::histogram!(DURATIONS, "system" => self.system, "code" => code).record(self.watch.elapsed());
        ended
    }
}
