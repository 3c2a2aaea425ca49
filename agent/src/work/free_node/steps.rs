//! The steps.

use std::time::Duration;

use rackhand_core::{
    clients::ironic::{IronicError, Node, Patch, ProvisionState},
    fault::{Fault, FaultKind},
    model::{EventLevel, Reason},
    ops::{
        approved_plan,
        ironic::{
            ASKED, CourseStatus, NodeJob, SINCE, is_moving_down, last_words, open_node_jobs, patiently,
            unprovision_course,
        },
    },
    work::{Observed, StepCx, Undone, Verdict},
};
use serde_json::{Value, json};

use super::{AWAY, CLEAN_OFF, FreeNode, Halt, LONGEST, POLL, reasons};

impl FreeNode {
    /// A person allowed exactly this, the node is still what they were shown, and no other job has it.
    pub(super) async fn authorize(&self, cx: &mut StepCx, doing: &NodeJob) -> Result<Verdict, Halt> {
        let mut tx = cx.begin().await?;
        if !doing.follows_from_its_plan() || !approved_plan(&mut tx, &self.ops.keyring, &cx.job, doing.plan()).await? {
            return Ok(Verdict::Park(reasons::not_approved()));
        }
        let open = open_node_jobs(&mut tx, doing.node()).await?;
        if open.iter().any(|job| job.id != cx.job.id && (job.started_at.is_some() || job.id < cx.job.id)) {
            return Ok(Verdict::Fail(reasons::another_job()));
        }
        drop(tx);
        self.unchanged(doing).await?;
        Ok(Verdict::Done(Value::Null))
    }

    /// Ironic has no word for "without cleaning": the node's own switch is thrown, after what it was is written down.
    pub(super) async fn clean_off(&self, cx: &mut StepCx, doing: &NodeJob) -> Result<Verdict, Halt> {
        if cx.step.data.get(WAS).is_none() {
            let node = self.unchanged(doing).await?;
            cx.remember(json!({ WAS: node.automated_clean })).await?;
        }
        cx.still_mine().await?;
        let off = [Patch::add("/automated_clean", false)];
        let patched = patiently(cx.clock(), || self.ironic.patch_node(doing.node(), &off)).await;
        patched.map_err(|error| halt(&error))?;
        Ok(Verdict::Done(cx.step.data.clone()))
    }

    /// Tells Ironic to begin.
    pub(super) async fn tell(&self, cx: &mut StepCx, doing: &NodeJob) -> Result<Verdict, Halt> {
        let node = self.node(doing).await?;
        if is_going(&node.provision_state) {
            return Ok(Verdict::Done(Value::Null));
        }
        prove(&node, doing)?;
        cx.remember(json!({ ASKED: true })).await?;
        // From here on nobody calls it off; whoever did before is heard.
        if cx.read().await?.require_job(cx.job.id).await?.cancel_requested {
            cx.remember(Value::Null).await?;
            return Ok(Verdict::Wait { reason: reasons::called_off(), after: Duration::ZERO });
        }
        cx.still_mine().await?;
        let told = patiently(cx.clock(), || self.ironic.provision(doing.node(), doing.target(), None)).await;
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

    /// After a crash, or an answer that was lost: did Ironic get it? A node that is on its way says so.
    pub(super) async fn observe_telling(&self, cx: &mut StepCx, doing: &NodeJob) -> Observed {
        if cx.step.data.get(ASKED).is_none() {
            return Observed::NotDone;
        }
        match self.ironic.node(doing.node()).await {
            Ok(node) if is_going(&node.provision_state) => Observed::Done(Value::Null),
            // To say it once more does no more than to say it once: whoever is second is told that it is under way.
            Ok(_) => Observed::NotDone,
            Err(error) => Observed::Unclear { reason: reasons::ironic(&error), after: POLL },
        }
    }

    /// Waits until the node is available again.
    pub(super) async fn await_available(&self, cx: &mut StepCx, doing: &NodeJob) -> Result<Verdict, Halt> {
        let node = match self.ironic.node(doing.node()).await {
            Ok(node) => node,
            // It goes on in Ironic, whatever happens to our questions.
            Err(error) if error.kind() == FaultKind::Unavailable => {
                return Ok(Verdict::Wait { reason: reasons::ironic(&error), after: AWAY });
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
    pub(super) async fn clean_back(&self, cx: &mut StepCx, doing: &NodeJob) -> Verdict {
        let was = cx.result_of(CLEAN_OFF).cloned().unwrap_or_default();
        match in_time(cx, self.put_back(doing, &was).await) {
            Undone::Done => Verdict::Done(Value::Null),
            Undone::Wait { reason, after } => Verdict::Wait { reason, after },
            Undone::Park(reason) => Verdict::Park(reason),
        }
    }

    /// Puts automated cleaning back where the job does not go on, unless Ironic would wipe then what it is taking down.
    pub(super) async fn undo_clean_off(&self, cx: &StepCx, doing: &NodeJob) -> Undone {
        let kept = &cx.step.data;
        let undone = match self.ironic.node(doing.node()).await {
            Ok(node) if kept.get(WAS).is_some() && is_moving_down(&node.provision_state) => {
                Undone::Wait { reason: reasons::still_going(&node.provision_state), after: POLL }
            }
            // What else may be wrong shows when it is put back.
            _ => self.put_back(doing, kept).await,
        };
        in_time(cx, undone)
    }

    /// Puts automated cleaning back to what `kept` remembers; what was not remembered was not changed. It is not given
    /// up while the node moves, locked, or Ironic is away: whoever has the node next would not be wiped after.
    async fn put_back(&self, doing: &NodeJob, kept: &Value) -> Undone {
        let Some(was) = kept.get(WAS) else { return Undone::Done };
        // Also a nothing is put back by `add`: a `remove` of this field is a 500.
        let patch = [Patch::add("/automated_clean", was.clone())];
        match self.ironic.patch_node(doing.node(), &patch).await {
            // A node that is gone has no switch.
            Ok(_) | Err(IronicError::NotFound { .. }) => Undone::Done,
            Err(error) if matches!(error, IronicError::InvalidState { .. } | IronicError::Locked { .. }) => {
                Undone::Wait { reason: reasons::switch_waits(&error), after: POLL }
            }
            Err(error) if error.kind() == FaultKind::Unavailable => {
                Undone::Wait { reason: reasons::switch_waits(&error), after: AWAY }
            }
            Err(error) => Undone::Park(reasons::ironic(&error)),
        }
    }

    async fn node(&self, doing: &NodeJob) -> Result<Node, Halt> {
        self.ironic.node(doing.node()).await.map_err(|error| halt(&error))
    }

    /// The node, if it is still what was allowed.
    async fn unchanged(&self, doing: &NodeJob) -> Result<Node, Halt> {
        let node = self.node(doing).await?;
        prove(&node, doing)?;
        Ok(node)
    }
}

/// What `clean_off` remembers: automated cleaning as it was.
const WAS: &str = "was";

/// Nobody hears of a job that waits: after too long it is parked, which people are told, and they send it on.
fn in_time(cx: &StepCx, undone: Undone) -> Undone {
    match undone {
        Undone::Wait { reason, .. } if cx.now().since(cx.step.started_at) > LONGEST => Undone::Park(reason),
        undone => undone,
    }
}

/// Whether the node is still what was allowed; the switch that this job throws is no part of that.
fn prove(node: &Node, doing: &NodeJob) -> Result<(), Halt> {
    let now = doing.plan_again(node).map_err(|fault| park(reasons::fault(&fault)))?;
    let changes = doing.plan().changes(&now);
    if changes.is_empty() { Ok(()) } else { Err(park(reasons::changed(&changes))) }
}

/// Whether a node is on its way to being available, or there.
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
