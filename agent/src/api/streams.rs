//! How many streams of events are open, in this process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::http::StatusCode;
use rackhand_core::model::Actor;

use super::Problem;

/// Streams of one caller.
const MOST_OF_ONE: usize = 16;
/// Streams in all: other requests keep room among the connections.
const MOST: usize = 200;

/// Counts the open streams. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    open: Arc<Mutex<HashMap<String, usize>>>,
    of_one: usize,
    in_all: usize,
}

impl Default for Streams {
    fn default() -> Self {
        Self::new(MOST_OF_ONE, MOST)
    }
}

/// One open stream; dropped, it is closed.
#[derive(Debug)]
pub(super) struct Slot {
    streams: Streams,
    caller: String,
}

impl Streams {
    /// At most so many of one caller, and so many in all.
    pub(super) fn new(of_one: usize, in_all: usize) -> Self {
        Self { open: Arc::default(), of_one, in_all }
    }

    /// Opens one more for this caller.
    ///
    /// # Errors
    /// There are too many: of this caller's, 429; in all, 503.
    pub(super) fn open(&self, actor: &Actor) -> Result<Slot, Problem> {
        let caller = actor.token.map_or_else(|| actor.name.clone(), |id| id.to_string());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let full =
            |status, code, detail: &str| Err(Problem::new(status, code, detail).retry_after(Duration::from_secs(15)));
        if open.get(&caller).is_some_and(|count| *count >= self.of_one) {
            let most = self.of_one;
            let detail =
                format!("this caller has {most} streams of events open: close one, or follow all in one stream");
            return full(StatusCode::TOO_MANY_REQUESTS, "too-many-streams", &detail);
        }
        if open.values().sum::<usize>() >= self.in_all {
            let detail = "this process has as many streams of events open as it takes: try another replica";
            return full(StatusCode::SERVICE_UNAVAILABLE, "streams-full", detail);
        }
        *open.entry(caller.clone()).or_default() += 1;
        Ok(Slot { streams: self.clone(), caller })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.caller) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.caller);
            }
        }
    }
}
