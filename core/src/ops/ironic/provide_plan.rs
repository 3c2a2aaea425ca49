//! What exactly making a node available would do: the same for whoever asks, whoever allows it, and the job that does it.

use serde::{Deserialize, Serialize};

use super::{
    NodeFault, NodeInput, ProvideNode,
    node::name_of,
    node_facts::{NODE, OFF, cleaning_of, facts},
};
use crate::{
    clients::ironic::{Node, ProvisionState},
    model::Plan,
    ops::Operation,
};

/// The parameters of a job that makes a node available.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvideParams {
    /// The node's UUID.
    pub node: String,
    /// What was allowed.
    pub plan: Plan,
}

impl ProvideParams {
    /// What follows from an allowed plan; none for a plan of something else.
    pub fn of(plan: &Plan) -> Option<Self> {
        let node = plan.identity.get(NODE)?.clone();
        (plan.operation == ProvideNode::SPEC.name).then(|| Self { node, plan: plan.clone() })
    }
}

/// Exactly what would be done to a node, if it were allowed.
///
/// # Errors
/// `WrongState` for a node that is not manageable.
pub fn provide_plan(node: &Node, request: &NodeInput) -> Result<Plan, NodeFault> {
    let state = &node.provision_state;
    if *state != ProvisionState::Manageable {
        let why = format!("it is {state}, and only what is manageable is made available");
        return Err(NodeFault::WrongState { id: request.node.chars().take(64).collect(), why });
    }
    let cleaning = cleaning_of(node);
    let lost = if cleaning == OFF { "loss-none" } else { "loss-disk" };
    Ok(Plan {
        operation: ProvideNode::SPEC.name.to_owned(),
        // By its UUID: a name may be given to another node.
        input: serde_json::json!({ "node": node.uuid }),
        target: name_of(node).to_owned(),
        identity: facts(node, cleaning),
        losses: vec![lost.to_owned()],
    })
}
