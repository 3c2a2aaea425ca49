//! How a job ends: well, badly with undo, or parked for a person.

use tracing::{info, warn};

use super::{
    StepSpec,
    drive::{Drive, Held, Turn},
    workflow::ending_event,
};
use crate::{
    model::{Body, EventLevel, Job, Level, Notice, Reason, Role, Step, StepStatus},
    states::{JobEvent, JobStatus},
    store::{Mail, StoreResult, Tx, job_key},
    units::Timestamp,
};

/// The steps of a job, or why there are none for its parameters.
type Plan = Result<Vec<StepSpec>, Reason>;

impl Drive {
    pub(super) async fn succeed(&self, tx: &mut Tx, held: &mut Held) -> StoreResult<Turn> {
        let now = self.now();
        let outcome = self.workflow.success(&held.job);
        tx.set_outcome(held.job.id, &outcome).await?;
        let at = held.job.step.clone().unwrap_or_default();
        tx.add_event(&held.job, &at, EventLevel::Info, &outcome.text, now).await?;
        self.end(tx, held, JobEvent::Succeed, None).await
    }

    /// A step failed for good.
    pub(super) async fn fail(&self, mut tx: Tx, held: &mut Held, step: Step, reason: &Reason) -> StoreResult<Turn> {
        let now = self.now();
        tx.set_step(held.claim.job, step.seq, StepStatus::Failed, None, now).await?;
        self.begin_ending(&mut tx, held, JobStatus::Failed, reason, Some(&step.name)).await?;
        let label = format!("{}:failed", step.name);
        held.keep(Step { status: StepStatus::Failed, ended_at: Some(now), ..step });
        self.turn(tx, held, &label).await
    }

    /// Writes the end down before anything is undone: cleaning up never erases why.
    pub(super) async fn begin_ending(
        &self,
        tx: &mut Tx,
        held: &mut Held,
        ending: JobStatus,
        outcome: &Reason,
        failed_step: Option<&str>,
    ) -> StoreResult<()> {
        let id = held.claim.job;
        tx.begin_ending(id, ending, outcome, failed_step).await?;
        held.job.ending = Some(ending);
        held.job.outcome = Some(outcome.clone());
        held.job.failed_step = failed_step.map(str::to_owned);
        let at = failed_step.or(held.job.step.as_deref()).unwrap_or_default();
        let level = if ending == JobStatus::Failed { EventLevel::Error } else { EventLevel::Warning };
        tx.add_event(&held.job, at, level, &outcome.text, self.now()).await?;
        warn!(job = %id, step = at, outcome = outcome.text, "ends badly");
        Ok(())
    }

    /// Undoes in reverse what has an undo, one step for each call; when nothing is left, ends the job.
    pub(super) async fn wind_down(&self, tx: &mut Tx, held: &mut Held, plan: Plan) -> StoreResult<Turn> {
        if self.stop.is_cancelled() {
            self.release(tx, &held.job).await?;
            return Ok(Turn::Over);
        }
        let specs = match plan {
            Ok(specs) => specs,
            // Nobody here knows how to undo what may have been done.
            Err(reason) if !held.journal.is_empty() => return self.park_in(tx, held, reason).await,
            Err(_) => Vec::new(),
        };
        let has_undo = |step: &&Step| {
            step.status != StepStatus::Undone && specs.iter().any(|spec| spec.name == step.name && spec.undo)
        };
        let Some(step) = held.journal.iter().rev().find(has_undo).cloned() else {
            let ending = held.job.ending.unwrap_or(JobStatus::Failed);
            return self.end(tx, held, ending_event(ending), None).await;
        };
        tx.set_step(held.claim.job, step.seq, StepStatus::Undoing, None, self.now()).await?;
        let step = Step { status: StepStatus::Undoing, ended_at: None, ..step };
        held.keep(step.clone());
        Ok(Turn::Undo(step))
    }

    /// Stops at `step` until a person sends the job on.
    pub(super) async fn park(&self, mut tx: Tx, held: &mut Held, step: &Step, reason: Reason) -> StoreResult<Turn> {
        held.job.step = Some(step.name.clone());
        let turn = self.park_in(&mut tx, held, reason).await?;
        self.commit(tx, &format!("{}:parked", step.name)).await?;
        Ok(turn)
    }

    async fn park_in(&self, tx: &mut Tx, held: &mut Held, reason: Reason) -> StoreResult<Turn> {
        let at = held.job.step.clone().unwrap_or_default();
        tx.add_event(&held.job, &at, EventLevel::Error, &reason.text, self.now()).await?;
        warn!(job = %held.claim.job, step = at, reason = reason.text, "parked for a person");
        self.end(tx, held, JobEvent::Park, Some(reason)).await
    }

    async fn end(&self, tx: &mut Tx, held: &mut Held, event: JobEvent, reason: Option<Reason>) -> StoreResult<Turn> {
        let now = self.now();
        held.job = tx.let_go(&held.job, event, reason.as_ref(), now, now).await?;
        self.workflow.ended(tx, &held.job).await?;
        tx.touch_messages(&job_key(held.job.id)).await?;
        tell_ended(tx, &held.job, now).await?;
        info!(job = %held.claim.job, status = %held.job.status, "ended, or parked");
        Ok(Turn::Over)
    }
}

/// Tells whoever asked, and the admins when it went badly or nobody in particular asked.
async fn tell_ended(tx: &mut Tx, job: &Job, now: Timestamp) -> StoreResult<()> {
    let badly = matches!(job.status, JobStatus::Failed | JobStatus::Parked);
    let mut people = match job.requester {
        Some(id) => tx.user(id).await?.into_iter().filter(|user| user.role > Role::Guest).collect(),
        None => Vec::new(),
    };
    if badly || people.is_empty() {
        for admin in tx.users_from(Role::Admin).await? {
            if !people.iter().any(|known| known.id == admin.id) {
                people.push(admin);
            }
        }
    }
    let level = if badly { Level::Error } else { Level::Info };
    for person in people {
        // The epoch is in the key of a parking: a job that is retried and parked again says so again.
        let key = match job.status {
            JobStatus::Parked => format!("job-parked:{}:{}", job.id, job.lease_epoch),
            _ => format!("job-ended:{}", job.id),
        };
        let body = Body::Notice(Notice::JobEnded { job: job.id });
        tx.mail_once(&Mail { chat: person.telegram_id, key, level, body }, now).await?;
    }
    Ok(())
}
