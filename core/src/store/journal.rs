//! A job's journal (steps) and its story (events).

use serde_json::Value;
use sqlx::any::AnyRow;

use super::{StoreResult, Tx, row::Columns, row::json, users::expect_one};
use crate::{
    ids::JobId,
    model::{EventBody, EventLevel, Job, JobEventRow, Step, StepStatus},
    units::{Timestamp, millis},
};

impl Tx {
    /// A job's journal, in order.
    pub async fn steps(&mut self, job: JobId) -> StoreResult<Vec<Step>> {
        let rows = sqlx::query("SELECT * FROM job_steps WHERE job = $1 ORDER BY seq")
            .bind(job.to_string())
            .fetch_all(self.conn())
            .await?;
        rows.iter().map(step).collect()
    }

    /// Writes a step's intent; a step that is there already gets one more attempt, and keeps what it remembers. Its time
    /// begins anew where its tries do ([`Tx::forget_tries`]): a person who sends a job on gives the step its whole limit.
    pub async fn begin_step(&mut self, job: JobId, seq: i64, name: &str, now: Timestamp) -> StoreResult<Step> {
        let row = sqlx::query(
            "INSERT INTO job_steps (job, seq, name, status, attempt, data, started_at)
             VALUES ($1, $2, $3, 'started', 1, 'null', $4)
             ON CONFLICT (job, seq) DO UPDATE SET status = 'started', attempt = job_steps.attempt + 1,
                 started_at = CASE WHEN job_steps.attempt = 0 THEN excluded.started_at ELSE job_steps.started_at END
             RETURNING *",
        )
        .bind(job.to_string())
        .bind(seq)
        .bind(name.to_owned())
        .bind(now.0)
        .fetch_one(self.conn())
        .await?;
        step(&row)
    }

    /// Marks that a waiting step goes on: the same attempt.
    pub async fn resume_step(&mut self, job: JobId, seq: i64) -> StoreResult<()> {
        let done = sqlx::query("UPDATE job_steps SET status = 'started' WHERE job = $1 AND seq = $2")
            .bind(job.to_string())
            .bind(seq)
            .execute(self.conn())
            .await?;
        expect_one(done.rows_affected(), "the step")
    }

    /// Writes where a step is now and, where given, what it remembers.
    pub async fn set_step(
        &mut self,
        job: JobId,
        seq: i64,
        status: StepStatus,
        data: Option<&Value>,
        now: Timestamp,
    ) -> StoreResult<()> {
        let over = !matches!(status, StepStatus::Started | StepStatus::Waiting | StepStatus::Undoing);
        let done = sqlx::query(
            "UPDATE job_steps SET status = $3, data = COALESCE($4, data), ended_at = $5 WHERE job = $1 AND seq = $2",
        )
        .bind(job.to_string())
        .bind(seq)
        .bind(status.to_string())
        .bind(data.map(json).transpose()?)
        .bind(over.then_some(now.0))
        .execute(self.conn())
        .await?;
        expect_one(done.rows_affected(), "the step")
    }

    /// Forgets how often failed steps were tried: a person sends the job on.
    pub async fn forget_tries(&mut self, job: JobId) -> StoreResult<()> {
        sqlx::query("UPDATE job_steps SET attempt = 0 WHERE job = $1 AND status = 'failed'")
            .bind(job.to_string())
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Adds a line to a job's story and lets its live messages follow.
    pub async fn add_event(
        &mut self,
        job: &Job,
        step: &str,
        level: EventLevel,
        message: &str,
        now: Timestamp,
    ) -> StoreResult<()> {
        let elapsed = job.started_at.map_or(0, |start| millis(now.since(start)));
        let message: String = message.chars().take(2_000).collect();
        let seq = sqlx::query_scalar::<_, i64>(
            "INSERT INTO job_events (job, seq, at, step, level, message, elapsed_ms)
             SELECT $1, COALESCE(MAX(seq), 0) + 1, $2, $3, $4, $5, $6 FROM job_events WHERE job = $1 RETURNING seq",
        )
        .bind(job.id.to_string())
        .bind(now.0)
        .bind(step.to_owned())
        .bind(level.to_string())
        .bind(message.clone())
        .bind(elapsed)
        .fetch_one(self.conn())
        .await?;
        let line = EventBody::JobLine { seq, step: step.to_owned(), level, message, elapsed_ms: elapsed };
        self.tell(&job.id.to_string(), &line, now).await?;
        self.touch_messages(&job_key(job.id)).await
    }

    /// A job's story after event `after`; at most `limit` lines, oldest first.
    pub async fn events(&mut self, job: JobId, after: i64, limit: i64) -> StoreResult<Vec<JobEventRow>> {
        let rows = sqlx::query("SELECT * FROM job_events WHERE job = $1 AND seq > $2 ORDER BY seq LIMIT $3")
            .bind(job.to_string())
            .bind(after)
            .bind(limit)
            .fetch_all(self.conn())
            .await?;
        rows.iter().map(event).collect()
    }

    /// Forgets the stories of jobs that ended before `before`; at most those of `limit` jobs. Their steps and
    /// outcomes stay. How many lines were forgotten.
    pub async fn forget_events(&mut self, before: Timestamp, limit: i64) -> StoreResult<u64> {
        let done = sqlx::query(
            "DELETE FROM job_events WHERE job IN (
                 SELECT j.id FROM jobs j WHERE j.finished_at < $1 AND j.status IN ('succeeded', 'failed', 'cancelled')
                     AND EXISTS (SELECT 1 FROM job_events e WHERE e.job = j.id)
                 ORDER BY j.id LIMIT $2)",
        )
        .bind(before.0)
        .bind(limit)
        .execute(self.conn())
        .await?;
        Ok(done.rows_affected())
    }

    /// The last lines of a job's story, oldest first.
    pub async fn last_events(&mut self, job: JobId, limit: i64) -> StoreResult<Vec<JobEventRow>> {
        let rows = sqlx::query("SELECT * FROM job_events WHERE job = $1 ORDER BY seq DESC LIMIT $2")
            .bind(job.to_string())
            .bind(limit)
            .fetch_all(self.conn())
            .await?;
        rows.iter().rev().map(event).collect()
    }
}

/// The outbox key of a job's live message.
pub fn job_key(job: JobId) -> String {
    format!("job:{job}")
}

fn step(row: &AnyRow) -> StoreResult<Step> {
    Ok(Step {
        seq: row.int("seq")?,
        name: row.text("name")?,
        status: row.parsed("status")?,
        attempt: row.int("attempt")?,
        data: row.json("data")?,
        started_at: row.time("started_at")?,
        ended_at: row.maybe_time("ended_at")?,
    })
}

fn event(row: &AnyRow) -> StoreResult<JobEventRow> {
    Ok(JobEventRow {
        seq: row.int("seq")?,
        at: row.time("at")?,
        step: row.text("step")?,
        level: row.parsed("level")?,
        message: row.text("message")?,
        elapsed_ms: row.int("elapsed_ms")?,
    })
}
