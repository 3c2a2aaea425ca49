//! The jobs that make nodes free, as others than their workflow see them: by their rows and their journals.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DELETE, NodeJob, PROVIDE};
use crate::{
    model::{Job, Step, StepStatus},
    states::JobStatus,
    units::Timestamp,
};

/// The step of such a job which waits until the node has come to rest.
pub const AWAIT_AVAILABLE: &str = "await_available";

/// What the step that tells Ironic remembers once it may have been told.
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
        NodeJob::of(job).map(|doing| Self { uuid: doing.node().to_owned(), name: doing.plan().target.clone() })
    }
}

/// Whether a job is past calling off: Ironic makes the node free and wipes it, which nothing stops here, and the node's
/// own switch goes back when that has ended. One that is parked for a person may be called off all the same.
pub fn is_past_calling_off(job: &Job, steps: &[Step]) -> bool {
    NodeJob::KINDS.contains(&job.kind.as_str()) && job.status != JobStatus::Parked && was_told(steps)
}

/// Whether Ironic was told, as far as is known.
pub(super) fn was_told(steps: &[Step]) -> bool {
    let told = |step: &Step| step.status == StepStatus::Done || step.data.get(ASKED).is_some();
    steps.iter().any(|step| [DELETE, PROVIDE].contains(&step.name.as_str()) && told(step))
}

/// Since when, as Ironic has it, the node has been where the job left it.
pub(super) fn came_to_rest(steps: &[Step]) -> Option<Timestamp> {
    let step = steps.iter().find(|step| step.name == AWAIT_AVAILABLE)?;
    step.data.get(SINCE).and_then(Value::as_i64).map(Timestamp)
}
