//! What happened, in one order that every reader sees, whichever replica it asks and whenever it comes back.
//!
//! An event is written in the transaction of the change that it tells. Its place is (pos, n). SQLite has one writer at a
//! time, so that `pos` counts up. PostgreSQL has many, which commit in any order: there `pos` is the transaction's number,
//! and a reader looks only below the oldest number that is still under way. Whatever commits late is above that line
//! until then, so that no reader has passed it.

use sqlx::any::AnyRow;

use super::{Engine, StoreResult, Tx, row::Columns, row::json};
use crate::{
    ids::JobId,
    model::{Event, EventBody, EventId, EventTopic},
    states::JobStatus,
    units::Timestamp,
};

/// Which events to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only those about these; empty: about anything.
    pub topics: Vec<EventTopic>,
    /// Only those with this subject.
    pub subject: Option<String>,
}

impl EventFilter {
    /// All events of one job.
    pub fn job(id: JobId) -> Self {
        Self { topics: vec![EventTopic::Job], subject: Some(id.to_string()) }
    }

    fn topics(&self) -> String {
        self.topics.iter().fold(String::new(), |all, topic| format!("{all},{topic},"))
    }
}

/// SQL for SQLite and for PostgreSQL: a new event's `pos`, and the line below which nothing can still be added.
macro_rules! dialects {
    ($sqlite:ident, $postgres:ident, $($part:tt)+) => {
        const $sqlite: &str = dialects!(@ "COALESCE((SELECT MAX(pos) FROM events), 0) + 1", "9223372036854775807", $($part)+);
        const $postgres: &str = dialects!(@
            "CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)",
            "CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)",
            $($part)+
        );
    };
    (@ $new:literal, $line:literal, new $text:literal $rest:literal) => { concat!($text, $new, $rest) };
    (@ $new:literal, $line:literal, below $text:literal $rest:literal) => { concat!($text, $line, $rest) };
}

dialects!(ADD_SQLITE, ADD_POSTGRES, new
    "INSERT INTO events (pos, n, at, topic, subject, body) VALUES (" ", $1, $2, $3, $4, $5)");
dialects!(NEWEST_SQLITE, NEWEST_POSTGRES, below
    "SELECT pos, n FROM events WHERE pos < " " ORDER BY pos DESC, n DESC LIMIT 1");
dialects!(ALL_SQLITE, ALL_POSTGRES, below
    "SELECT * FROM events WHERE (pos, n) > ($1, $2) AND pos < "
    " AND ($3 = '' OR replace($3, ',' || topic || ',', '') <> $3) ORDER BY pos, n LIMIT $4");
dialects!(OF_SQLITE, OF_POSTGRES, below
    "SELECT * FROM events WHERE subject = $5 AND (pos, n) > ($1, $2) AND pos < "
    " AND ($3 = '' OR replace($3, ',' || topic || ',', '') <> $3) ORDER BY pos, n LIMIT $4");

impl Tx {
    /// Tells what is so after a change that this transaction makes.
    pub(super) async fn tell(&mut self, subject: &str, body: &EventBody, now: Timestamp) -> StoreResult<()> {
        // In one transaction of SQLite `pos` counts up too.
        let (sql, n) = match self.engine {
            Engine::Sqlite => (ADD_SQLITE, 0),
            Engine::Postgres => (ADD_POSTGRES, self.events),
        };
        sqlx::query(sql)
            .bind(n)
            .bind(now.0)
            .bind(body.topic().to_string())
            .bind(subject.to_owned())
            .bind(json(body)?)
            .execute(self.conn())
            .await?;
        self.events += 1;
        Ok(())
    }

    /// The events after this place, in order; at most `limit`. Nothing will ever be added before the last of them.
    pub async fn events_after(&mut self, after: EventId, filter: &EventFilter, limit: i64) -> StoreResult<Vec<Event>> {
        let sql = match (self.engine, &filter.subject) {
            (Engine::Sqlite, None) => ALL_SQLITE,
            (Engine::Postgres, None) => ALL_POSTGRES,
            (Engine::Sqlite, Some(_)) => OF_SQLITE,
            (Engine::Postgres, Some(_)) => OF_POSTGRES,
        };
        let mut query = sqlx::query(sql).bind(after.pos).bind(after.n).bind(filter.topics()).bind(limit);
        if let Some(subject) = &filter.subject {
            query = query.bind(subject.clone());
        }
        query.fetch_all(self.conn()).await?.iter().map(event).collect()
    }

    /// The place of the newest event that [`Tx::events_after`] can give out: a reader who begins now begins after it.
    pub async fn newest_event(&mut self) -> StoreResult<EventId> {
        let sql = match self.engine {
            Engine::Sqlite => NEWEST_SQLITE,
            Engine::Postgres => NEWEST_POSTGRES,
        };
        let row = sqlx::query(sql).fetch_optional(self.conn()).await?;
        row.map_or(Ok(EventId::default()), |row| Ok(EventId { pos: row.int("pos")?, n: row.int("n")? }))
    }

    /// Whether an event with this id is kept, so that everything after it is too.
    pub async fn knows_event(&mut self, id: EventId) -> StoreResult<bool> {
        let sql = "SELECT COUNT(*) FROM events WHERE pos = $1 AND n = $2";
        Ok(sqlx::query_scalar::<_, i64>(sql).bind(id.pos).bind(id.n).fetch_one(self.conn()).await? > 0)
    }

    /// Whether the job's events are kept from its beginning, be they given out already or not.
    pub async fn job_is_kept(&mut self, job: JobId) -> StoreResult<bool> {
        let sql = "SELECT COUNT(*) FROM jobs WHERE id = $1
                       AND created_at = (SELECT at FROM events WHERE subject = $1 ORDER BY pos, n LIMIT 1)";
        Ok(sqlx::query_scalar::<_, i64>(sql).bind(job.to_string()).fetch_one(self.conn()).await? > 0)
    }

    /// Whether the job has ended and nothing about it is left to read after this place.
    pub async fn job_is_told(&mut self, job: JobId, after: EventId) -> StoreResult<bool> {
        let ended = match self.job(job).await? {
            Some(job) => matches!(job.status, JobStatus::Succeeded | JobStatus::Failed | JobStatus::Cancelled),
            None => true,
        };
        let sql = "SELECT COUNT(*) FROM events WHERE subject = $1 AND (pos, n) > ($2, $3)";
        let left = sqlx::query_scalar::<_, i64>(sql).bind(job.to_string()).bind(after.pos).bind(after.n);
        Ok(ended && left.fetch_one(self.conn()).await? == 0)
    }

    /// Forgets events from before `before`, at most `limit`, never the newest: places count up from it. How many.
    pub async fn forget_old_events(&mut self, before: Timestamp, limit: i64) -> StoreResult<u64> {
        let done = sqlx::query(
            "DELETE FROM events WHERE at < $1 AND pos < (SELECT MAX(pos) FROM events)
                 AND pos <= (SELECT MAX(pos) FROM (SELECT pos FROM events ORDER BY pos, n LIMIT $2) oldest)",
        )
        .bind(before.0)
        .bind(limit)
        .execute(self.conn())
        .await?;
        Ok(done.rows_affected())
    }

    /// On PostgreSQL, forgets events that another server wrote, whose transactions this one has not come to yet: a dump
    /// was brought here. Their places would be given out again. Whoever followed them reads the state anew.
    pub(super) async fn forget_foreign_events(&mut self) -> StoreResult<u64> {
        let done = sqlx::query(
            "DELETE FROM events WHERE pos > 0 AND EXISTS (SELECT 1 FROM events later
                 WHERE later.pos >= CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT))",
        );
        Ok(done.execute(self.conn()).await?.rows_affected())
    }
}

fn event(row: &AnyRow) -> StoreResult<Event> {
    Ok(Event {
        id: EventId { pos: row.int("pos")?, n: row.int("n")? },
        at: row.time("at")?,
        topic: row.parsed("topic")?,
        subject: row.text("subject")?,
        body: row.json("body")?,
    })
}
