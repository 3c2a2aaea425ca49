//! How the unprovisioning of a node goes.

use async_trait::async_trait;

use super::{
    Course, CourseStatus, OperationInput, UNPROVISION_NODE, UnprovisionParams, UnprovisionRequest,
    course::{course, is_moving_down, with_troubles},
    node::name_of,
    node_job_seen::{came_to_rest, was_told},
    unprovision_course, unprovision_plan,
};
use crate::{
    clients::ironic::Node,
    model::{Approval, Job, Risk, Role},
    ops::{OpError, Operation, Outside, Reach, Rest, Spec, Topic},
    states::{ApprovalStatus, JobStatus},
    units::Timestamp,
};

/// Tells how the unprovisioning of a node goes.
pub struct CheckUnprovisionStatus;

#[async_trait]
impl Operation for CheckUnprovisionStatus {
    type Input = OperationInput;
    type Output = Course;
    const SPEC: Spec = Spec {
        name: "check_unprovision_status",
        summary: "Tells how the unprovisioning of a bare-metal node goes, as Ironic has it at this moment",
        topic: Topic::Ironic,
        rest: &[Rest::get("/unprovision/{operation_id}")],
        cli: "nodes unprovision-status <operation_id>",
        risk: Risk::Read,
        lowest: Role::Viewer,
        repeatable: true,
        people_only: false,
    };
    const REACH: Reach = Reach::Run;

    fn target(input: &OperationInput) -> String {
        input.operation_id.clone()
    }

    async fn run_outside(cx: &Outside, input: OperationInput) -> Result<Course, OpError> {
        let Some((approval, params)) = cx.question(&input.operation_id).await? else {
            let node = cx.node_with_words(&input.operation_id).await?;
            return cx.unprovisioning(&node).await;
        };
        let node = cx.node_with_words(&params.node).await?;
        let course = match of_question(&node, &approval, cx.now) {
            Some(course) => course,
            None => match cx.ended_job(&approval).await? {
                Some(job) => cx.of_ended(&node, &job).await?,
                None => cx.unprovisioning(&node).await?,
            },
        };
        Ok(Course { operation_id: input.operation_id, ..course })
    }
}

impl Outside {
    /// The question whether a node may be taken down, by its own id, and what it would do.
    async fn question(&self, id: &str) -> Result<Option<(Approval, UnprovisionParams)>, OpError> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let approval = self.ops.store.read().await?.approval(id).await?;
        Ok(approval.and_then(|approval| {
            let params = UnprovisionParams::of(&approval.plan)?;
            Some((approval, params))
        }))
    }

    /// The job that an approval started, if it is over.
    async fn ended_job(&self, approval: &Approval) -> Result<Option<Job>, OpError> {
        let Some(id) = approval.job else { return Ok(None) };
        let job = self.ops.store.read().await?.require_job(id).await?;
        Ok(Some(job).filter(|job| job.finished_at.is_some()))
    }

    /// How it goes: by the job that does it, where there is one; else by a question that is open; else by the node.
    async fn unprovisioning(&self, node: &Node) -> Result<Course, OpError> {
        let mut tx = self.ops.store.read().await?;
        if let Some(job) = tx.open_jobs_with(UNPROVISION_NODE, "node", &node.uuid).await?.first() {
            return Ok(of_job(node, job));
        }
        let course = unprovision_course(node);
        for clean in [true, false] {
            let request = UnprovisionRequest { server_id: node.uuid.clone(), clean };
            let Ok(plan) = unprovision_plan(node, &request) else { break };
            if let Some(asked) = tx.approval_asked_for(&plan.hash()).await?
                && asked.expires_at > self.now
            {
                return Ok(of_question(node, &asked, self.now).map_or(course, Ok)?);
            }
        }
        let course = course?;
        // Where the node is as our last job left it, it is that job of which is told.
        if let Some(job) = tx.last_job_with(UNPROVISION_NODE, "node", &node.uuid).await?
            && came_to_rest(&tx.steps(job.id).await?).is_some_and(|at| Some(at) == node.provision_updated_at)
        {
            return Ok(Course { started_at: Some(job.created_at), ..course });
        }
        Ok(course)
    }

    /// What came of a job, whatever has become of the node since. Ironic goes on with what a job has told it also where
    /// the job does not.
    async fn of_ended(&self, node: &Node, job: &Job) -> Result<Course, OpError> {
        let steps = self.ops.store.read().await?.steps(job.id).await?;
        Ok(match unprovision_course(node) {
            Ok(seen) if job.status == JobStatus::Cancelled && was_told(&steps) => {
                let words = format!("job {} was called off: Rackhand no longer follows it, Ironic goes on", job.id);
                Course { started_at: Some(job.created_at), message: format!("{}; {words}", seen.message), ..seen }
            }
            _ => of_job_at_its_end(node, job),
        })
    }
}

/// How an open job goes: by the node while that is on its way, else by the job itself, for Ironic was not told yet, and
/// an error is an old one; or the node is at rest, and what is left is the job's to do.
fn of_job(node: &Node, job: &Job) -> Course {
    let parked = job.reason.as_ref().filter(|_| job.status == JobStatus::Parked);
    let stopped = parked.map(|why| format!("job {} stopped and needs a person: {}", job.id, why.text));
    let started_at = Some(job.created_at);
    match unprovision_course(node) {
        Ok(seen) if is_moving_down(&node.provision_state) => {
            let message = stopped.map_or_else(|| seen.message.clone(), |words| format!("{}; {words}", seen.message));
            Course { message, started_at, ..seen }
        }
        _ => {
            let words = stopped.unwrap_or_else(|| format!("it is allowed, and job {} is at it", job.id));
            let message = with_troubles(node, &format!("Server {}: {words}", name_of(node)));
            Course { started_at, ..course(node, (CourseStatus::InProgress, None, message)) }
        }
    }
}

fn of_job_at_its_end(node: &Node, job: &Job) -> Course {
    let (status, percent) = match job.status {
        JobStatus::Succeeded => (CourseStatus::Completed, Some(100)),
        _ => (CourseStatus::Failed, None),
    };
    let words = job.outcome.as_ref().or(job.reason.as_ref()).map_or(String::new(), |why| format!(": {}", why.text));
    let message = format!("Server {}: job {} {}{words}", name_of(node), job.id, job.status);
    Course {
        started_at: Some(job.created_at),
        completed_at: job.finished_at,
        ..course(node, (status, percent, message))
    }
}

/// What an approval by itself says; nothing once it was given.
fn of_question(node: &Node, approval: &Approval, now: Timestamp) -> Option<Course> {
    let (name, id) = (name_of(node), approval.id);
    let said = match approval.status {
        ApprovalStatus::Approved | ApprovalStatus::Used => return None,
        ApprovalStatus::Asked if approval.expires_at > now => {
            let words = format!("Server {name}: a person has to allow it first, in the chat (approval {id})");
            (CourseStatus::AwaitingApproval, None, with_troubles(node, &words))
        }
        ApprovalStatus::Refused => {
            let by = approval.decided_by.as_deref().unwrap_or("somebody");
            let did = if approval.is_withdrawn() { "asked for it and took it back" } else { "refused it" };
            (CourseStatus::Failed, None, format!("Server {name}: {by} {did}, and nothing was done"))
        }
        ApprovalStatus::Asked | ApprovalStatus::Expired => {
            let words = format!("Server {name}: nobody allowed it in time, or it changed, and nothing was done");
            (CourseStatus::Failed, None, words)
        }
    };
    let completed_at = approval.decided_at.filter(|_| said.0 == CourseStatus::Failed);
    Some(Course { started_at: Some(approval.asked_at), completed_at, ..course(node, said) })
}
