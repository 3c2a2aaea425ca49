//! Taking an enrolled node under management: Ironic tries its BMC.

use async_trait::async_trait;

use super::{NodeFault, NodeInput, NodeView, patiently};
use crate::{
    clients::ironic::{
        IronicError,
        ProvisionState::{Manageable, Verifying},
        Target,
    },
    model::{Risk, Role},
    ops::{OpError, Operation, Outside, Reach, Rest, Spec, Topic},
};

/// Has Ironic try a node's BMC and manage the node.
pub struct ManageNode;

#[async_trait]
impl Operation for ManageNode {
    type Input = NodeInput;
    type Output = NodeView;
    const SPEC: Spec = Spec {
        name: "manage_node",
        summary: "Has Ironic try an enrolled node's BMC, so that the node becomes manageable",
        topic: Topic::Ironic,
        rest: &[Rest::post("/nodes/{node}/manage").answers(202)],
        cli: "nodes manage <node>",
        risk: Risk::Change,
        lowest: Role::Admin,
        repeatable: true,
        people_only: false,
    };
    const REACH: Reach = Reach::Run;

    fn target(input: &NodeInput) -> String {
        input.node.clone()
    }

    /// A node that is manageable, or on its way there, stays as it is.
    async fn run_outside(cx: &Outside, input: NodeInput) -> Result<NodeView, OpError> {
        let (ironic, fault) = (cx.ironic()?, |error| NodeFault::of(&input.node, error));
        let told = patiently(&cx.ops.clock, || ironic.provision(&input.node, Target::Manage, None)).await;
        let node = ironic.node(&input.node).await.map_err(fault)?;
        match told {
            Err(IronicError::InvalidState { .. }) if matches!(node.provision_state, Verifying | Manageable) => {}
            told => told.map_err(fault)?,
        }
        Ok(node.into())
    }
}
