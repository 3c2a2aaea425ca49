//! How far a node is, derived from what Ironic tells of it at this moment, and from nothing else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{NodeFault, node::name_of, reservation::note_of};
use crate::{
    clients::ironic::{Ironic, Node, Progress, ProvisionState},
    units::Timestamp,
};

/// The input of questions about how it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationInput {
    /// What the request answered: the node's UUID, or the id of the approval that it waits for.
    pub operation_id: String,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CourseStatus {
    /// A person has to allow it first: nothing was done.
    AwaitingApproval,
    /// It was taken.
    Accepted,
    /// It is under way.
    InProgress,
    /// It is done.
    Completed,
    /// It failed.
    Failed,
}

/// How far a node is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Course {
    /// What was asked about: the node's UUID, or the approval's id.
    pub operation_id: String,
    /// The node's UUID.
    pub server_id: String,
    /// How far it is.
    pub status: CourseStatus,
    /// Where the node is, in Ironic's words.
    pub provision_state: String,
    /// About how much of it is done; none where Ironic does not tell.
    pub progress_percent: Option<u8>,
    /// The same in words, with what went wrong and what to do.
    pub message: String,
    /// When it began, as Ironic has it.
    pub started_at: Option<Timestamp>,
    /// When it was done, or failed.
    pub completed_at: Option<Timestamp>,
}

/// What a state says.
type Said = (CourseStatus, Option<u8>, String);

/// How the provisioning of a node goes.
///
/// # Errors
/// `NotProvisioning` for a node that was never provisioned, or is being taken down.
pub(super) fn provision_course(node: &Node) -> Result<Course, NodeFault> {
    use CourseStatus::{Completed, Failed, InProgress};
    use ProvisionState as S;
    let moving = |usual: Option<u8>| (InProgress, percent(node.deploy_progress).or(usual), on_its_way(node));
    let said: Said = match &node.provision_state {
        S::Available if note_of(node).is_some() => {
            (InProgress, Some(0), format!("Server {} is reserved, and not yet begun", name_of(node)))
        }
        S::Deploying => moving(Some(30)),
        S::WaitCallBack | S::DeployHold => moving(Some(60)),
        S::Adopting | S::Other(_) => moving(None),
        S::DeployFailed | S::AdoptFailed | S::Error => (Failed, None, failed(node)),
        S::Active => (Completed, Some(100), format!("Server {} is provisioned", name_of(node))),
        S::Rescuing
        | S::RescueWait
        | S::RescueFailed
        | S::Rescue
        | S::Unrescuing
        | S::UnrescueFailed
        | S::Servicing
        | S::ServiceWait
        | S::ServiceHold
        | S::ServiceFailed => {
            (Completed, Some(100), format!("Server {} is provisioned; now: {}", name_of(node), node.provision_state))
        }
        _ => {
            let (id, state) = (name_of(node).to_owned(), node.provision_state.to_string());
            return Err(NodeFault::NotProvisioning { id, state });
        }
    };
    Ok(course(node, said))
}

/// How the unprovisioning of a node goes.
///
/// # Errors
/// `NotUnprovisioning` for a node that is in use, or that never was.
pub fn unprovision_course(node: &Node) -> Result<Course, NodeFault> {
    use CourseStatus::{Completed, Failed, InProgress};
    use ProvisionState as S;
    let moving = |usual: Option<u8>| (InProgress, percent(node.clean_progress).or(usual), on_its_way(node));
    let said: Said = match &node.provision_state {
        S::Deleting => moving(Some(20)),
        S::Cleaning => moving(Some(50)),
        S::CleanWait | S::CleanHold => moving(Some(70)),
        S::Other(_) => moving(None),
        S::Error | S::CleanFailed => (Failed, None, failed(node)),
        S::Available if node.automated_clean == Some(false) => (Completed, Some(100), not_wiped(node)),
        S::Available => (Completed, Some(100), format!("Server {} is available", name_of(node))),
        _ => {
            let (id, state) = (name_of(node).to_owned(), node.provision_state.to_string());
            return Err(NodeFault::NotUnprovisioning { id, state });
        }
    };
    Ok(course(node, said))
}

/// What went wrong on a node, also where the power check has cleared it since.
pub async fn last_words(ironic: &Ironic, node: &Node) -> Option<String> {
    if let Some(error) = &node.last_error {
        return Some(error.clone());
    }
    // What went wrong is told, not why it is not known what went wrong.
    let history = ironic.history(&node.uuid).await.unwrap_or_default();
    history.into_iter().next_back().map(|event| event.event)
}

/// When what a node is at began: with the reservation, where it is ours; else with its state.
pub(super) fn started_at(node: &Node) -> Option<Timestamp> {
    note_of(node).map(|note| note.reserved_at).or(node.provision_updated_at)
}

pub(super) fn course(node: &Node, (mut status, mut percent, mut message): Said) -> Course {
    // What Ironic itself took out of use goes nowhere, whatever its state says.
    if let (true, Some(fault), CourseStatus::InProgress) = (node.maintenance, &node.fault, status) {
        let why = node.maintenance_reason.as_deref().or(node.last_error.as_deref()).unwrap_or(fault);
        (status, percent) = (CourseStatus::Failed, None);
        message = format!("Server {} is in maintenance ({fault}): {why}", name_of(node));
    }
    let over = matches!(status, CourseStatus::Completed | CourseStatus::Failed);
    Course {
        operation_id: node.uuid.clone(),
        server_id: node.uuid.clone(),
        status,
        provision_state: node.provision_state.to_string(),
        progress_percent: percent,
        message,
        started_at: started_at(node),
        completed_at: node.provision_updated_at.filter(|_| over),
    }
}

fn percent(progress: Option<Progress>) -> Option<u8> {
    let Progress { done, all } = progress?;
    u8::try_from(done.saturating_mul(100).checked_div(all)?).ok()
}

fn on_its_way(node: &Node) -> String {
    let (name, state) = (name_of(node), &node.provision_state);
    match state {
        ProvisionState::DeployHold | ProvisionState::CleanHold => {
            format!("Server {name} is held by a step ({state}): it goes on when somebody says `unhold` to it in Ironic")
        }
        _ => format!("Server {name} is on its way: {state}"),
    }
}

fn failed(node: &Node) -> String {
    let why = node.last_error.as_deref().or(node.maintenance_reason.as_deref()).unwrap_or("Ironic does not say why");
    format!("Server {} failed ({}): {why}", name_of(node), node.provision_state)
}

fn not_wiped(node: &Node) -> String {
    format!("Server {} is available. Its cleaning is switched off in Ironic: nothing was wiped", name_of(node))
}
