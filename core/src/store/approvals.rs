//! Approvals.

use sqlx::any::AnyRow;

use super::{Slice, StoreError, StoreResult, Tx, row::Columns, row::json, users::expect_one};
use crate::{
    ids::{ApprovalId, JobId},
    model::{Approval, EventBody},
    states::{ApprovalEvent, Machine},
    units::Timestamp,
};

impl Tx {
    /// Writes a new question down.
    ///
    /// # Errors
    /// `Taken` when the same plan is being asked already.
    pub async fn add_approval(&mut self, approval: &Approval) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO approvals (id, operation, target, plan, plan_hash, requested_by, requester, status, asked_at,
                 expires_at, token)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(approval.id.to_string())
        .bind(approval.plan.operation.clone())
        .bind(approval.plan.target.clone())
        .bind(json(&approval.plan)?)
        .bind(approval.plan_hash.clone())
        .bind(approval.requested_by.clone())
        .bind(approval.requester.map(|id| id.to_string()))
        .bind(approval.status.to_string())
        .bind(approval.asked_at.0)
        .bind(approval.expires_at.0)
        .bind(approval.token.map(|id| id.to_string()))
        .execute(self.conn())
        .await?;
        self.tell(&approval.id.to_string(), &EventBody::from(approval), approval.asked_at).await
    }

    /// An approval by id.
    pub async fn approval(&mut self, id: ApprovalId) -> StoreResult<Option<Approval>> {
        let row = sqlx::query("SELECT * FROM approvals WHERE id = $1").bind(id.to_string());
        row.fetch_optional(self.conn()).await?.as_ref().map(approval).transpose()
    }

    /// An approval by id, held until the transaction ends: of two who answer at once the second sees the first's answer.
    pub async fn hold_approval(&mut self, id: ApprovalId) -> StoreResult<Option<Approval>> {
        let row = sqlx::query("UPDATE approvals SET status = status WHERE id = $1 RETURNING *").bind(id.to_string());
        row.fetch_optional(self.conn()).await?.as_ref().map(approval).transpose()
    }

    /// The open question with this plan, if there is one.
    pub async fn approval_asked_for(&mut self, plan_hash: &str) -> StoreResult<Option<Approval>> {
        let row = sqlx::query("SELECT * FROM approvals WHERE plan_hash = $1 AND status = 'asked'");
        row.bind(plan_hash.to_owned()).fetch_optional(self.conn()).await?.as_ref().map(approval).transpose()
    }

    /// Approvals, newest first, only open ones if so wished.
    pub async fn approvals(&mut self, open: bool, slice: &Slice) -> StoreResult<Vec<Approval>> {
        let rows = sqlx::query(
            "SELECT * FROM approvals WHERE ($1 = 0 OR status = 'asked') AND ($4 = '' OR id < $4)
             ORDER BY id DESC LIMIT $3 OFFSET $2",
        )
        .bind(i64::from(open))
        .bind(slice.offset)
        .bind(slice.limit)
        .bind(slice.after.clone())
        .fetch_all(self.conn())
        .await?;
        rows.iter().map(approval).collect()
    }

    /// How many wait for an answer.
    pub async fn count_open_approvals(&mut self) -> StoreResult<i64> {
        let sql = "SELECT COUNT(*) FROM approvals WHERE status = 'asked'";
        Ok(sqlx::query_scalar(sql).fetch_one(self.conn()).await?)
    }

    /// Whether this is being asked about this target, or was and got its answer, or none in time, since then.
    pub async fn approval_asked_since(&mut self, operation: &str, target: &str, since: Timestamp) -> StoreResult<bool> {
        let sql = "SELECT COUNT(*) FROM approvals WHERE operation = $1 AND target = $2
                       AND (status = 'asked' OR COALESCE(decided_at, expires_at) > $3)
                       AND COALESCE(outcome, '') <> 'withdrawn'";
        let asked = sqlx::query_scalar::<_, i64>(sql).bind(operation.to_owned()).bind(target.to_owned()).bind(since.0);
        Ok(asked.fetch_one(self.conn()).await? > 0)
    }

    /// Questions whose time is up.
    pub async fn approvals_overdue(&mut self, now: Timestamp) -> StoreResult<Vec<Approval>> {
        let rows =
            sqlx::query("SELECT * FROM approvals WHERE status = 'asked' AND expires_at <= $1 ORDER BY id LIMIT 100")
                .bind(now.0)
                .fetch_all(self.conn())
                .await?;
        rows.iter().map(approval).collect()
    }

    /// Questions that expire before `until` and whose people were not warned yet; marks them warned.
    pub async fn approvals_to_warn(&mut self, until: Timestamp) -> StoreResult<Vec<Approval>> {
        let rows = sqlx::query(
            "UPDATE approvals SET warned = 1 WHERE status = 'asked' AND warned = 0 AND expires_at <= $1 RETURNING *",
        )
        .bind(until.0)
        .fetch_all(self.conn())
        .await?;
        rows.iter().map(approval).collect()
    }

    /// Moves an approval along its table, if it is still where it was.
    pub async fn move_approval(
        &mut self,
        was: &Approval,
        event: ApprovalEvent,
        by: &str,
        outcome: Option<&str>,
        now: Timestamp,
    ) -> StoreResult<Approval> {
        let to = was.status.after(event)?;
        let done = sqlx::query(
            "UPDATE approvals SET status = $3, decided_by = $4, decided_at = $5, outcome = $6
             WHERE id = $1 AND status = $2",
        )
        .bind(was.id.to_string())
        .bind(was.status.to_string())
        .bind(to.to_string())
        .bind(by.to_owned())
        .bind(now.0)
        .bind(outcome.map(str::to_owned))
        .execute(self.conn())
        .await?;
        expect_one(done.rows_affected(), "the approval")?;
        let moved = Approval {
            status: to,
            decided_by: Some(by.to_owned()),
            decided_at: Some(now),
            outcome: outcome.map(str::to_owned),
            ..was.clone()
        };
        self.tell(&moved.id.to_string(), &EventBody::from(&moved), now).await?;
        Ok(moved)
    }

    /// Seals an approval that is used, and links it to the job that it started, if any.
    pub async fn seal_approval(
        &mut self,
        id: ApprovalId,
        job: Option<JobId>,
        seal: &str,
        now: Timestamp,
    ) -> StoreResult<()> {
        let row = sqlx::query("UPDATE approvals SET job = $2, seal = $3 WHERE id = $1 AND status = 'used' RETURNING *")
            .bind(id.to_string())
            .bind(job.map(|job| job.to_string()))
            .bind(seal.to_owned())
            .fetch_optional(self.conn())
            .await?;
        let sealed = approval(&row.ok_or_else(|| StoreError::Changed("the approval".to_owned()))?)?;
        if sealed.job.is_none() { Ok(()) } else { self.tell(&id.to_string(), &EventBody::from(&sealed), now).await }
    }
}

fn approval(row: &AnyRow) -> StoreResult<Approval> {
    Ok(Approval {
        id: row.parsed("id")?,
        plan: row.json("plan")?,
        plan_hash: row.text("plan_hash")?,
        requested_by: row.text("requested_by")?,
        requester: row.maybe_parsed("requester")?,
        token: row.maybe_parsed("token")?,
        status: row.parsed("status")?,
        asked_at: row.time("asked_at")?,
        expires_at: row.time("expires_at")?,
        decided_by: row.maybe_text("decided_by")?,
        decided_at: row.maybe_time("decided_at")?,
        outcome: row.maybe_text("outcome")?,
        job: row.maybe_parsed("job")?,
        seal: row.maybe_text("seal")?,
    })
}
