//! What exactly taking a node down would do: the same for whoever asks, whoever allows it, and the job that does it.

use serde::{Deserialize, Serialize};

use super::{
    NodeFault, UnprovisionRequest, UnprovisionServer,
    node::name_of,
    node_facts::{NODE, OFF, cleaning_of, facts, known},
};
use crate::{
    clients::ironic::{Node, ProvisionState},
    model::Plan,
    ops::Operation,
};

/// The parameters of a job that takes a node down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnprovisionParams {
    /// The node's UUID.
    pub node: String,
    /// Whether it is to be wiped.
    pub clean: bool,
    /// What was allowed.
    pub plan: Plan,
}

impl UnprovisionParams {
    /// What follows from an allowed plan; none for a plan of something else.
    pub fn of(plan: &Plan) -> Option<Self> {
        let request: UnprovisionRequest = serde_json::from_value(plan.input.clone()).ok()?;
        let node = plan.identity.get(NODE)?.clone();
        (plan.operation == UnprovisionServer::SPEC.name).then(|| Self {
            node,
            clean: request.clean,
            plan: plan.clone(),
        })
    }

    /// What was asked for.
    pub fn request(&self) -> UnprovisionRequest {
        UnprovisionRequest { server_id: self.node.clone(), clean: self.clean }
    }
}

/// Exactly what would be done to a node, if it were allowed.
///
/// # Errors
/// `NotProvisioned` for a node on which nothing is, `Protected` for one that Ironic would not take down.
pub fn unprovision_plan(node: &Node, request: &UnprovisionRequest) -> Result<Plan, NodeFault> {
    let id = || request.server_id.chars().take(64).collect();
    if !can_be_taken_down(&node.provision_state) {
        return Err(NodeFault::NotProvisioned { id: id() });
    }
    if node.protected {
        return Err(NodeFault::Protected { id: id(), why: "Ironic would refuse it".to_owned() });
    }
    let cleaning = if request.clean { cleaning_of(node) } else { OFF };
    let mut identity = facts(node, cleaning);
    identity.insert("instance".to_owned(), known(node.instance_uuid.clone()));
    identity.insert("image".to_owned(), known(node.image()));
    let lost = if cleaning == OFF { ["loss-disk", "loss-not-wiped"].as_slice() } else { &["loss-disk"] };
    Ok(Plan {
        operation: UnprovisionServer::SPEC.name.to_owned(),
        // By its UUID: a name may be given to another node.
        input: serde_json::json!({ "clean": request.clean, "server_id": node.uuid }),
        target: name_of(node).to_owned(),
        identity,
        losses: lost.iter().map(|&loss| loss.to_owned()).collect(),
    })
}

/// Whether Ironic takes a node down from this state.
pub(super) fn can_be_taken_down(state: &ProvisionState) -> bool {
    use ProvisionState as S;
    matches!(
        state,
        S::Active
            | S::WaitCallBack
            | S::DeployHold
            | S::DeployFailed
            | S::Error
            | S::Rescue
            | S::RescueFailed
            | S::UnrescueFailed
    )
}
