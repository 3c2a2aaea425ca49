//! Long work as tasks, for clients that speak the protocol's extension `io.modelcontextprotocol/tasks` (SEP-2663).
//!
//! A task is nothing of its own: it is the operation that was asked for, under its approval's or its job's id, and how
//! it stands is read anew each time. So any replica answers, and a restart loses nothing.

use rackhand_core::{
    ids::{ApprovalId, JobId},
    model::Actor,
    ops::{
        Answer, ApprovalInput, CancelJob, Entry, GetOperation, GetOperationInput, JobInput, OpError, OperationStatus,
        OperationView, WithdrawApproval,
    },
    units::Timestamp,
};
use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolResult, ClientCapabilities, CreateTaskResult, DetailedTask, GetTaskResult, JsonObject, Task,
        TaskPayload, TaskStatus,
    },
    service::RequestContext,
};
use serde_json::Value;

use super::{Mcp, read::error_data};

/// How soon a client may ask again, in ms, while it is worked on.
const SOON_MS: u64 = 1_000;
/// The same while only a person can go on.
const LATER_MS: u64 = 5_000;

/// Whether the client said with this very request that it understands a task in place of a result. Revisions before the
/// extension know nothing of it, whatever their clients say.
pub(super) fn are_spoken(context: &RequestContext<RoleServer>) -> bool {
    super::is_later(context)
        && context.meta.client_capabilities().is_some_and(|capabilities| capabilities.supports_tasks())
}

/// Refuses questions about tasks of a client that does not speak of them.
pub(super) fn require_spoken(context: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
    if are_spoken(context) {
        return Ok(());
    }
    let needed = ClientCapabilities::builder().enable_tasks().build();
    Err(ErrorData::missing_required_client_capability(needed))
}

/// The id under which what was asked for goes on; none where it is done.
pub(super) fn id_of(entry: &Entry, answer: &Answer<Value>) -> Option<String> {
    match answer {
        Answer::AwaitingApproval(id) => Some(id.to_string()),
        Answer::Done(output) if entry.starts_job => output.get("job").and_then(Value::as_str).map(str::to_owned),
        Answer::Done(_) => None,
    }
}

impl Mcp {
    /// The task that an operation has become.
    pub(super) async fn new_task(&self, actor: &Actor, id: String) -> Result<CreateTaskResult, OpError> {
        let view = self.read::<GetOperation>(actor, &GetOperationInput { id }).await?;
        Ok(CreateTaskResult::new(described(&view)))
    }

    /// How a task stands, with its result once it has ended.
    pub(super) async fn task(&self, actor: &Actor, id: &str) -> Result<GetTaskResult, ErrorData> {
        let view = self.view(actor, id).await?;
        let payload = payload(&view).map_err(|error| error_data(OpError::Answer(error)))?;
        Ok(GetTaskResult::new(DetailedTask::new(described(&view), payload)))
    }

    /// Calls the job off, or takes the question back that nobody has answered. What has ended stays as it is.
    pub(super) async fn cancel(&self, actor: &Actor, id: &str) -> Result<(), ErrorData> {
        let view = self.view(actor, id).await?;
        if status(&view).is_terminal() {
            return Ok(());
        }
        let job = match (view.job, view.approval) {
            (None, Some(question)) => self.take_back(actor, question).await.map_err(error_data)?,
            (job, _) => job,
        };
        let Some(job) = job else { return Ok(()) };
        match self.ops.call::<CancelJob>(actor, &JobInput { job: job.to_string() }, None).await {
            // It ended meanwhile.
            Ok(_) | Err(OpError::Illegal(_)) => Ok(()),
            Err(error) => Err(error_data(error)),
        }
    }

    /// Takes a question back; a yes that was faster has begun a job.
    async fn take_back(&self, actor: &Actor, approval: ApprovalId) -> Result<Option<JobId>, OpError> {
        match self.ops.call::<WithdrawApproval>(actor, &ApprovalInput { approval }, None).await? {
            Answer::Done(view) => Ok(view.job),
            Answer::AwaitingApproval(_) => Err(OpError::NoPlan),
        }
    }

    /// The operation that is a task of this id. A node is none: its UUID names the machine, not one request.
    pub(super) async fn view(&self, actor: &Actor, id: &str) -> Result<OperationView, ErrorData> {
        let unknown = || {
            let id: String = id.chars().take(64).collect();
            ErrorData::invalid_params(format!("there is no task {id:?}"), None)
        };
        // The end of an id does for a person, and would let a program guess.
        let whole = id.parse::<JobId>().map_err(|_| unknown())?.to_string();
        match self.read::<GetOperation>(actor, &GetOperationInput { id: whole }).await {
            Ok(view) if view.course.is_none() => Ok(view),
            Ok(_) | Err(OpError::NotFound { .. } | OpError::Node(_)) => Err(unknown()),
            Err(error) => Err(error_data(error)),
        }
    }
}

fn status(view: &OperationView) -> TaskStatus {
    match view.status {
        OperationStatus::AwaitingApproval
        | OperationStatus::Queued
        | OperationStatus::Running
        | OperationStatus::Waiting
        // A person may send it on, and an ended task never goes on.
        | OperationStatus::NeedsPerson => TaskStatus::Working,
        OperationStatus::Cancelled => TaskStatus::Cancelled,
        // A failed task is one that the protocol itself had an error with.
        OperationStatus::Succeeded
        | OperationStatus::Failed
        | OperationStatus::Refused
        | OperationStatus::Expired => TaskStatus::Completed,
    }
}

fn payload(view: &OperationView) -> Result<TaskPayload, serde_json::Error> {
    Ok(match status(view) {
        TaskStatus::Completed => TaskPayload::Completed { result: result(view)? },
        TaskStatus::Cancelled => TaskPayload::Cancelled,
        _ => TaskPayload::Working,
    })
}

/// The tool's result: how the operation ended, and an error where it was not done.
fn result(view: &OperationView) -> Result<JsonObject, serde_json::Error> {
    let answer = serde_json::to_value(view)?;
    let result = match view.status {
        OperationStatus::Succeeded => CallToolResult::structured(answer),
        _ => CallToolResult::structured_error(answer),
    };
    serde_json::from_value(serde_json::to_value(result)?)
}

fn described(view: &OperationView) -> Task {
    let at = |moment: Option<Timestamp>| moment.unwrap_or(Timestamp(0)).to_string();
    let asks_people = matches!(view.status, OperationStatus::AwaitingApproval | OperationStatus::NeedsPerson);
    Task::new(&view.id, status(view), at(view.asked_at), at(view.changed_at))
        .with_status_message(&view.message)
        .with_poll_interval_ms(if asks_people { LATER_MS } else { SOON_MS })
}
