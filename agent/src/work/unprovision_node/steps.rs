//! The steps.

use rackhand_core::{
    clients::ironic::{IronicError, Node, Patch, ProvisionState, Target},
    fault::{Fault, FaultKind},
    model::EventLevel,
    ops::{
        approved_plan,
        ironic::{
            CourseStatus, UNPROVISION_NODE, UnprovisionParams, last_words, patiently, unprovision_course,
            unprovision_plan,
        },
    },
    work::{Observed, StepCx, Verdict},
};
use serde_json::{Value, json};

use super::{CLEAN_OFF, Halt, POLL, UnprovisionNode, reasons};

impl UnprovisionNode {
    /// A person allowed exactly this, the node is still what they were shown, and no other job has it.
    pub(super) async fn authorize(&self, cx: &mut StepCx, params: &UnprovisionParams) -> Result<Verdict, Halt> {
        let mut tx = cx.begin().await?;
        if UnprovisionParams::of(&params.plan).as_ref() != Some(params)
            || !approved_plan(&mut tx, &self.ops.keyring, &cx.job, &params.plan).await?
        {
            return Ok(Verdict::Park(reasons::not_approved()));
        }
        let open = tx.open_jobs_with(UNPROVISION_NODE, "node", &params.node).await?;
        if open.iter().any(|job| job.id != cx.job.id && (job.started_at.is_some() || job.id < cx.job.id)) {
            return Ok(Verdict::Fail(reasons::another_job()));
        }
        drop(tx);
        self.unchanged(params).await?;
        Ok(Verdict::Done(Value::Null))
    }

    /// Ironic has no word for "without cleaning": the node's own switch is thrown, after what it was is written down.
    pub(super) async fn clean_off(&self, cx: &mut StepCx, params: &UnprovisionParams) -> Result<Verdict, Halt> {
        if cx.step.data.get(WAS).is_none() {
            let node = self.unchanged(params).await?;
            cx.remember(json!({ WAS: node.automated_clean })).await?;
        }
        cx.still_mine().await?;
        let off = [Patch::add("/automated_clean", false)];
        let patched = patiently(cx.clock(), || self.ironic.patch_node(&params.node, &off)).await;
        patched.map_err(|error| halt(&error))?;
        Ok(Verdict::Done(cx.step.data.clone()))
    }

    /// Tells Ironic to take it down.
    pub(super) async fn delete(&self, cx: &mut StepCx, params: &UnprovisionParams) -> Result<Verdict, Halt> {
        let node = self.node(params).await?;
        if is_going(&node.provision_state) {
            return Ok(Verdict::Done(Value::Null));
        }
        prove(&node, params)?;
        cx.remember(json!({ "asked": true })).await?;
        cx.still_mine().await?;
        let told = patiently(cx.clock(), || self.ironic.provision(&params.node, Target::Deleted, None)).await;
        match told {
            Ok(()) => Ok(Verdict::Done(Value::Null)),
            Err(error) if error.effect_unknown() => {
                Ok(Verdict::Unclear { reason: reasons::ironic(&error), after: POLL })
            }
            Err(error) => Err(halt(&error)),
        }
    }

    /// After a crash, or an answer that was lost: did Ironic get it? A node that is on its way down says so.
    pub(super) async fn observe_delete(&self, cx: &mut StepCx, params: &UnprovisionParams) -> Observed {
        if cx.step.data.get("asked").is_none() {
            return Observed::NotDone;
        }
        match self.ironic.node(&params.node).await {
            Ok(node) if is_going(&node.provision_state) => Observed::Done(Value::Null),
            // To say it once more does no more than to say it once: whoever is second is told that it is under way.
            Ok(_) => Observed::NotDone,
            Err(error) => Observed::Unclear { reason: reasons::ironic(&error), after: POLL },
        }
    }

    /// Waits until the node is available again.
    pub(super) async fn await_available(&self, cx: &mut StepCx, params: &UnprovisionParams) -> Result<Verdict, Halt> {
        let node = match self.ironic.node(&params.node).await {
            Ok(node) => node,
            // It goes on in Ironic, whatever happens to our questions.
            Err(error) if error.kind() == FaultKind::Unavailable => {
                return Ok(Verdict::Wait { reason: reasons::ironic(&error), after: POLL * 5 });
            }
            Err(error) => return Err(halt(&error)),
        };
        let was = cx.step.data.clone();
        let cleaning = matches!(
            node.provision_state,
            ProvisionState::Cleaning | ProvisionState::CleanWait | ProvisionState::CleanHold
        );
        let cleaned = cleaning || was.get("cleaned").and_then(Value::as_bool).unwrap_or(false);
        let Ok(course) = unprovision_course(&node) else {
            return Ok(Verdict::Park(reasons::strayed(&node.provision_state)));
        };
        let seen = json!({ "cleaned": cleaned, "state": course.provision_state, "percent": course.progress_percent });
        match course.status {
            // The state shows a moment before the lock is free; whoever has the node next should not meet it.
            CourseStatus::Completed if node.reservation.is_none() => return Ok(Verdict::Done(seen)),
            CourseStatus::Failed => {
                let words = last_words(&self.ironic, &node).await;
                return Ok(Verdict::Fail(reasons::failed(&node.provision_state, words.as_deref())));
            }
            _ => {}
        }
        if seen != was {
            let percent = course.progress_percent.map(|percent| format!(", {percent} %")).unwrap_or_default();
            cx.log(EventLevel::Info, &format!("{}{percent}", course.provision_state)).await?;
            cx.remember(seen).await?;
        }
        Ok(Verdict::Wait { reason: reasons::on_its_way(&course), after: POLL })
    }

    /// The node's switch goes back to what it was.
    pub(super) async fn clean_back(&self, cx: &mut StepCx, params: &UnprovisionParams) -> Result<Verdict, Halt> {
        let was = cx.result_of(CLEAN_OFF).cloned().unwrap_or_default();
        self.put_back(params, &was).await.map_err(|error| halt(&error))?;
        Ok(Verdict::Done(Value::Null))
    }

    /// Puts automated cleaning back to what `kept` remembers; what was not remembered was not changed.
    pub(super) async fn put_back(&self, params: &UnprovisionParams, kept: &Value) -> Result<(), IronicError> {
        let Some(was) = kept.get(WAS) else { return Ok(()) };
        let patch = match was {
            Value::Null => [Patch::remove("/automated_clean")],
            was => [Patch::add("/automated_clean", was.clone())],
        };
        let clock = &self.ops.clock;
        patiently(clock, || self.ironic.patch_node(&params.node, &patch)).await.map(drop)
    }

    async fn node(&self, params: &UnprovisionParams) -> Result<Node, Halt> {
        self.ironic.node(&params.node).await.map_err(|error| halt(&error))
    }

    /// The node, if it is still what was allowed.
    async fn unchanged(&self, params: &UnprovisionParams) -> Result<Node, Halt> {
        let node = self.node(params).await?;
        prove(&node, params)?;
        Ok(node)
    }
}

/// What `clean_off` remembers: automated cleaning as it was.
const WAS: &str = "was";

/// Whether the node is still what was allowed; the switch that this job throws is no part of that.
fn prove(node: &Node, params: &UnprovisionParams) -> Result<(), Halt> {
    let now = unprovision_plan(node, &params.request()).map_err(|fault| park(reasons::fault(&fault)))?;
    let changes = params.plan.changes(&now);
    if changes.is_empty() { Ok(()) } else { Err(park(reasons::changed(&changes))) }
}

/// Whether a node is on its way down, or there.
fn is_going(state: &ProvisionState) -> bool {
    use ProvisionState as S;
    matches!(state, S::Deleting | S::Cleaning | S::CleanWait | S::CleanHold | S::CleanFailed | S::Available)
}

/// What an error of Ironic's means for a step whose request certainly had no effect.
fn halt(error: &IronicError) -> Halt {
    let reason = reasons::ironic(error);
    Halt::Verdict(match error.kind() {
        FaultKind::Unavailable => Verdict::Retry { reason, after: None },
        _ if matches!(error, IronicError::Locked { .. }) => Verdict::Retry { reason, after: None },
        _ => Verdict::Park(reason),
    })
}

fn park(reason: rackhand_core::model::Reason) -> Halt {
    Halt::Verdict(Verdict::Park(reason))
}
