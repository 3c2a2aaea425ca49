//! A job's story as it is told, here or at another Rackhand: each event once, in order, whatever breaks off in between.

use std::time::Duration;

use futures::{StreamExt, stream::BoxStream};
use rackhand_core::{
    clients::rackhand::{Events, Told},
    ids::JobId,
    model::EventId,
    store::{Following, Heard, Start, StoreResult, follow},
};

use super::{codes, door::Door};

/// How soon it is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How often it is tried before it is given up: a restart takes less.
const TRIES: u32 = 120;

/// A story that is followed.
pub struct Story<'a> {
    door: &'a Door,
    job: JobId,
    last: Option<EventId>,
    open: Option<Source>,
}

enum Source {
    Here(BoxStream<'static, StoreResult<Heard>>),
    There(Events),
}

impl<'a> Story<'a> {
    /// The job's story from its beginning.
    pub fn of(door: &'a Door, job: JobId) -> Self {
        Self { door, job, last: None, open: None }
    }

    /// What is told next.
    pub async fn next(&mut self) -> anyhow::Result<Told> {
        loop {
            let told = match &mut self.open {
                Some(Source::Here(stream)) => heard(stream).await,
                Some(Source::There(events)) => events.next().await.unwrap_or_default(),
                None => {
                    self.open = Some(patiently(self.door, || self.source()).await?);
                    continue;
                }
            };
            if let Some(told) = told {
                if let Told::Event(id, _) = &told {
                    self.last = Some(*id);
                }
                return Ok(told);
            }
            self.open = None;
            self.door.clock().sleep(AGAIN).await;
        }
    }

    /// The story after what was told.
    async fn source(&self) -> anyhow::Result<Source> {
        Ok(match self.door {
            Door::Here(process) => {
                let ops = &process.ops;
                let start = self.last.map_or(Start::Beginning, Start::After);
                Source::Here(follow(&ops.store, &ops.clock, start, &Following::Job(self.job)))
            }
            Door::There(there) => Source::There(there.events(self.job, self.last).await?),
        })
    }
}

/// What the database tells; none where it broke off.
async fn heard(stream: &mut BoxStream<'static, StoreResult<Heard>>) -> Option<Told> {
    loop {
        match stream.next().await?.ok()? {
            Heard::Event(event) => return Some(Told::Event(event.id, event.body)),
            Heard::Reset => return Some(Told::Reset),
            Heard::End => return Some(Told::End),
            Heard::Place(_) => {}
        }
    }
}

/// Asks again while nobody answers.
pub async fn patiently<T>(door: &Door, ask: impl AsyncFn() -> anyhow::Result<T>) -> anyhow::Result<T> {
    for _ in 0..TRIES {
        match ask().await {
            Err(error) if codes::of(&error) == codes::UNAVAILABLE => door.clock().sleep(AGAIN).await,
            answered => return answered,
        }
    }
    ask().await
}
