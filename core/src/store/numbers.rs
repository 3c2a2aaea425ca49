//! What is counted over everything that ever happened: jobs and incidents are never forgotten, so these only grow.

use sqlx::any::AnyRow;

use super::{StoreResult, Tx, row::Columns};
use crate::{model::IncidentKind, states::JobStatus, units::Timestamp};

/// Jobs that took about as long as each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunTimes {
    /// More than one minute less than this, and no more than this.
    pub minutes: i64,
    /// How many.
    pub jobs: i64,
    /// All their times together, in ms.
    pub total_ms: i64,
}

impl Tx {
    /// How the jobs of a kind ended that began, and how many did so.
    pub async fn count_ends(&mut self, kind: &str) -> StoreResult<Vec<(JobStatus, i64)>> {
        let sql = "SELECT status, COUNT(*) AS n FROM jobs
                   WHERE kind = $1 AND started_at IS NOT NULL AND status IN ('succeeded', 'failed', 'cancelled')
                   GROUP BY status ORDER BY status";
        let rows = sqlx::query(sql).bind(kind.to_owned()).fetch_all(self.conn()).await?;
        rows.iter().map(|row| Ok((row.parsed("status")?, row.int("n")?))).collect()
    }

    /// How long the jobs of a kind took that went well, from their first step to their end; shortest first.
    pub async fn run_times(&mut self, kind: &str) -> StoreResult<Vec<RunTimes>> {
        let sql = "SELECT (finished_at - started_at + 59999) / 60000 AS minutes, COUNT(*) AS n,
                       CAST(SUM(finished_at - started_at) AS BIGINT) AS ms
                   FROM jobs WHERE kind = $1 AND status = 'succeeded' AND started_at IS NOT NULL
                   GROUP BY 1 ORDER BY 1";
        let rows = sqlx::query(sql).bind(kind.to_owned()).fetch_all(self.conn()).await?;
        rows.iter().map(times).collect()
    }

    /// Since when the job is due that has waited longest for a worker.
    pub async fn queued_since(&mut self, now: Timestamp) -> StoreResult<Option<Timestamp>> {
        let sql = "SELECT MIN(run_at) AS since FROM jobs WHERE status = 'queued' AND run_at <= $1";
        sqlx::query(sql).bind(now.0).fetch_one(self.conn()).await?.maybe_time("since")
    }

    /// Incidents that were ever opened, by kind.
    pub async fn count_incidents(&mut self) -> StoreResult<Vec<(IncidentKind, i64)>> {
        let sql = "SELECT kind, COUNT(*) AS n FROM incidents GROUP BY kind ORDER BY kind";
        let rows = sqlx::query(sql).fetch_all(self.conn()).await?;
        rows.iter().map(|row| Ok((row.parsed("kind")?, row.int("n")?))).collect()
    }
}

fn times(row: &AnyRow) -> StoreResult<RunTimes> {
    Ok(RunTimes { minutes: row.int("minutes")?, jobs: row.int("n")?, total_ms: row.int("ms")? })
}
