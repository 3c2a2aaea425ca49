//! What is counted of calls to the outside: how many, how they ended, how long they took.
//!
//! How a call ended is told by the kind of its fault, for every system alike: one has no statuses, and another sends its
//! errors with any status. Numbers are counted by the process that calls, where it keeps any.

use crate::{clock::Stopwatch, fault::Fault};

/// The name of the durations, in seconds; by `system`, and by `code`: `ok`, or the kind of the fault.
pub const DURATIONS: &str = "outside_call_duration_seconds";

/// Makes a call of `system` and counts it. One that nobody waits for to its end is not counted.
///
/// # Errors
/// Those of the call.
pub async fn counted<T, E: Fault>(system: &'static str, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let watch = Stopwatch::start();
    let ended = call.await;
    let code = ended.as_ref().map_or_else(|error| error.kind().into(), |_| "ok");
    metrics::histogram!(DURATIONS, "system" => system, "code" => code).record(watch.elapsed());
    ended
}
