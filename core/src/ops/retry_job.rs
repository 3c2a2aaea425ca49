//! Sending a parked job on.

use async_trait::async_trait;

use super::{Cx, JobInput, OpError, Operation, Spec};
use crate::{
    model::{EventLevel, Job, Risk, Role},
    states::JobEvent,
};

/// Sends a parked job on, from the step that parked it.
pub struct RetryJob;

#[async_trait]
impl Operation for RetryJob {
    type Input = JobInput;
    type Output = Job;
    const SPEC: Spec = Spec {
        name: "retry_job",
        summary: "Sends a parked job on, from the step where it stopped",
        risk: Risk::Change,
        lowest: Role::Operator,
        repeatable: false,
        people_only: true,
    };

    fn target(input: &JobInput) -> String {
        input.job.clone()
    }

    async fn run(cx: &mut Cx, input: JobInput) -> Result<Job, OpError> {
        let job = cx.job(&input.job).await?;
        if let Some(server) = job.target {
            let server = cx.tx.require_server(server).await?;
            if let Some(why) = server.untouchable() {
                return Err(OpError::Untouchable { handle: server.handle, why });
            }
        }
        let message = format!("sent on by {}", cx.actor.name);
        let step = job.step.clone().unwrap_or_default();
        let moved = cx.tx.push_job(&job, JobEvent::Retry, false, cx.now).await?;
        cx.tx.forget_tries(job.id).await?;
        cx.tx.add_event(&moved, &step, EventLevel::Info, &message, cx.now).await?;
        Ok(moved)
    }
}
