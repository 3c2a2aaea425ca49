//! The queue: enqueue, claim, keep the lease, end.

use std::time::Duration;

use serde_json::Value;
use sqlx::any::AnyRow;

use super::{Engine, Slice, StoreError, StoreResult, Tx, row::Columns, row::json, users::expect_one};
use crate::{
    ids::{JobId, ServerId},
    model::{EventBody, Job, NewJob, Reason},
    states::{JobEvent, JobStatus, Machine},
    units::{Timestamp, millis},
};

/// A claimed job and the proof of the claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which job.
    pub job: JobId,
    /// The fencing token: every write for this claim names it.
    pub epoch: i64,
}

/// Who claims, and for how long.
#[derive(Clone, Debug)]
pub struct ClaimBy {
    /// The process.
    pub owner: String,
    /// What it knows how to do: it claims nothing else.
    pub kinds: Kinds,
    /// How long a lease lasts without a heartbeat.
    pub lease: Duration,
}

/// Kinds of jobs, as one text between commas: one statement then serves any number of them on both databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kinds(String);

impl<'a> FromIterator<&'a str> for Kinds {
    fn from_iter<I: IntoIterator<Item = &'a str>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(",".to_owned(), |all, kind| all + kind + ","))
    }
}

/// Which jobs to list.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Only those of this server.
    pub target: Option<ServerId>,
    /// Only those that have not ended.
    pub open: bool,
}

/// Which jobs `j` of the kinds $3 are due at $1 (our clock) and $2 (the database's): the condition of [`Tx::claim`] and of
/// the look before it. The first part is that of the index `jobs_open`, word for word.
macro_rules! due_sql {
    () => {
        "j.status IN ('queued', 'running', 'waiting') AND replace($3, ',' || j.kind || ',', '') <> $3
             AND ((j.status = 'waiting' AND j.run_at <= $1)
             OR (j.status = 'running' AND j.lease_until < $2)
             OR (j.status = 'queued' AND j.run_at <= $1 AND NOT EXISTS (SELECT 1 FROM jobs a
                 WHERE a.target = j.target AND a.id <> j.id AND (a.status IN ('running', 'waiting', 'parked')
                     OR (a.status = 'queued' AND a.started_at IS NOT NULL)))))"
    };
}

macro_rules! claim_sql {
    ($lock:literal) => {
        concat!(
            "UPDATE jobs SET status = 'running', lease_owner = $4, lease_until = $5, lease_epoch = lease_epoch + 1,
                 started_at = COALESCE(started_at, $1)
             WHERE id = (SELECT j.id FROM jobs j WHERE ",
            due_sql!(),
            " ORDER BY j.run_at, j.id LIMIT 1",
            $lock,
            ") RETURNING *"
        )
    };
}

const FENCE_LOCKED: &str = "SELECT * FROM jobs WHERE id = $1 AND lease_epoch = $2 AND status = 'running' FOR UPDATE";
const FENCE: &str = "SELECT * FROM jobs WHERE id = $1 AND lease_epoch = $2 AND status = 'running'";

impl Tx {
    /// Enqueues a job, or joins the one of the same kind and target that has not ended yet. Returns the job and whether it is new.
    pub async fn enqueue(&mut self, new: &NewJob, now: Timestamp) -> StoreResult<(Job, bool)> {
        if let Some(target) = new.target
            && let Some(open) = self.open_job(new.kind, target).await?
        {
            return Ok((open, false));
        }
        let id = JobId::new();
        let row = sqlx::query(
            "INSERT INTO jobs (id, kind, target, params, status, run_at, requested_by, requester, approval, created_at)
             VALUES ($1, $2, $3, $4, 'queued', $5, $6, $7, $8, $5) RETURNING *",
        )
        .bind(id.to_string())
        .bind(new.kind)
        .bind(new.target.map(|id| id.to_string()))
        .bind(json(&new.params)?)
        .bind(now.0)
        .bind(new.requested_by.clone())
        .bind(new.requester.map(|id| id.to_string()))
        .bind(new.approval.map(|id| id.to_string()))
        .fetch_one(self.conn())
        .await?;
        self.poke_jobs = true;
        Ok((self.told_job(job(&row)?, now).await?, true))
    }

    /// The job of this kind on this server that has not ended, if any.
    pub async fn open_job(&mut self, kind: &str, target: ServerId) -> StoreResult<Option<Job>> {
        let row = sqlx::query(
            "SELECT * FROM jobs WHERE target = $1 AND kind = $2
                 AND status IN ('queued', 'running', 'waiting', 'parked') ORDER BY id LIMIT 1",
        )
        .bind(target.to_string())
        .bind(kind.to_owned())
        .fetch_optional(self.conn())
        .await?;
        row.as_ref().map(job).transpose()
    }

    /// The jobs of this kind that have not ended and whose parameter `name` is the text `value`; at most ten.
    pub async fn open_jobs_with(&mut self, kind: &str, name: &str, value: &str) -> StoreResult<Vec<Job>> {
        let rows = sqlx::query(
            "SELECT * FROM jobs WHERE kind = $1 AND status IN ('queued', 'running', 'waiting', 'parked')
                 AND replace(params, $2, '') <> params ORDER BY id LIMIT 10",
        )
        .bind(kind.to_owned())
        .bind(format!("{}:{}", json(&name)?, json(&value)?))
        .fetch_all(self.conn())
        .await?;
        rows.iter().map(job).collect()
    }

    /// The newest of the last 1000 jobs of this kind whose parameter `name` is `value`, open or ended.
    pub async fn last_job_with(&mut self, kind: &str, name: &str, value: &str) -> StoreResult<Option<Job>> {
        let row = sqlx::query(
            "SELECT * FROM (SELECT * FROM jobs WHERE kind = $1 ORDER BY id DESC LIMIT 1000) AS newest
             WHERE replace(params, $2, '') <> params ORDER BY id DESC LIMIT 1",
        )
        .bind(kind.to_owned())
        .bind(format!("{}:{}", json(&name)?, json(&value)?))
        .fetch_optional(self.conn())
        .await?;
        row.as_ref().map(job).transpose()
    }

    /// Takes the best due job of these kinds: one that waits and may go on, one whose worker's lease ran out, or a queued one whose
    /// target is free.
    ///
    /// # Errors
    /// `Taken` when two replicas took two queued jobs of one target at once and the other one was let pass: try again.
    pub async fn claim(&mut self, by: &ClaimBy, now: Timestamp) -> StoreResult<Option<Job>> {
        let sql = match self.engine {
            Engine::Sqlite => claim_sql!(""),
            Engine::Postgres => claim_sql!(" FOR UPDATE SKIP LOCKED"),
        };
        let db_now = self.db_now().await?;
        let row = sqlx::query(sql)
            .bind(now.0)
            .bind(db_now)
            .bind(by.kinds.0.clone())
            .bind(by.owner.clone())
            .bind(db_now.saturating_add(millis(by.lease)))
            .fetch_optional(self.conn())
            .await?;
        match row {
            Some(row) => Ok(Some(self.told_job(job(&row)?, now).await?)),
            None => Ok(None),
        }
    }

    /// Whether [`Tx::claim`] might find something: a look that writes nothing.
    pub async fn any_job_due(&mut self, kinds: &Kinds, now: Timestamp) -> StoreResult<bool> {
        let db_now = self.db_now().await?;
        let sql = concat!("SELECT COUNT(*) FROM (SELECT j.id FROM jobs j WHERE ", due_sql!(), " LIMIT 1) due");
        let due = sqlx::query_scalar::<_, i64>(sql).bind(now.0).bind(db_now).bind(kinds.0.clone());
        Ok(due.fetch_one(self.conn()).await? > 0)
    }

    /// Prolongs a lease; answers whether somebody called the job off.
    pub async fn heartbeat(&mut self, claim: Claim, lease: Duration) -> StoreResult<bool> {
        let until = self.db_now().await?.saturating_add(millis(lease));
        let row = sqlx::query(
            "UPDATE jobs SET lease_until = $3 WHERE id = $1 AND lease_epoch = $2 AND status = 'running'
             RETURNING cancel_requested",
        )
        .bind(claim.job.to_string())
        .bind(claim.epoch)
        .bind(until)
        .fetch_optional(self.conn())
        .await?;
        row.ok_or_else(|| StoreError::LeaseLost(claim.job.to_string()))?.flag("cancel_requested")
    }

    /// Proves that the claim still holds, and holds the row until the transaction ends: the first statement of every
    /// write that a worker makes. Returns the job as it is now.
    pub async fn fence(&mut self, claim: Claim) -> StoreResult<Job> {
        // SQLite's one writer has begun already: nobody else can change the row.
        let sql = match self.engine {
            Engine::Sqlite => FENCE,
            Engine::Postgres => FENCE_LOCKED,
        };
        let row = sqlx::query(sql).bind(claim.job.to_string()).bind(claim.epoch).fetch_optional(self.conn()).await?;
        job(&row.ok_or_else(|| StoreError::LeaseLost(claim.job.to_string()))?)
    }

    /// Lets a running job go: to wait, to be queued again, to be parked, or to its end. Call [`Tx::fence`] first.
    pub async fn let_go(
        &mut self,
        was: &Job,
        event: JobEvent,
        reason: Option<&Reason>,
        run_at: Timestamp,
        now: Timestamp,
    ) -> StoreResult<Job> {
        let to = was.status.after(event)?;
        let ended = matches!(to, JobStatus::Succeeded | JobStatus::Failed | JobStatus::Cancelled);
        let row = sqlx::query(
            "UPDATE jobs SET status = $3, reason = $4, run_at = $5, lease_owner = NULL, lease_until = NULL,
                 finished_at = $6
             WHERE id = $1 AND status = $2 RETURNING *",
        )
        .bind(was.id.to_string())
        .bind(was.status.to_string())
        .bind(to.to_string())
        .bind(reason.map(json).transpose()?)
        .bind(run_at.0)
        .bind(ended.then_some(now.0))
        .fetch_optional(self.conn())
        .await?;
        self.poke_jobs = true;
        let job = job(&row.ok_or_else(|| StoreError::Changed("the job".to_owned()))?)?;
        self.told_job(job, now).await
    }

    /// Notes the step that a running job is at.
    pub async fn at_step(&mut self, id: JobId, step: &str) -> StoreResult<()> {
        sqlx::query("UPDATE jobs SET step = $2, reason = NULL WHERE id = $1")
            .bind(id.to_string())
            .bind(step.to_owned())
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Begins the way to a bad end: the outcome and the failed step are written before anything is undone, and stay.
    pub async fn begin_ending(
        &mut self,
        id: JobId,
        ending: JobStatus,
        outcome: &Reason,
        failed_step: Option<&str>,
    ) -> StoreResult<()> {
        let done =
            sqlx::query("UPDATE jobs SET ending = $2, outcome = $3, failed_step = $4 WHERE id = $1 AND ending IS NULL")
                .bind(id.to_string())
                .bind(ending.to_string())
                .bind(json(outcome)?)
                .bind(failed_step.map(str::to_owned))
                .execute(self.conn())
                .await?;
        expect_one(done.rows_affected(), "the job")
    }

    /// Writes how a job ended well.
    pub async fn set_outcome(&mut self, id: JobId, outcome: &Reason) -> StoreResult<()> {
        sqlx::query("UPDATE jobs SET outcome = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(json(outcome)?)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Queues a job that no worker holds: a person's retry, or a person's cancel of one that waits or is parked.
    pub async fn push_job(&mut self, was: &Job, event: JobEvent, cancel: bool, now: Timestamp) -> StoreResult<Job> {
        let to = was.status.after(event)?;
        let row = sqlx::query(
            "UPDATE jobs SET status = $3, run_at = $4, cancel_requested = $5, reason = NULL
             WHERE id = $1 AND status = $2 RETURNING *",
        )
        .bind(was.id.to_string())
        .bind(was.status.to_string())
        .bind(to.to_string())
        .bind(now.0)
        .bind(i64::from(cancel || was.cancel_requested))
        .fetch_optional(self.conn())
        .await?;
        self.poke_jobs = true;
        let job = job(&row.ok_or_else(|| StoreError::Changed("the job".to_owned()))?)?;
        self.told_job(job, now).await
    }

    /// Ends a queued job that no worker ever took: nothing was begun, so nothing is to be undone.
    pub async fn cancel_unbegun(&mut self, was: &Job, outcome: &Reason, now: Timestamp) -> StoreResult<Job> {
        let to = was.status.after(JobEvent::Cancel)?;
        let row = sqlx::query(
            "UPDATE jobs SET status = $3, cancel_requested = 1, outcome = $4, finished_at = $5
             WHERE id = $1 AND status = $2 AND started_at IS NULL RETURNING *",
        )
        .bind(was.id.to_string())
        .bind(was.status.to_string())
        .bind(to.to_string())
        .bind(json(outcome)?)
        .bind(now.0)
        .fetch_optional(self.conn())
        .await?;
        self.poke_jobs = true;
        let job = job(&row.ok_or_else(|| StoreError::Changed("the job".to_owned()))?)?;
        self.told_job(job, now).await
    }

    /// Asks the worker of a job that is running, or queued to be gone on with, to call it off.
    pub async fn request_cancel(&mut self, was: &Job, now: Timestamp) -> StoreResult<Job> {
        let row = sqlx::query("UPDATE jobs SET cancel_requested = 1 WHERE id = $1 AND status = $2 RETURNING *")
            .bind(was.id.to_string())
            .bind(was.status.to_string())
            .fetch_optional(self.conn())
            .await?;
        self.poke_jobs = true;
        let job = job(&row.ok_or_else(|| StoreError::Changed("the job".to_owned()))?)?;
        self.told_job(job, now).await
    }

    /// Ends all leases at once. Only for a process that holds the data directory's lock, and so knows that whoever held
    /// them is dead.
    pub async fn void_leases(&mut self) -> StoreResult<u64> {
        let jobs = sqlx::query("UPDATE jobs SET lease_until = 0 WHERE status = 'running'").execute(self.conn()).await?;
        sqlx::query("UPDATE leases SET until_at = 0").execute(self.conn()).await?;
        Ok(jobs.rows_affected())
    }

    /// A job by id.
    pub async fn job(&mut self, id: JobId) -> StoreResult<Option<Job>> {
        let row =
            sqlx::query("SELECT * FROM jobs WHERE id = $1").bind(id.to_string()).fetch_optional(self.conn()).await?;
        row.as_ref().map(job).transpose()
    }

    /// Jobs whose id ends so: what people type. At most two, to see whether it is ambiguous.
    pub async fn jobs_ending(&mut self, short: &str) -> StoreResult<Vec<Job>> {
        let rows = sqlx::query(
            "SELECT * FROM jobs WHERE substr(id, length(id) - CAST($2 AS INTEGER) + 1) = $1 ORDER BY id DESC LIMIT 2",
        )
        .bind(short.to_owned())
        .bind(i64::try_from(short.chars().count()).unwrap_or(i64::MAX))
        .fetch_all(self.conn())
        .await?;
        rows.iter().map(job).collect()
    }

    /// A job that must be there.
    pub async fn require_job(&mut self, id: JobId) -> StoreResult<Job> {
        let row = sqlx::query("SELECT * FROM jobs WHERE id = $1").bind(id.to_string()).fetch_one(self.conn()).await?;
        job(&row)
    }

    /// Jobs, newest first.
    pub async fn jobs(&mut self, filter: &JobFilter, slice: &Slice) -> StoreResult<Vec<Job>> {
        let rows = sqlx::query(
            "SELECT * FROM jobs WHERE ($1 = '' OR target = $1)
                 AND ($2 = 0 OR status IN ('queued', 'running', 'waiting', 'parked'))
                 AND ($5 = '' OR id < $5)
             ORDER BY id DESC LIMIT $4 OFFSET $3",
        )
        .bind(filter.target.map(|id| id.to_string()).unwrap_or_default())
        .bind(i64::from(filter.open))
        .bind(slice.offset)
        .bind(slice.limit)
        .bind(slice.after.clone())
        .fetch_all(self.conn())
        .await?;
        rows.iter().map(job).collect()
    }

    /// How many jobs are in each state.
    pub async fn count_jobs(&mut self) -> StoreResult<Vec<(JobStatus, i64)>> {
        let rows = sqlx::query("SELECT status, COUNT(*) AS n FROM jobs GROUP BY status ORDER BY status")
            .fetch_all(self.conn())
            .await?;
        rows.iter().map(|row| Ok((row.parsed("status")?, row.int("n")?))).collect()
    }

    /// How many jobs a worker claimed that shows no sign of life since.
    pub async fn count_jobs_without_worker(&mut self) -> StoreResult<i64> {
        let now = self.db_now().await?;
        let sql = "SELECT COUNT(*) FROM jobs WHERE status = 'running' AND lease_until < $1";
        Ok(sqlx::query_scalar(sql).bind(now).fetch_one(self.conn()).await?)
    }

    /// The last jobs of this kind that went well, newest first: their parameters, and how long they ran, in ms.
    pub async fn past_runs(&mut self, kind: &str, limit: i64) -> StoreResult<Vec<(Value, i64)>> {
        let sql = "SELECT params, finished_at - started_at AS ms FROM jobs
                   WHERE kind = $1 AND status = 'succeeded' AND started_at IS NOT NULL ORDER BY id DESC LIMIT $2";
        let rows = sqlx::query(sql).bind(kind.to_owned()).bind(limit).fetch_all(self.conn()).await?;
        rows.iter().map(|row| Ok((row.json("params")?, row.int("ms")?))).collect()
    }

    /// Tells where a job is now.
    async fn told_job(&mut self, job: Job, now: Timestamp) -> StoreResult<Job> {
        self.tell(&job.id.to_string(), &EventBody::from(&job), now).await?;
        Ok(job)
    }
}

fn job(row: &AnyRow) -> StoreResult<Job> {
    Ok(Job {
        id: row.parsed("id")?,
        kind: row.text("kind")?,
        target: row.maybe_parsed("target")?,
        params: row.json("params")?,
        status: row.parsed("status")?,
        step: row.maybe_text("step")?,
        reason: row.maybe_json("reason")?,
        outcome: row.maybe_json("outcome")?,
        failed_step: row.maybe_text("failed_step")?,
        ending: row.maybe_parsed("ending")?,
        cancel_requested: row.flag("cancel_requested")?,
        run_at: row.time("run_at")?,
        lease_epoch: row.int("lease_epoch")?,
        requested_by: row.text("requested_by")?,
        requester: row.maybe_parsed("requester")?,
        approval: row.maybe_parsed("approval")?,
        created_at: row.time("created_at")?,
        started_at: row.maybe_time("started_at")?,
        finished_at: row.maybe_time("finished_at")?,
    })
}
