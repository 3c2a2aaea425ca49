//! Calling a job off.

use async_trait::async_trait;

use super::{
    Cx, JobInput, NodeFault, OpError, Operation, Rest, Spec, Topic,
    ironic::{JobNode, is_past_calling_off},
};
use crate::{
    model::{EventLevel, Job, Reason, Risk, Role},
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
        topic: Topic::Work,
        rest: &[Rest::post("/jobs/{job}/cancel")],
        cli: "jobs cancel <job>",
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
        // The job's row first: it keeps its worker from writing the story at the same time.
        let was = job;
        let job = match was.status {
            JobStatus::Queued if was.started_at.is_none() => {
                let outcome = Reason::new("cancelled", message.clone()).with("by", &cx.actor.name);
                cx.tx.cancel_unbegun(&was, &outcome, cx.now).await?
            }
            JobStatus::Queued | JobStatus::Running => cx.tx.request_cancel(&was, cx.now).await?,
            _ => cx.tx.push_job(&was, JobEvent::Cancel, true, cx.now).await?,
        };
        if is_past_calling_off(&was, &cx.tx.steps(job.id).await?) {
            let id = JobNode::of(&job).map_or_else(String::new, |node| node.name);
            return Err(NodeFault::PastCallingOff { id, job: job.id }.into());
        }
        let step = job.step.clone().unwrap_or_default();
        cx.tx.add_event(&job, &step, EventLevel::Warning, &message, cx.now).await?;
        Ok(job)
    }
}
