//! Taking a node of Ironic's down.
//!
//! Parameters: [`UnprovisionParams`]. They hold the plan that a person allowed; a node that is no longer what the plan
//! says parks the job before Ironic is told anything.
//!
//! Steps, in order: `authorize`, `clean_off` (where it is not to be wiped), `delete`, `await_available`, and
//! `clean_back` (where it is not to be wiped).
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
        ironic::{AWAIT_AVAILABLE, DELETE, UNPROVISION_NODE, UnprovisionParams},
    },
    states::JobStatus,
    store::{StoreResult, Tx},
    work::{Observed, StepCx, StepSpec, Verdict, Workflow},
};
use serde_json::Value;

use super::halt::Halt;

const AUTHORIZE: &str = "authorize";
const CLEAN_OFF: &str = "clean_off";
const CLEAN_BACK: &str = "clean_back";

/// Every step that a job of this kind may have, in order.
pub const STEPS: [&str; 5] = [AUTHORIZE, CLEAN_OFF, DELETE, AWAIT_AVAILABLE, CLEAN_BACK];

/// How often a node is asked how far it is.
const POLL: Duration = Duration::from_secs(1);

/// The workflow.
pub struct UnprovisionNode {
    ops: Ops,
    ironic: Ironic,
}

impl UnprovisionNode {
    /// The workflow on these operations.
    pub fn new(ops: Ops, ironic: Ironic) -> Self {
        Self { ops, ironic }
    }
}

#[async_trait]
impl Workflow for UnprovisionNode {
    fn kind(&self) -> &'static str {
        UNPROVISION_NODE
    }

    fn steps(&self, params: &Value) -> Result<Vec<StepSpec>, Reason> {
        let params: UnprovisionParams = serde_json::from_value(params.clone())
            .map_err(|error| Reason::new("bad-params", format!("the job's parameters cannot be read: {error}")))?;
        let mut steps = vec![StepSpec::new(AUTHORIZE).interruptible()];
        if !params.clean {
            steps.push(StepSpec::new(CLEAN_OFF).with_undo());
        }
        steps.extend([StepSpec::new(DELETE), StepSpec::new(AWAIT_AVAILABLE).interruptible()]);
        if !params.clean {
            steps.push(StepSpec::new(CLEAN_BACK));
        }
        Ok(steps)
    }

    async fn act(&self, step: &str, cx: &mut StepCx) -> Verdict {
        let params = match cx.params::<UnprovisionParams>() {
            Ok(params) => params,
            Err(reason) => return Verdict::Fail(reason),
        };
        let acted = match step {
            AUTHORIZE => self.authorize(cx, &params).await,
            CLEAN_OFF => self.clean_off(cx, &params).await,
            DELETE => self.delete(cx, &params).await,
            AWAIT_AVAILABLE => self.await_available(cx, &params).await,
            CLEAN_BACK => self.clean_back(cx, &params).await,
            other => Err(Halt::Verdict(Verdict::Fail(Reason::new("unknown-step", format!("no step {other:?}"))))),
        };
        acted.unwrap_or_else(Halt::into_verdict)
    }

    async fn observe(&self, step: &str, cx: &mut StepCx) -> Observed {
        let Ok(params) = cx.params::<UnprovisionParams>() else { return Observed::NotDone };
        match step {
            DELETE => self.observe_delete(cx, &params).await,
            // All others are harmless to repeat.
            _ => Observed::NotDone,
        }
    }

    async fn undo(&self, step: &str, cx: &mut StepCx) -> Result<(), Reason> {
        let params = cx.params::<UnprovisionParams>()?;
        match step {
            CLEAN_OFF => self.undo_clean_off(&params, &cx.step.data).await,
            _ => Ok(()),
        }
    }

    /// What happened to the disks is known once the node is available: the end says it.
    async fn ended(&self, tx: &mut Tx, job: &Job) -> StoreResult<()> {
        if job.status != JobStatus::Succeeded {
            return Ok(());
        }
        let steps = tx.steps(job.id).await?;
        let seen = steps.iter().find(|step| step.name == AWAIT_AVAILABLE && step.status == StepStatus::Done);
        let params = serde_json::from_value::<UnprovisionParams>(job.params.clone());
        match (seen, params) {
            (Some(step), Ok(params)) => tx.set_outcome(job.id, &reasons::outcome(&params, &step.data)).await,
            _ => Ok(()),
        }
    }
}
