//! Following the events: each follower reads the database at its own pace, in pages, and waits where there is nothing more.

use std::{collections::VecDeque, time::Duration};

use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::watch;

use super::{EventFilter, Store, StoreResult};
use crate::{
    clock::SharedClock,
    ids::JobId,
    model::{Event, EventId},
};

/// How many events are read at once.
const PAGE: i64 = 100;
/// How often a follower looks for what other replicas wrote.
const POLL: Duration = Duration::from_secs(1);
/// How soon it looks again after news that it could not see yet: on PostgreSQL an older transaction is still under way.
const SOON: Duration = Duration::from_millis(20);

/// Where a follower begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With whatever happens from now on.
    Now,
    /// With the oldest event that is kept.
    Beginning,
    /// Right after this event.
    After(EventId),
    /// After an event that nobody can know: its id is none of ours.
    Unknown,
}

/// What is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Following {
    /// All events that fit, for as long as somebody listens.
    Events(EventFilter),
    /// One job, until it has ended.
    Job(JobId),
}

/// What a follower hears.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "nearly all that is heard are events, and few wait at once")]
pub enum Heard {
    /// Something happened.
    Event(Event),
    /// All that fits is told up to this place, from which a follower may go on later: after [`Start::After`] of it
    /// nothing is missed. Said at the beginning, and after a while in which nothing fitted.
    Place(EventId),
    /// What was to be told first is no longer kept, or never was: whoever follows reads the state anew. Then it goes on,
    /// for events with what happens from now on, for a job with what is kept of it.
    Reset,
    /// The job has ended and all of it is told: nothing comes after this.
    End,
}

/// Follows the events: each once, in order, without a gap. Nothing is read before it is asked for. An error is the last
/// item; whoever goes on begins anew after the last event that they heard.
pub fn follow(
    store: &Store,
    clock: &SharedClock,
    start: Start,
    what: &Following,
) -> BoxStream<'static, StoreResult<Heard>> {
    let (filter, job) = match what {
        Following::Events(filter) => (filter.clone(), None),
        Following::Job(id) => (EventFilter::job(*id), Some(*id)),
    };
    let follower = Follower {
        news: store.pokes().events.subscribe(),
        store: store.clone(),
        clock: clock.clone(),
        filter,
        job,
        start: Some(start),
        at: EventId::default(),
        said: None,
        ready: VecDeque::new(),
        over: false,
    };
    stream::unfold(follower, Follower::next).boxed()
}

struct Follower {
    store: Store,
    clock: SharedClock,
    news: watch::Receiver<u64>,
    filter: EventFilter,
    job: Option<JobId>,
    /// Until the first look.
    start: Option<Start>,
    /// Everything up to here is in `ready`, or was.
    at: EventId,
    /// The last place that was said.
    said: Option<EventId>,
    ready: VecDeque<Heard>,
    over: bool,
}

impl Follower {
    async fn next(mut self) -> Option<(StoreResult<Heard>, Self)> {
        let mut soon = POLL;
        loop {
            if let Some(heard) = self.ready.pop_front() {
                return Some((Ok(heard), self));
            }
            if self.over {
                return None;
            }
            self.news.borrow_and_update();
            if let Err(error) = self.look().await {
                self.over = true;
                return Some((Err(error), self));
            }
            if self.ready.is_empty() && !self.over {
                soon = self.wait(soon).await;
            }
        }
    }

    /// Reads what there is, in one transaction that sees one moment.
    async fn look(&mut self) -> StoreResult<()> {
        let mut tx = self.store.read().await?;
        let newest = tx.newest_event().await?;
        let began = self.start.take();
        match began {
            Some(Start::Now) => self.at = newest,
            Some(Start::After(id)) if tx.knows_event(id).await? => self.at = id,
            Some(Start::After(_) | Start::Unknown) => {
                self.ready.push_back(Heard::Reset);
                // A job is told from its beginning then.
                self.at = if self.job.is_some() { EventId::default() } else { newest };
            }
            Some(Start::Beginning) | None => {}
        }
        let page = tx.events_after(self.at, &self.filter, PAGE).await?;
        if let (Some(Start::Beginning), Some(job)) = (began, self.job)
            && !tx.job_is_kept(job).await?
        {
            self.ready.push_back(Heard::Reset);
        }
        if let Some(last) = page.last() {
            self.at = last.id;
            self.said = Some(last.id);
        }
        let all = i64::try_from(page.len()).is_ok_and(|read| read < PAGE);
        self.ready.extend(page.into_iter().map(Heard::Event));
        if !all {
            return Ok(());
        }
        if let Some(job) = self.job
            && tx.job_is_told(job, self.at).await?
        {
            self.ready.push_back(Heard::End);
            self.over = true;
        } else {
            self.at = self.at.max(newest);
            if self.said != Some(self.at) {
                self.said = Some(self.at);
                self.ready.push_back(Heard::Place(self.at));
            }
        }
        Ok(())
    }

    /// Waits for news, at most `soon`; returns how long to wait next, if this comes to nothing.
    async fn wait(&mut self, soon: Duration) -> Duration {
        tokio::select! {
            _ = self.news.changed() => SOON,
            () = self.clock.sleep(soon) => (soon * 2).min(POLL),
        }
    }
}
