//! Taking an enrolled node under management: Ironic tries its BMC.

use async_trait::async_trait;

use super::{NodeFault, NodeInput, NodeView, patiently};
use crate::{
    clients::ironic::{IronicError, ProvisionState, Target},
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

    async fn run_outside(cx: &Outside, input: NodeInput) -> Result<NodeView, OpError> {
        cx.send(&input.node, Target::Manage).await
    }
}

impl Outside {
    /// Tells a node where to go, and shows it on its way. One that is there, or on its way there, is told nothing.
    pub(super) async fn send(&self, id: &str, target: Target) -> Result<NodeView, OpError> {
        let (ironic, fault) = (self.ironic()?, |error| NodeFault::of(id, error));
        let told = patiently(&self.ops.clock, || ironic.provision(id, target, None)).await;
        let node = ironic.node(id).await.map_err(fault)?;
        match told {
            Err(IronicError::InvalidState { .. }) if arrives(&node.provision_state, target) => {}
            told => told.map_err(fault)?,
        }
        Ok(node.into())
    }
}

fn arrives(state: &ProvisionState, target: Target) -> bool {
    use ProvisionState::{Available, CleanWait, Cleaning, Manageable, Verifying};
    match target {
        Target::Manage => matches!(state, Verifying | Manageable),
        _ => matches!(state, Cleaning | CleanWait | Available),
    }
}
