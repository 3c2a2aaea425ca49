//! How a job ends: well, badly with undo, or parked for a person.

use std::sync::Arc;

use tracing::{info, warn};

use super::{
    StepCx, StepSpec, Workflow,
    drive::{Drive, Next},
    workflow::ending_event,
};
use crate::{
    model::{Body, EventLevel, Job, Level, Notice, Reason, Role, Step, StepStatus},
    states::{JobEvent, JobStatus},
    store::{Claim, Mail, StoreResult, Tx},
    units::Timestamp,
};

impl Drive {
    pub(super) async fn succeed(&self, claim: Claim, job: &Job, workflow: &Arc<dyn Workflow>) -> StoreResult<Next> {
        let now = self.now();
        let outcome = workflow.success(job);
        let mut tx = self.store.write().await?;
        let job = tx.fence(claim).await?;
        tx.set_outcome(job.id, &outcome).await?;
        tx.add_event(&job, job.step.as_deref().unwrap_or_default(), EventLevel::Info, &outcome.text, now).await?;
        let job = tx.let_go(&job, JobEvent::Succeed, None, now, now).await?;
        workflow.ended(&mut tx, &job).await?;
        tell_ended(&mut tx, &job, now).await?;
        self.commit(tx, "job:succeeded").await?;
        info!(job = %job.id, "succeeded");
        Ok(Next::Over)
    }

    /// Writes the end down before anything is undone: cleaning up never erases why.
    pub(super) async fn begin_ending(
        &self,
        claim: Claim,
        ending: JobStatus,
        outcome: &Reason,
        failed: Option<&Step>,
    ) -> StoreResult<Next> {
        let now = self.now();
        let mut tx = self.store.write().await?;
        let job = tx.fence(claim).await?;
        if let Some(step) = failed {
            tx.set_step(job.id, step.seq, StepStatus::Failed, None, now).await?;
        }
        let step = failed.map(|step| step.name.as_str());
        tx.begin_ending(job.id, ending, outcome, step).await?;
        let at = step.or(job.step.as_deref()).unwrap_or_default();
        tx.add_event(&job, at, EventLevel::Error, &outcome.text, now).await?;
        self.commit(tx, "job:ending").await?;
        warn!(job = %job.id, step = at, outcome = outcome.text, "ends badly");
        Ok(Next::On)
    }

    /// Undoes in reverse what has an undo, one step for each call; when nothing is left, ends the job.
    pub(super) async fn wind_down(
        &self,
        claim: Claim,
        job: &Job,
        workflow: &Arc<dyn Workflow>,
        specs: &[StepSpec],
        journal: &[Step],
    ) -> StoreResult<Next> {
        let has_undo = |step: &&Step| {
            step.status != StepStatus::Undone && specs.iter().any(|spec| spec.name == step.name && spec.undo)
        };
        let Some(step) = journal.iter().rev().find(has_undo) else {
            return self.end_badly(claim, workflow).await;
        };
        let mut tx = self.store.write().await?;
        tx.fence(claim).await?;
        tx.set_step(job.id, step.seq, StepStatus::Undoing, None, self.now()).await?;
        self.commit(tx, &format!("{}:undoing", step.name)).await?;

        let earlier = journal.iter().filter(|entry| entry.seq < step.seq).cloned().collect();
        let mut cx = self.cx(claim, job.clone(), step.clone(), earlier);
        match workflow.undo(&step.name, &mut cx).await {
            Ok(()) => {
                let mut tx = cx.begin().await?;
                tx.set_step(job.id, step.seq, StepStatus::Undone, None, self.now()).await?;
                cx.commit(tx, "undone").await?;
                Ok(Next::On)
            }
            Err(reason) => self.park(&cx, reason).await,
        }
    }

    async fn end_badly(&self, claim: Claim, workflow: &Arc<dyn Workflow>) -> StoreResult<Next> {
        let now = self.now();
        let mut tx = self.store.write().await?;
        let job = tx.fence(claim).await?;
        let ending = job.ending.unwrap_or(JobStatus::Failed);
        let job = tx.let_go(&job, ending_event(ending), None, now, now).await?;
        tx.add_event(&job, job.step.as_deref().unwrap_or_default(), EventLevel::Info, &ending.to_string(), now).await?;
        workflow.ended(&mut tx, &job).await?;
        tell_ended(&mut tx, &job, now).await?;
        self.commit(tx, &format!("job:{ending}")).await?;
        Ok(Next::Over)
    }

    pub(super) async fn park(&self, cx: &StepCx, reason: Reason) -> StoreResult<Next> {
        let now = cx.now();
        let mut tx = self.store.write().await?;
        let job = tx.fence(cx.claim).await?;
        if job.ending.is_none() {
            tx.set_step(job.id, cx.step.seq, StepStatus::Failed, None, now).await?;
        }
        tx.add_event(&job, &cx.step.name, EventLevel::Error, &reason.text, now).await?;
        let job = tx.let_go(&job, JobEvent::Park, Some(&reason), now, now).await?;
        if let Some(workflow) = &self.workflow {
            workflow.ended(&mut tx, &job).await?;
        }
        tell_ended(&mut tx, &job, now).await?;
        cx.commit(tx, "parked").await?;
        warn!(job = %job.id, step = cx.step.name, reason = reason.text, "parked for a person");
        Ok(Next::Over)
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
