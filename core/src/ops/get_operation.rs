//! How anything stands that was asked for: a job, or a question to a person and the job that came of it.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::Display;

use super::{Cx, OpError, Operation, Rest, Spec, Topic};
use crate::{
    ids::{ApprovalId, JobId},
    model::{Approval, Job, Risk, Role},
    states::{ApprovalStatus, JobStatus},
};

/// Tells how an operation stands.
pub struct GetOperation;

/// Which operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetOperationInput {
    /// What the operation answered when it was asked for: an approval's id, a job's id, or the end of a job's id.
    pub id: String,
}

/// Where an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OperationStatus {
    /// A person has not answered yet.
    AwaitingApproval,
    /// It waits for a worker.
    Queued,
    /// It is being done.
    Running,
    /// It waits for the outside.
    Waiting,
    /// Only a person can go on.
    NeedsPerson,
    /// Done, as it was asked for.
    Succeeded,
    /// It went wrong; what could be undone was undone.
    Failed,
    /// It was called off.
    Cancelled,
    /// A person said no: nothing was done.
    Refused,
    /// Nobody answered in time, or the target changed: nothing was done.
    Expired,
}

/// How an operation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OperationView {
    /// The id that was asked for.
    pub id: String,
    /// Where it is.
    pub status: OperationStatus,
    /// It goes no further: whoever waits need not wait any longer.
    pub done: bool,
    /// The same in English, with the reason where there is one.
    pub message: String,
    /// The question to a person, where there was one.
    pub approval: Option<ApprovalId>,
    /// The job that does it, once there is one.
    pub job: Option<JobId>,
}

#[async_trait]
impl Operation for GetOperation {
    type Input = GetOperationInput;
    type Output = OperationView;
    const SPEC: Spec = Spec {
        name: "get_operation",
        summary: "Tells how something that was asked for stands, by the id of its approval or job",
        topic: Topic::Work,
        rest: &[Rest::get("/operations/{id}")],
        cli: "operations show <id>",
        risk: Risk::Read,
        lowest: Role::Viewer,
        repeatable: true,
        people_only: false,
    };

    fn target(input: &GetOperationInput) -> String {
        input.id.clone()
    }

    async fn run(cx: &mut Cx, input: GetOperationInput) -> Result<OperationView, OpError> {
        let name = input.id.trim();
        let approval = match name.parse() {
            Ok(id) => cx.tx.approval(id).await?,
            Err(_) => None,
        };
        let job = match &approval {
            Some(approval) => match approval.job {
                Some(id) => Some(cx.tx.require_job(id).await?),
                None => None,
            },
            None => Some(cx.job(name).await.map_err(|error| match error {
                OpError::NotFound { name, .. } => OpError::NotFound { what: "operation", name },
                error => error,
            })?),
        };
        let (status, message) = match (&job, &approval) {
            (Some(job), _) => of_job(job),
            (None, Some(approval)) => of_approval(approval, cx),
            (None, None) => return Err(OpError::NotFound { what: "operation", name: name.to_owned() }),
        };
        Ok(OperationView {
            id: input.id.clone(),
            status,
            done: status.is_end(),
            message,
            approval: approval.map(|approval| approval.id).or(job.as_ref().and_then(|job| job.approval)),
            job: job.map(|job| job.id),
        })
    }
}

impl OperationStatus {
    /// Nothing comes after it by itself.
    pub fn is_end(self) -> bool {
        !matches!(self, Self::AwaitingApproval | Self::Queued | Self::Running | Self::Waiting)
    }
}

fn of_job(job: &Job) -> (OperationStatus, String) {
    let status = match job.status {
        JobStatus::Queued => OperationStatus::Queued,
        JobStatus::Running => OperationStatus::Running,
        JobStatus::Waiting => OperationStatus::Waiting,
        JobStatus::Parked => OperationStatus::NeedsPerson,
        JobStatus::Succeeded => OperationStatus::Succeeded,
        JobStatus::Failed => OperationStatus::Failed,
        JobStatus::Cancelled => OperationStatus::Cancelled,
    };
    let reason = if status.is_end() { job.outcome.as_ref().or(job.reason.as_ref()) } else { job.reason.as_ref() };
    let step = job.step.as_deref().filter(|_| status != OperationStatus::Succeeded);
    let step = step.map(|step| format!(" at step {step}")).unwrap_or_default();
    let why = reason.map(|reason| format!(": {}", reason.text)).unwrap_or_default();
    let message = format!("job {} is {}{step}{why}", job.id.short(), job.status);
    (status, message)
}

fn of_approval(approval: &Approval, cx: &Cx) -> (OperationStatus, String) {
    let by = approval.decided_by.as_deref().unwrap_or("nobody");
    match approval.status {
        ApprovalStatus::Asked if approval.expires_at > cx.now => (
            OperationStatus::AwaitingApproval,
            format!("a person has to approve it in the chat, until {}", approval.expires_at),
        ),
        ApprovalStatus::Asked => (OperationStatus::Expired, "nobody answered in time: ask for it anew".to_owned()),
        ApprovalStatus::Approved => (OperationStatus::Queued, format!("approved by {by}")),
        ApprovalStatus::Used => (OperationStatus::Succeeded, format!("approved by {by}, and done")),
        ApprovalStatus::Refused => (OperationStatus::Refused, format!("refused by {by}: nothing was done")),
        ApprovalStatus::Expired => {
            let why = approval.outcome.as_deref().unwrap_or("expired");
            (OperationStatus::Expired, format!("{why}: nothing was done, ask for it anew"))
        }
    }
}
