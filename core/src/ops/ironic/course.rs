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
    /// When it began: of what a job of ours does, when it was allowed; else as Ironic has it.
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
        // One that breaks down later was provisioned, and is of no use now: the words say both.
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
    let judged = judged(node, said);
    Ok(Course { started_at: started_at(node), ..judged })
}

/// How the unprovisioning of a node goes, as Ironic has it: of a job of ours it knows nothing.
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
    Ok(judged(node, said))
}

/// Whether a node is on its way down, or on a way that we do not know: what becomes of it is not decided yet.
pub fn is_moving_down(state: &ProvisionState) -> bool {
    use ProvisionState as S;
    matches!(state, S::Deleting | S::Cleaning | S::CleanWait | S::CleanHold | S::Other(_))
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

/// What is wrong with a node: what failed, and what keeps it out of use; in one line.
pub fn troubles(node: &Node) -> Option<String> {
    let error = node.last_error.as_ref().filter(|_| is_faulty(node) || is_failure(&node.provision_state));
    let kept = node.maintenance.then(|| {
        let fault = node.fault.as_ref().map(|fault| format!(" ({fault})")).unwrap_or_default();
        // Ironic often gives the error itself as the reason.
        let why = node.maintenance_reason.as_ref().filter(|&why| error.is_none_or(|error| !error.contains(why)));
        format!("in maintenance{fault}{}", why.map(|why| format!(": {why}")).unwrap_or_default())
    });
    let both: Vec<String> = error.cloned().into_iter().chain(kept).collect();
    (!both.is_empty()).then(|| both.join("; "))
}

/// When the provisioning of a node began: with the reservation, where it is ours; else with its state.
pub(super) fn started_at(node: &Node) -> Option<Timestamp> {
    note_of(node).map(|note| note.reserved_at).or(node.provision_updated_at)
}

/// What is said of a node, with what keeps it out of use.
pub(super) fn with_troubles(node: &Node, words: &str) -> String {
    troubles(node).map_or_else(|| words.to_owned(), |troubles| format!("{words}; {troubles}"))
}

/// A course as it is said.
pub(super) fn course(node: &Node, (status, percent, message): Said) -> Course {
    let over = matches!(status, CourseStatus::Completed | CourseStatus::Failed);
    Course {
        operation_id: node.uuid.clone(),
        server_id: node.uuid.clone(),
        status,
        provision_state: node.provision_state.to_string(),
        progress_percent: percent,
        message,
        started_at: node.provision_updated_at,
        completed_at: node.provision_updated_at.filter(|_| over),
    }
}

/// What a node's state says, unless Ironic itself took the node out of use: that has failed, whatever its state.
fn judged(node: &Node, (status, percent, words): Said) -> Course {
    let message = if is_failure(&node.provision_state) { words } else { with_troubles(node, &words) };
    let said = if is_faulty(node) { (CourseStatus::Failed, None, message) } else { (status, percent, message) };
    course(node, said)
}

/// Whether Ironic itself keeps the node out of use.
fn is_faulty(node: &Node) -> bool {
    node.maintenance && node.fault.is_some()
}

/// Whether a node came to this state by a failure on a way up or down.
pub(super) fn is_failure(state: &ProvisionState) -> bool {
    use ProvisionState as S;
    matches!(state, S::DeployFailed | S::AdoptFailed | S::Error | S::CleanFailed)
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
        _ if is_faulty(node) => format!("Server {name} does not go on ({state})"),
        _ => format!("Server {name} is on its way: {state}"),
    }
}

fn failed(node: &Node) -> String {
    let why = troubles(node).unwrap_or_else(|| "Ironic does not say why".to_owned());
    format!("Server {} failed ({}): {why}", name_of(node), node.provision_state)
}

fn not_wiped(node: &Node) -> String {
    format!("Server {} is available. Its cleaning is switched off in Ironic: nothing was wiped", name_of(node))
}
