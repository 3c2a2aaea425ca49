//! The steps.

use std::time::Duration;

use rackhand_core::{
    clients::ironic::{IronicError, Node, Patch, ProvisionState, Target},
    fault::{Fault, FaultKind},
    model::{EventLevel, Reason},
    ops::{
        approved_plan,
        ironic::{
            ASKED, CourseStatus, SINCE, UNPROVISION_NODE, UnprovisionParams, is_moving_down, last_words, patiently,
            unprovision_course, unprovision_plan,
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
        cx.remember(json!({ ASKED: true })).await?;
        // From here on nobody calls it off; whoever did before is heard.
        if cx.read().await?.require_job(cx.job.id).await?.cancel_requested {
            cx.remember(Value::Null).await?;
            return Ok(Verdict::Wait { reason: reasons::called_off(), after: Duration::ZERO });
        }
        cx.still_mine().await?;
        let told = patiently(cx.clock(), || self.ironic.provision(&params.node, Target::Deleted, None)).await;
        match told {
            Ok(()) => Ok(Verdict::Done(Value::Null)),
            Err(error) if error.effect_unknown() => {
                Ok(Verdict::Unclear { reason: reasons::ironic(&error), after: POLL })
            }
            Err(error) => {
                cx.remember(Value::Null).await?;
                Err(halt(&error))
            }
        }
    }

    /// After a crash, or an answer that was lost: did Ironic get it? A node that is on its way down says so.
    pub(super) async fn observe_delete(&self, cx: &mut StepCx, params: &UnprovisionParams) -> Observed {
        if cx.step.data.get(ASKED).is_none() {
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
        // A node passes through `cleaning` also where nothing is cleaned: only a step of it proves any.
        let cleaning = node.clean_step.is_some() || node.clean_progress.is_some();
        let cleaned = cleaning || was.get("cleaned").and_then(Value::as_bool).unwrap_or(false);
        let Ok(course) = unprovision_course(&node) else {
            return Ok(Verdict::Park(reasons::strayed(&node.provision_state)));
        };
        let (state, since) = (&node.provision_state, node.provision_updated_at);
        let seen = json!({ "cleaned": cleaned, "state": state, "percent": course.progress_percent, SINCE: since });
        if seen != was {
            if ["state", "percent"].iter().any(|fact| seen.get(fact) != was.get(fact)) {
                let percent = course.progress_percent.map(|percent| format!(", {percent} %")).unwrap_or_default();
                cx.log(EventLevel::Info, &format!("{state}{percent}")).await?;
            }
            cx.remember(seen.clone()).await?;
        }
        // The state shows a moment before the lock is free; whoever has the node next should not meet it. And what
        // Ironic took out of use on its way may go on, once that is mended: it has not ended.
        let at_rest = !is_moving_down(state) && node.reservation.is_none();
        match course.status {
            CourseStatus::Completed if at_rest => Ok(Verdict::Done(seen)),
            CourseStatus::Failed if at_rest => {
                let last_error = last_words(&self.ironic, &node).await;
                Ok(Verdict::Fail(reasons::failed(&Node { last_error, ..node })))
            }
            CourseStatus::Failed => Ok(Verdict::Wait { reason: reasons::halted(&node), after: POLL }),
            _ => Ok(Verdict::Wait { reason: reasons::on_its_way(&course), after: POLL }),
        }
    }

    /// The node's switch goes back to what it was.
    pub(super) async fn clean_back(&self, cx: &mut StepCx, params: &UnprovisionParams) -> Result<Verdict, Halt> {
        let was = cx.result_of(CLEAN_OFF).cloned().unwrap_or_default();
        self.put_back(params, &was).await.map_err(|error| halt(&error))?;
        Ok(Verdict::Done(Value::Null))
    }

    /// Puts automated cleaning back where the job does not go on, unless Ironic would wipe then what it is taking down.
    pub(super) async fn undo_clean_off(&self, params: &UnprovisionParams, kept: &Value) -> Result<(), Reason> {
        if kept.get(WAS).is_none() {
            return Ok(());
        }
        let put_back = match self.ironic.node(&params.node).await {
            Ok(node) if is_moving_down(&node.provision_state) => {
                return Err(reasons::still_going(&node.provision_state));
            }
            Ok(_) => self.put_back(params, kept).await,
            Err(error) => Err(error),
        };
        match put_back {
            // There is no switch any more.
            Err(IronicError::NotFound { .. }) => Ok(()),
            put_back => put_back.map_err(|error| reasons::ironic(&error)),
        }
    }

    /// Puts automated cleaning back to what `kept` remembers; what was not remembered was not changed.
    pub(super) async fn put_back(&self, params: &UnprovisionParams, kept: &Value) -> Result<(), IronicError> {
        let Some(was) = kept.get(WAS) else { return Ok(()) };
        // Also a nothing is put back by `add`: a `remove` of this field is a 500.
        let patch = [Patch::add("/automated_clean", was.clone())];
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

fn park(reason: Reason) -> Halt {
    Halt::Verdict(Verdict::Park(reason))
}
