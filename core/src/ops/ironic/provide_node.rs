//! Making a managed node available: Ironic wipes it first, where it is configured to.

use async_trait::async_trait;

use super::{NodeInput, NodeView};
use crate::{
    clients::ironic::Target,
    model::{Risk, Role},
    ops::{OpError, Operation, Outside, Reach, Rest, Spec, Topic},
};

/// Makes a managed node available.
pub struct ProvideNode;

#[async_trait]
impl Operation for ProvideNode {
    type Input = NodeInput;
    type Output = NodeView;
    const SPEC: Spec = Spec {
        name: "provide_node",
        summary: "Makes a manageable node available for provisioning; Ironic wipes it first where cleaning is on",
        topic: Topic::Ironic,
        rest: &[Rest::post("/nodes/{node}/provide").answers(202)],
        cli: "nodes provide <node>",
        risk: Risk::Change,
        lowest: Role::Admin,
        repeatable: true,
        people_only: false,
    };
    const REACH: Reach = Reach::Run;

    fn target(input: &NodeInput) -> String {
        input.node.clone()
    }

    async fn run_outside(cx: &Outside, input: NodeInput) -> Result<NodeView, OpError> {
        cx.send(&input.node, Target::Provide).await
    }
}
