//! One order of events for everybody: nothing is missed, nothing comes twice.

mod door;
mod killed;
mod order;
pub mod reader;
mod slow;

use std::sync::Arc;

use futures::StreamExt;
use rackhand_core::{
    clock::{SharedClock, SystemClock},
    ids::JobId,
    model::{Event, EventLevel, NewJob},
    store::{EventFilter, Following, Heard, Start, Store, Tx, follow},
    units::Timestamp,
};
use serde_json::Value;

use crate::engine::toy::within;

pub const NOW: Timestamp = Timestamp(1_790_000_000_000);

pub fn clock() -> SharedClock {
    Arc::new(SystemClock)
}

/// A new job in this transaction: one event.
pub async fn new_job(tx: &mut Tx) -> JobId {
    let (kind, requested_by) = ("toy", "system test".to_owned());
    let new = NewJob { kind, target: None, params: Value::Null, requested_by, requester: None, approval: None };
    tx.enqueue(&new, NOW).await.unwrap().0.id
}

/// A line of the job's story in this transaction: one event.
pub async fn line(tx: &mut Tx, job: JobId, message: &str) {
    let job = tx.require_job(job).await.unwrap();
    tx.add_event(&job, "one", EventLevel::Info, message, NOW).await.unwrap();
}

pub fn everything() -> Following {
    Following::Events(EventFilter::default())
}

/// The next `count` events; anything else that is heard is left out.
pub async fn hear(store: &Store, start: Start, what: &Following, count: usize) -> Vec<Event> {
    let heard = follow(store, &clock(), start, what).filter_map(|heard| async {
        match heard.unwrap() {
            Heard::Event(event) => Some(event),
            _ => None,
        }
    });
    within(heard.take(count).collect()).await
}
