//! Making a node of Ironic's free for the next one: taking it down (`unprovision_node`), or making a managed one
//! available (`provide_node`). Ironic may wipe it on the way.
//!
//! Parameters: those of [`NodeJob`]. They hold the plan that a person allowed; a node that is no longer what the plan
//! says parks the job before Ironic is told anything.
//!
//! Steps, in order: `authorize`, `clean_off` (where it is not to be wiped), `delete` or `provide`, `await_available`,
//! and `clean_back` (where it is not to be wiped).
//!
//! Undo: `clean_off` puts the node's automated cleaning back as it was, once the node is at rest: put back while Ironic
//! takes the node down, it would wipe what was to be kept. So a job that has told Ironic is not called off: it follows
//! the node to its end (`cancel_job` refuses it).

mod reasons;
mod steps;

use std::time::Duration;

use async_trait::async_trait;
use rackhand_core::{
    clients::ironic::Ironic,
    model::{Job, Reason, StepStatus},
    ops::{
        Ops,
        ironic::{AWAIT_AVAILABLE, DELETE, NodeJob, PROVIDE},
    },
    states::JobStatus,
    store::{StoreResult, Tx},
    work::{Observed, StepCx, StepSpec, Undone, Verdict, Workflow},
};
use serde_json::Value;

use super::halt::Halt;

const AUTHORIZE: &str = "authorize";
const CLEAN_OFF: &str = "clean_off";
const CLEAN_BACK: &str = "clean_back";

/// Every step that a job of these kinds may have, in order.
pub const STEPS: [&str; 6] = [AUTHORIZE, CLEAN_OFF, DELETE, PROVIDE, AWAIT_AVAILABLE, CLEAN_BACK];

/// How often a node is asked how far it is.
const POLL: Duration = Duration::from_secs(1);
/// How often an Ironic is asked that is away.
const AWAY: Duration = Duration::from_secs(5);

/// After so long a node's switch that cannot be put back is a person's matter.
const LONGEST: Duration = Duration::from_hours(1);

/// The workflow of one kind of these jobs.
pub struct FreeNode {
    kind: &'static str,
    ops: Ops,
    ironic: Ironic,
}

impl FreeNode {
    /// The workflows of all kinds on these operations.
    pub fn kinds(ops: &Ops, ironic: &Ironic) -> [Self; 2] {
        NodeJob::KINDS.map(|kind| Self { kind, ops: ops.clone(), ironic: ironic.clone() })
    }

    fn doing(&self, params: &Value) -> Result<NodeJob, Reason> {
        NodeJob::read(self.kind, params)
            .map_err(|error| Reason::new("bad-params", format!("the job's parameters cannot be read: {error}")))
    }
}

#[async_trait]
impl Workflow for FreeNode {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn steps(&self, params: &Value) -> Result<Vec<StepSpec>, Reason> {
        let doing = self.doing(params)?;
        let mut steps = vec![StepSpec::new(AUTHORIZE).interruptible()];
        if doing.keeps_disks() {
            steps.push(StepSpec::new(CLEAN_OFF).with_undo());
        }
        steps.extend([StepSpec::new(doing.telling()), StepSpec::new(AWAIT_AVAILABLE).interruptible()]);
        if doing.keeps_disks() {
            steps.push(StepSpec::new(CLEAN_BACK));
        }
        Ok(steps)
    }

    async fn act(&self, step: &str, cx: &mut StepCx) -> Verdict {
        let doing = match self.doing(&cx.job.params) {
            Ok(doing) => doing,
            Err(reason) => return Verdict::Fail(reason),
        };
        let acted = match step {
            AUTHORIZE => self.authorize(cx, &doing).await,
            CLEAN_OFF => self.clean_off(cx, &doing).await,
            DELETE | PROVIDE => self.tell(cx, &doing).await,
            AWAIT_AVAILABLE => self.await_available(cx, &doing).await,
            CLEAN_BACK => Ok(self.clean_back(cx, &doing).await),
            other => Err(Halt::Verdict(Verdict::Fail(Reason::new("unknown-step", format!("no step {other:?}"))))),
        };
        acted.unwrap_or_else(Halt::into_verdict)
    }

    async fn observe(&self, step: &str, cx: &mut StepCx) -> Observed {
        let Ok(doing) = self.doing(&cx.job.params) else { return Observed::NotDone };
        match step {
            DELETE | PROVIDE => self.observe_telling(cx, &doing).await,
            // All others are harmless to repeat.
            _ => Observed::NotDone,
        }
    }

    async fn undo(&self, step: &str, cx: &mut StepCx) -> Undone {
        match (step, self.doing(&cx.job.params)) {
            (CLEAN_OFF, Ok(doing)) => self.undo_clean_off(cx, &doing).await,
            (CLEAN_OFF, Err(reason)) => Undone::Park(reason),
            _ => Undone::Done,
        }
    }

    /// What happened to the disks is known once the node is available: the end says it.
    async fn ended(&self, tx: &mut Tx, job: &Job) -> StoreResult<()> {
        if job.status != JobStatus::Succeeded {
            return Ok(());
        }
        let steps = tx.steps(job.id).await?;
        let seen = steps.iter().find(|step| step.name == AWAIT_AVAILABLE && step.status == StepStatus::Done);
        match (seen, NodeJob::of(job)) {
            (Some(step), Some(doing)) => tx.set_outcome(job.id, &reasons::outcome(&doing, &step.data)).await,
            _ => Ok(()),
        }
    }
}
