//! What does not fit into a person's hourly budget becomes one message that is edited in place.

use std::time::Duration;

use rackhand_core::{
    model::{Body, Level},
    store::{Mail, StoreError},
    units::{Timestamp, millis},
};
use tracing::debug;

use super::{RenderError, turn::Desk};

const HOUR: Duration = Duration::from_hours(1);
/// So many lines are kept, the newest ones; the count is of all.
const MOST_LINES: usize = 30;

/// Whether a person has had their messages of this hour.
pub(super) fn is_spent(spent: i64, per_hour: u32) -> bool {
    spent >= i64::from(per_hour)
}

/// The hour that the budget looks back on begins here.
pub(super) fn hour_before(now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_sub(millis(HOUR)))
}

/// Moves what waits for a person and may be folded into the digest of this hour, in one transaction.
pub(super) async fn fold(desk: &Desk, chat: i64) -> Result<(), StoreError> {
    let now = desk.clock.now();
    let mut tx = desk.store.write().await?;
    desk.held.fence(&mut tx).await?;
    let folded = tx.fold(chat).await?;
    if folded.is_empty() {
        return Ok(());
    }
    let key = format!("digest:{}", now.0.div_euclid(millis(HOUR)));
    let (mut lines, mut count) = match tx.mail_body(chat, &key).await? {
        Some(Body::Digest { lines, count }) => (lines, count),
        _ => (Vec::new(), 0),
    };
    count += i64::try_from(folded.len()).unwrap_or(i64::MAX);
    for message in folded.iter().skip(folded.len().saturating_sub(MOST_LINES)) {
        match desk.render.digest_line(&mut tx, chat, message).await {
            Ok(line) => lines.push(line),
            Err(RenderError::Store(error)) => return Err(error),
            // It is counted all the same.
            Err(error) => debug!(chat, key = message.key, %error, "no line for the digest"),
        }
    }
    lines.drain(..lines.len().saturating_sub(MOST_LINES));
    let body = Body::Digest { lines, count };
    tx.mail(&Mail { chat, key, level: Level::Info, body }, now).await?;
    tx.commit().await
}
