//! How anything stands that was asked for: a job, a question to a person and the job that came of it, or a node that is
//! being provisioned, which is Ironic's to tell.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::Display;

use super::{
    CheckProvisionStatus, Cx, NodeFault, OpError, Operation, Outside, Reach, Rest, Spec, Topic,
    ironic::{Course, CourseStatus, OperationInput},
};
use crate::{
    ids::{ApprovalId, JobId},
    model::{Approval, Job, Risk, Role},
    states::{ApprovalStatus, JobStatus},
    units::Timestamp,
};

/// Tells how an operation stands.
pub struct GetOperation;

/// Which operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetOperationInput {
    /// What the operation answered when it was asked for: an approval's id, a job's id or the end of one, or the UUID of
    /// a node that is being provisioned.
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
    /// It was called off, or taken back before anybody answered.
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
    /// How the node goes, where this is its provisioning.
    pub course: Option<Course>,
    /// When it was asked for; of a node, as Ironic has it.
    pub asked_at: Option<Timestamp>,
    /// When something was last heard of it.
    pub changed_at: Option<Timestamp>,
}

#[async_trait]
impl Operation for GetOperation {
    type Input = GetOperationInput;
    type Output = OperationView;
    const SPEC: Spec = Spec {
        name: "get_operation",
        summary: "Tells how something that was asked for stands, by the id of its approval, its job or its node",
        topic: Topic::Work,
        rest: &[Rest::get("/operations/{id}")],
        cli: "operations show <id>",
        risk: Risk::Read,
        lowest: Role::Viewer,
        repeatable: true,
        people_only: false,
    };
    // What the database does not know may be a node, of which Ironic tells.
    const REACH: Reach = Reach::Run;

    fn target(input: &GetOperationInput) -> String {
        input.id.clone()
    }

    async fn run_outside(cx: &Outside, input: GetOperationInput) -> Result<OperationView, OpError> {
        let mut inside = cx.ops.cx(cx.ops.store.read().await?, &cx.actor);
        match inside.operation(&input.id).await {
            Err(OpError::NotFound { what, name }) => {
                drop(inside);
                of_node(cx, &input.id).await?.ok_or(OpError::NotFound { what, name })
            }
            known => known,
        }
    }
}

impl Cx {
    /// How a job stands, or a question with the job that came of it.
    pub(super) async fn operation(&mut self, id: &str) -> Result<OperationView, OpError> {
        let approval = match id.trim().parse() {
            Ok(id) => self.tx.approval(id).await?,
            Err(_) => None,
        };
        let job = match &approval {
            Some(approval) => match approval.job {
                Some(id) => Some(self.tx.require_job(id).await?),
                None => None,
            },
            None => Some(self.job(id).await.map_err(|error| match error {
                OpError::NotFound { name, .. } => OpError::NotFound { what: "operation", name },
                error => error,
            })?),
        };
        let (status, message) = match (&job, &approval) {
            (Some(job), _) => of_job(job),
            (None, Some(approval)) => of_approval(approval, self),
            (None, None) => return Err(OpError::NotFound { what: "operation", name: id.to_owned() }),
        };
        let told = match &job {
            Some(job) => self.tx.last_events(job.id, 1).await?.pop().map(|event| event.at),
            None => None,
        };
        let decided_at = approval.as_ref().and_then(|approval| approval.decided_at);
        let asked_at = approval.as_ref().map(|it| it.asked_at).or(job.as_ref().map(|it| it.created_at));
        Ok(OperationView {
            id: id.to_owned(),
            status,
            done: status.is_end(),
            message,
            approval: approval.map(|approval| approval.id).or(job.as_ref().and_then(|job| job.approval)),
            job: job.as_ref().map(|job| job.id),
            course: None,
            asked_at,
            changed_at: job.and_then(|job| job.finished_at).or(told).or(decided_at).or(asked_at),
        })
    }
}

/// How the node of this UUID goes; none where there is no such node, or no Ironic.
async fn of_node(cx: &Outside, id: &str) -> Result<Option<OperationView>, OpError> {
    let Ok(node) = id.trim().parse::<uuid::Uuid>() else { return Ok(None) };
    let course = match CheckProvisionStatus::run_outside(cx, OperationInput { operation_id: node.to_string() }).await {
        Ok(course) => course,
        Err(OpError::Node(NodeFault::NoIronic | NodeFault::NotFound { .. })) => return Ok(None),
        Err(error) => return Err(error),
    };
    let status = match course.status {
        CourseStatus::AwaitingApproval => OperationStatus::AwaitingApproval,
        CourseStatus::Accepted | CourseStatus::InProgress => OperationStatus::Running,
        CourseStatus::Completed => OperationStatus::Succeeded,
        CourseStatus::Failed => OperationStatus::Failed,
    };
    Ok(Some(OperationView {
        id: id.to_owned(),
        status,
        done: status.is_end(),
        message: course.message.clone(),
        approval: None,
        job: None,
        asked_at: course.started_at,
        changed_at: course.completed_at.or(course.started_at),
        course: Some(course),
    }))
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
        ApprovalStatus::Refused if approval.is_withdrawn() => {
            (OperationStatus::Cancelled, format!("taken back by {by}, who asked for it: nothing was done"))
        }
        ApprovalStatus::Refused => (OperationStatus::Refused, format!("refused by {by}: nothing was done")),
        ApprovalStatus::Expired => {
            let why = approval.outcome.as_deref().unwrap_or("expired");
            (OperationStatus::Expired, format!("{why}: nothing was done, ask for it anew"))
        }
    }
}
