//! Calling a job off.

use async_trait::async_trait;

use super::{Cx, JobInput, OpError, Operation, Spec};
use crate::{
    model::{EventLevel, Job, Risk, Role},
    states::{JobEvent, JobStatus},
};

/// Calls a job off: what can be undone is undone.
pub struct CancelJob;

#[async_trait]
impl Operation for CancelJob {
    type Input = JobInput;
    type Output = Job;
    const SPEC: Spec = Spec {
        name: "cancel_job",
        summary: "Calls a job off; what can be undone is undone",
        risk: Risk::Change,
        lowest: Role::Operator,
        repeatable: true,
        people_only: false,
    };

    fn target(input: &JobInput) -> String {
        input.job.clone()
    }

    async fn run(cx: &mut Cx, input: JobInput) -> Result<Job, OpError> {
        let job = cx.job(&input.job).await?;
        Cx::require_open(&job)?;
        if job.cancel_requested {
            return Ok(job);
        }
        let message = format!("called off by {}", cx.actor.name);
        let step = job.step.clone().unwrap_or_default();
        cx.tx.add_event(&job, &step, EventLevel::Warning, &message, cx.now).await?;
        if job.status == JobStatus::Running {
            cx.tx.request_cancel(job.id).await?;
            return Ok(cx.tx.require_job(job.id).await?);
        }
        Ok(cx.tx.push_job(&job, JobEvent::Cancel, true, cx.now).await?)
    }
}
