//! Ending a node's maintenance. Ironic begins one itself where a cleaning or the power fails, and never ends that of a
//! cleaning: until somebody does, it gives the node to nobody.
//!
//! It ends in any state. As Ironic comes, a node in maintenance is managed and made available all the same; where
//! `allow_provisioning_in_maintenance` is off, it is made available only afterwards.

use async_trait::async_trait;

use super::{NodeFault, NodeInput, NodeView, patiently};
use crate::{
    model::{Risk, Role},
    ops::{OpError, Operation, Outside, Reach, Rest, Spec, Topic},
};

/// Ends a node's maintenance.
pub struct EndMaintenance;

#[async_trait]
impl Operation for EndMaintenance {
    type Input = NodeInput;
    type Output = NodeView;
    const SPEC: Spec = Spec {
        name: "end_maintenance",
        summary: "Ends a node's maintenance, such as Ironic begins where cleaning fails: mend the node before",
        topic: Topic::Ironic,
        rest: &[Rest::post("/nodes/{node}/end-maintenance")],
        cli: "nodes end-maintenance <node>",
        risk: Risk::Change,
        lowest: Role::Admin,
        repeatable: true,
        people_only: false,
    };
    const REACH: Reach = Reach::Run;

    fn target(input: &NodeInput) -> String {
        input.node.clone()
    }

    /// Of a node that is in no maintenance, Ironic is told nothing.
    async fn run_outside(cx: &Outside, input: NodeInput) -> Result<NodeView, OpError> {
        let (ironic, fault) = (cx.ironic()?, |error| NodeFault::of(&input.node, error));
        let seen = ironic.node(&input.node).await.map_err(fault)?;
        if !seen.maintenance {
            return Ok(seen.into());
        }
        let told = patiently(&cx.ops.clock, || ironic.end_maintenance(&seen.uuid)).await;
        let node = ironic.node(&seen.uuid).await.map_err(fault)?;
        // An answer may be lost, and somebody else be faster.
        if node.maintenance {
            told.map_err(fault)?;
        }
        Ok(node.into())
    }
}
