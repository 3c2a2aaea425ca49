//! How the provisioning of a node goes.

use async_trait::async_trait;

use super::{
    Course, NodeFault, OperationInput,
    course::{is_failure, last_words, provision_course},
};
use crate::{
    clients::ironic::Node,
    model::{Risk, Role},
    ops::{OpError, Operation, Outside, Reach, Rest, Spec, Topic},
};

/// Tells how the provisioning of a node goes.
pub struct CheckProvisionStatus;

#[async_trait]
impl Operation for CheckProvisionStatus {
    type Input = OperationInput;
    type Output = Course;
    const SPEC: Spec = Spec {
        name: "check_provision_status",
        summary: "Tells how the provisioning of a bare-metal node goes, as Ironic has it at this moment",
        topic: Topic::Ironic,
        rest: &[Rest::get("/provision/{operation_id}")],
        cli: "nodes provision-status <operation_id>",
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
        let node = cx.node_with_words(&input.operation_id).await?;
        Ok(provision_course(&node)?)
    }
}

impl Outside {
    /// A node; one that failed, with what went wrong.
    pub(super) async fn node_with_words(&self, id: &str) -> Result<Node, OpError> {
        let ironic = self.ironic()?;
        let mut node = ironic.node(id).await.map_err(|error| NodeFault::of(id, error))?;
        if is_failure(&node.provision_state) {
            node.last_error = last_words(ironic, &node).await;
        }
        Ok(node)
    }
}
