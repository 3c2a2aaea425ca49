//! The job that takes nodes down, as others than its workflow see it: by its row and its journal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::UnprovisionParams;
use crate::{
    model::{Job, Step, StepStatus},
    states::JobStatus,
    units::Timestamp,
};

/// The kind of the job that takes nodes down.
pub const UNPROVISION_NODE: &str = "unprovision_node";

/// The step of that job which tells Ironic to take the node down.
pub const DELETE: &str = "delete";

/// The step of that job which waits until the node has come to rest.
pub const AWAIT_AVAILABLE: &str = "await_available";

/// What [`DELETE`] remembers once Ironic may have been told.
pub const ASKED: &str = "asked";

/// What [`AWAIT_AVAILABLE`] remembers: since when, as Ironic has it, the node was in the state in which it was last seen.
pub const SINCE: &str = "since";

/// The node that a job is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobNode {
    /// Its UUID.
    pub uuid: String,
    /// Its name when the job was allowed, or its UUID where it had none.
    pub name: String,
}

impl JobNode {
    /// The node of a job; none for a job that is about a server.
    pub fn of(job: &Job) -> Option<Self> {
        unprovision_params(job).map(|params| Self { uuid: params.node, name: params.plan.target })
    }
}

/// Which node a job takes down, and how; none for a job of another kind.
pub fn unprovision_params(job: &Job) -> Option<UnprovisionParams> {
    serde_json::from_value(job.params.clone()).ok().filter(|_| job.kind == UNPROVISION_NODE)
}

/// Whether a job is past calling off: Ironic takes the node down and wipes it, which nothing stops here, and the node's
/// own switch goes back when that has ended. One that is parked for a person may be called off all the same.
pub fn is_past_calling_off(job: &Job, steps: &[Step]) -> bool {
    job.kind == UNPROVISION_NODE && job.status != JobStatus::Parked && was_told(steps)
}

/// Whether Ironic was told to take the node down, as far as is known.
pub(super) fn was_told(steps: &[Step]) -> bool {
    let told = |step: &Step| step.status == StepStatus::Done || step.data.get(ASKED).is_some();
    steps.iter().any(|step| step.name == DELETE && told(step))
}

/// Since when, as Ironic has it, the node has been where the job left it.
pub(super) fn came_to_rest(steps: &[Step]) -> Option<Timestamp> {
    let step = steps.iter().find(|step| step.name == AWAIT_AVAILABLE)?;
    step.data.get(SINCE).and_then(Value::as_i64).map(Timestamp)
}
