//! How often one caller may ask, in this process.

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use axum::http::StatusCode;
use governor::{
    Quota, RateLimiter, clock::Clock, middleware::NoOpMiddleware, nanos::Nanos, state::keyed::DashMapStateStore,
};
use rackhand_core::{clock::SharedClock, model::Actor};

use super::Problem;

/// Beyond so many callers, the calm ones are forgotten.
const MOST_CALLERS: usize = 10_000;
/// Requests from one look at how many callers there are to the next: a look goes through all parts of the map.
const LOOK: usize = 1_000;

/// Counts each caller's requests.
pub(super) struct Limiter {
    callers: RateLimiter<String, DashMapStateStore<String>, Time, NoOpMiddleware<Nanos>>,
    time: Time,
    /// Requests so far.
    taken: AtomicUsize,
}

impl Limiter {
    /// So many in a minute, or as many at once.
    pub(super) fn new(per_minute: u32, clock: SharedClock) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        let time = Time(clock);
        Self { callers: RateLimiter::dashmap_with_clock(quota, time.clone()), time, taken: AtomicUsize::new(0) }
    }

    /// Counts one request more.
    ///
    /// # Errors
    /// It is one too many: 429 with the time to wait.
    pub(super) fn take(&self, actor: &Actor) -> Result<(), Problem> {
        let taken = self.taken.fetch_add(1, Ordering::Relaxed);
        if taken.is_multiple_of(LOOK) && self.callers.len() > MOST_CALLERS {
            self.callers.retain_recent();
        }
        let who = actor.token.map_or_else(|| actor.name.clone(), |id| id.to_string());
        self.callers.check_key(&who).map_err(|early| {
            let detail = "this token asks too often: see `Retry-After`";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail)
                .retry_after(early.wait_time_from(self.time.now()))
        })
    }
}

/// The process's clock, as governor reads it.
#[derive(Clone, Debug)]
struct Time(SharedClock);

impl Clock for Time {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let millis = u64::try_from(self.0.now().0).unwrap_or(0);
        Nanos::from(Duration::from_millis(millis))
    }
}
