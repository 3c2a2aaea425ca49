//! How the unprovisioning of a node goes.

use async_trait::async_trait;

use super::{Course, CourseStatus, NodeFault, OperationInput, UNPROVISION_NODE, unprovision_course};
use crate::{
    model::{Risk, Role},
    ops::{OpError, Operation, Outside, Reach, Rest, Spec, Topic},
};

/// Tells how the unprovisioning of a node goes.
pub struct CheckUnprovisionStatus;

#[async_trait]
impl Operation for CheckUnprovisionStatus {
    type Input = OperationInput;
    type Output = Course;
    const SPEC: Spec = Spec {
        name: "check_unprovision_status",
        summary: "Tells how the unprovisioning of a bare-metal node goes, as Ironic has it at this moment",
        topic: Topic::Ironic,
        rest: &[Rest::get("/unprovision/{operation_id}")],
        cli: "nodes unprovision-status <operation_id>",
        risk: Risk::Read,
        lowest: Role::Viewer,
        repeatable: true,
        people_only: false,
    };
    const REACH: Reach = Reach::Run;

    fn target(input: &OperationInput) -> String {
        input.operation_id.clone()
    }

    async fn run_outside(cx: &Outside, input: OperationInput) -> Result<Course, OpError> {
        let node = cx.node_with_words(&input.operation_id, unprovision_course).await?;
        match unprovision_course(&node) {
            // It was allowed, and its job has not come to tell Ironic yet.
            Err(fault @ NodeFault::NotUnprovisioning { .. }) => {
                let mut tx = cx.ops.store.read().await?;
                let jobs = tx.open_jobs_with(UNPROVISION_NODE, "node", &node.uuid).await?;
                let job = jobs.into_iter().next().ok_or(fault)?;
                Ok(Course {
                    operation_id: node.uuid.clone(),
                    server_id: node.uuid,
                    status: CourseStatus::InProgress,
                    provision_state: node.provision_state.to_string(),
                    progress_percent: Some(0),
                    message: format!("It is allowed, and begins: job {}", job.id),
                    started_at: Some(job.created_at),
                    completed_at: None,
                })
            }
            course => Ok(course?),
        }
    }
}
