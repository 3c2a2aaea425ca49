//! One node.

use async_trait::async_trait;

use super::{NodeInput, NodeView};
use crate::{
    model::{Risk, Role},
    ops::{OpError, Operation, Outside, Reach, Rest, Spec, Topic},
};

/// Shows a node.
pub struct GetNode;

#[async_trait]
impl Operation for GetNode {
    type Input = NodeInput;
    type Output = NodeView;
    const SPEC: Spec = Spec {
        name: "get_node",
        summary: "Shows one bare-metal node of Ironic, by UUID or name",
        topic: Topic::Ironic,
        rest: &[Rest::get("/nodes/{node}")],
        cli: "nodes show <node>",
        risk: Risk::Read,
        lowest: Role::Viewer,
        repeatable: true,
        people_only: false,
    };
    const REACH: Reach = Reach::Run;

    fn target(input: &NodeInput) -> String {
        input.node.clone()
    }

    async fn run_outside(cx: &Outside, input: NodeInput) -> Result<NodeView, OpError> {
        // A node that failed says why, also where the power check has cleared it since.
        Ok(cx.node_with_words(&input.node).await?.into())
    }
}
