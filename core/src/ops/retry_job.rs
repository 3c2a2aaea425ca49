//! Sending a parked job on.

use async_trait::async_trait;

use super::{
    Cx, JobInput, OpError, Operation, PROVISION_VPS, REINSTALL, Rest, Spec, Topic, approved, approved_plan,
    ironic::NodeJob,
};
use crate::{
    model::{ActorKind, EventLevel, Job, ProvisionParams, Risk, Role, StepStatus},
    states::JobEvent,
};

/// Sends a parked job on, from the step that parked it.
pub struct RetryJob;

#[async_trait]
impl Operation for RetryJob {
    type Input = JobInput;
    type Output = Job;
    const SPEC: Spec = Spec {
        name: "retry_job",
        summary: "Sends a parked job on, from the step where it stopped; one that is still to wipe, only a person",
        topic: Topic::Work,
        rest: &[Rest::post("/jobs/{job}/retry")],
        cli: "jobs retry <job>",
        risk: Risk::Change,
        lowest: Role::Operator,
        repeatable: false,
        people_only: false,
    };

    fn target(input: &JobInput) -> String {
        input.job.clone()
    }

    async fn run(cx: &mut Cx, input: JobInput) -> Result<Job, OpError> {
        let job = cx.job(&input.job).await?;
        if let Some(server) = job.target {
            let server = cx.tx.require_server(server).await?;
            if let Some(why) = server.untouchable() {
                return Err(OpError::Untouchable { handle: server.handle, why });
            }
        }
        if job.ending.is_none() {
            require_fresh_yes(cx, &job).await?;
        }
        let message = format!("sent on by {}", cx.actor.name);
        let step = job.step.clone().unwrap_or_default();
        let moved = cx.tx.push_job(&job, JobEvent::Retry, false, cx.now).await?;
        cx.tx.forget_tries(job.id).await?;
        cx.tx.add_event(&moved, &step, EventLevel::Info, &message, cx.now).await?;
        Ok(moved)
    }
}

/// A job that has its disk still to wipe goes on only as it was begun: by an admin in person, and while the yes to it is
/// worth something. Whoever said that yes did not know yet that the job would be parked.
async fn require_fresh_yes(cx: &mut Cx, job: &Job) -> Result<(), OpError> {
    let Some(wiping) = Wiping::of(job) else { return Ok(()) };
    let wiped = |step: &crate::model::Step| step.name == wiping.step() && step.status == StepStatus::Done;
    if cx.tx.steps(job.id).await?.iter().any(wiped) {
        return Ok(());
    }
    if cx.actor.kind != ActorKind::Person {
        return Err(OpError::PeopleOnly);
    }
    if cx.actor.role < Role::Admin {
        return Err(OpError::Forbidden { who: cx.actor.name.clone(), needs: Role::Admin, has: cx.actor.role });
    }
    let keyring = cx.ops.keyring.clone();
    let given = match &wiping {
        Wiping::Vps(params) => approved(&mut cx.tx, &keyring, job, params).await?,
        Wiping::Node(doing) => approved_plan(&mut cx.tx, &keyring, job, doing.plan()).await?,
    };
    let approval = match job.approval {
        Some(id) if given => cx.tx.approval(id).await?,
        _ => None,
    };
    let until = approval.and_then(|approval| approval.decided_at).map(|at| at.plus(cx.ops.limits.approval_life));
    if until.is_some_and(|until| cx.now < until) { Ok(()) } else { Err(OpError::ApprovalOver { job: job.id }) }
}

/// A job that wipes a disk.
enum Wiping {
    /// Of a rented server.
    Vps(ProvisionParams),
    /// Of a node of Ironic's.
    Node(NodeJob),
}

impl Wiping {
    /// What the job wipes, if it does. Parameters that cannot be read fail at the first step.
    fn of(job: &Job) -> Option<Self> {
        if job.kind == PROVISION_VPS {
            let params = serde_json::from_value(job.params.clone()).ok();
            return params.filter(|it: &ProvisionParams| it.reinstall).map(Self::Vps);
        }
        NodeJob::of(job).map(Self::Node)
    }

    /// The step that wipes it.
    fn step(&self) -> &'static str {
        match self {
            Self::Vps(_) => REINSTALL,
            Self::Node(doing) => doing.telling(),
        }
    }
}
