//! Drives one claimed job: step after step, until it waits, ends, or is handed over.
//!
//! What a step came to and what is next are written in one transaction ([`super::turn`]), so that a job of n steps
//! costs n + 1 commits, its claim among them.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    Observed, Settings, StepCx, StepSpec, Undone, Verdict, Witness, Workflow,
    heartbeat::{Signals, start_heartbeat},
};
use crate::{
    clock::SharedClock,
    fault::chain,
    model::{EventLevel, Job, Reason, Step, StepStatus, backoff},
    states::JobEvent,
    store::{Claim, Store, StoreError, StoreResult, Tx, job_key},
    units::Timestamp,
};

/// Everything that one job's task needs.
pub(super) struct Drive {
    pub store: Store,
    pub clock: SharedClock,
    pub workflow: Arc<dyn Workflow>,
    pub witness: Arc<dyn Witness>,
    pub settings: Settings,
    pub stop: CancellationToken,
}

/// A job in a worker's hands, as the last transaction left it. Nobody else writes its journal while the claim holds.
pub(super) struct Held {
    pub claim: Claim,
    pub job: Job,
    pub journal: Vec<Step>,
}

/// What the worker does next; its intent is written.
#[derive(Debug)]
pub(super) enum Turn {
    /// This step.
    Act {
        /// Which.
        spec: StepSpec,
        /// Its journal entry.
        step: Step,
        /// Another worker left it, and did not say whether it acted.
        left_behind: bool,
    },
    /// The undo of this step.
    Undo(Step),
    /// Nothing: the job is let go.
    Over,
}

impl Held {
    pub(super) fn new(job: Job, journal: Vec<Step>) -> Self {
        Self { claim: Claim { job: job.id, epoch: job.lease_epoch }, job, journal }
    }

    /// Keeps what the journal says of a step now.
    pub(super) fn keep(&mut self, step: Step) {
        match self.journal.iter_mut().find(|entry| entry.seq == step.seq) {
            Some(entry) => *entry = step,
            None => self.journal.push(step),
        }
    }
}

impl Drive {
    /// Works on a job that was just claimed, until it is let go or lost. `turn` is what comes first, where the claim
    /// wrote that too.
    pub(super) async fn run(&self, mut held: Held, turn: Option<Turn>) {
        let claim = held.claim;
        let (signals, _beating) = start_heartbeat(&self.store, claim, self.settings.lease);
        let outcome = tokio::select! {
            // First: a worker that wakes after its lease ran out does nothing more.
            biased;
            () = signals.lost.cancelled() => Err(StoreError::LeaseLost(claim.job.to_string())),
            outcome = self.turns(&mut held, turn, &signals) => outcome,
            () = self.grace_over() => self.hand_over(claim).await,
        };
        match outcome {
            Ok(()) => debug!(job = %claim.job, "let go"),
            Err(StoreError::LeaseLost(_)) => warn!(job = %claim.job, "the lease is lost; another worker has the job"),
            // The lease runs out by itself, and whoever claims the job then looks before it acts.
            Err(error) => warn!(job = %claim.job, error = chain(&error), "the job is left to the next claim"),
        }
    }

    async fn turns(&self, held: &mut Held, first: Option<Turn>, signals: &Signals) -> StoreResult<()> {
        let mut turn = if let Some(turn) = first {
            turn
        } else {
            let mut tx = self.begin(held).await?;
            held.journal = tx.steps(held.claim.job).await?;
            self.turn(tx, held, "claim").await?
        };
        loop {
            turn = match turn {
                Turn::Act { spec, step, left_behind } => self.step(held, spec, step, left_behind, signals).await?,
                Turn::Undo(step) => self.undo(held, step).await?,
                Turn::Over => return Ok(()),
            };
        }
    }

    /// One step: its act (or the look whether it acted already), and what came of it.
    async fn step(
        &self,
        held: &mut Held,
        spec: StepSpec,
        step: Step,
        left_behind: bool,
        signals: &Signals,
    ) -> StoreResult<Turn> {
        let workflow = &self.workflow;
        let mut cx = self.cx(held, step);
        if left_behind {
            let seen = AssertUnwindSafe(workflow.observe(spec.name, &mut cx)).catch_unwind().await;
            let verdict = match seen.unwrap_or_else(|_| Observed::Park(panicked(spec.name))) {
                Observed::NotDone => None,
                Observed::Done(data) => Some(Verdict::Done(data)),
                Observed::Unclear { reason, after } => Some(Verdict::Unclear { reason, after }),
                Observed::Park(reason) => return self.park_unsure(held, cx, reason).await,
            };
            if let Some(verdict) = verdict {
                return self.record(held, cx, spec, verdict).await;
            }
        }
        let acted = tokio::select! {
            biased;
            acted = AssertUnwindSafe(workflow.act(spec.name, &mut cx)).catch_unwind() => Some(acted),
            () = self.interrupted(signals), if spec.interruptible => None,
        };
        match acted {
            Some(Ok(verdict)) => self.record(held, cx, spec, verdict).await,
            Some(Err(_)) => self.park_unsure(held, cx, panicked(spec.name)).await,
            None => {
                held.keep(cx.step);
                let tx = self.begin(held).await?;
                self.turn(tx, held, &format!("{}:interrupted", spec.name)).await
            }
        }
    }

    async fn record(&self, held: &mut Held, cx: StepCx, spec: StepSpec, verdict: Verdict) -> StoreResult<Turn> {
        let mut step = cx.step;
        let now = self.now();
        let mut tx = self.begin(held).await?;
        let (status, reason, after) = match verdict {
            Verdict::Done(data) => {
                tx.set_step(held.claim.job, step.seq, StepStatus::Done, Some(&data), now).await?;
                held.keep(Step { status: StepStatus::Done, data, ended_at: Some(now), ..step });
                return self.turn(tx, held, &format!("{}:result", spec.name)).await;
            }
            Verdict::Recorded => {
                held.keep(step);
                return self.turn(tx, held, &format!("{}:next", spec.name)).await;
            }
            Verdict::Retry { reason, .. } if step.attempt >= spec.tries => {
                return self.fail(tx, held, step, &reason).await;
            }
            Verdict::Fail(reason) => return self.fail(tx, held, step, &reason).await,
            Verdict::Park(reason) => {
                tx.set_step(held.claim.job, step.seq, StepStatus::Failed, None, now).await?;
                step.status = StepStatus::Failed;
                return self.park(tx, held, &step, reason).await;
            }
            Verdict::Wait { reason, after } => (Some(StepStatus::Waiting), reason, after),
            Verdict::Retry { reason, after } => {
                (Some(StepStatus::Failed), reason, after.unwrap_or_else(|| backoff(step.attempt)))
            }
            // Its step is left `started`, and so will be observed.
            Verdict::Unclear { reason, after } => (None, reason, after),
        };
        if let Some(status) = status {
            tx.set_step(held.claim.job, step.seq, status, Some(&step.data), now).await?;
        }
        let level = if status == Some(StepStatus::Waiting) { EventLevel::Info } else { EventLevel::Warning };
        self.wait(tx, held, spec.name, level, &reason, after).await
    }

    /// Lets the job go until something may have come of what it waits for.
    async fn wait(
        &self,
        mut tx: Tx,
        held: &Held,
        step: &str,
        level: EventLevel,
        reason: &Reason,
        after: Duration,
    ) -> StoreResult<Turn> {
        let now = self.now();
        // A poll that still waits for the same thing is no news; only the time on the live message moves.
        let repeated = held.job.reason.as_ref().is_some_and(|known| known.code == reason.code);
        if repeated {
            tx.touch_messages(&job_key(held.claim.job)).await?;
        } else {
            tx.add_event(&held.job, step, level, &reason.text, now).await?;
        }
        tx.let_go(&held.job, JobEvent::Wait, Some(reason), now.plus(after), now).await?;
        self.commit(tx, &format!("{step}:wait")).await?;
        Ok(Turn::Over)
    }

    async fn undo(&self, held: &mut Held, step: Step) -> StoreResult<Turn> {
        let mut cx = self.cx(held, step);
        let name = cx.step.name.clone();
        let undone = AssertUnwindSafe(self.workflow.undo(&name, &mut cx)).catch_unwind().await;
        match undone.unwrap_or_else(|_| Undone::Park(panicked(&name))) {
            Undone::Done => {
                let now = self.now();
                let mut tx = self.begin(held).await?;
                tx.set_step(held.claim.job, cx.step.seq, StepStatus::Undone, None, now).await?;
                held.keep(Step { status: StepStatus::Undone, ended_at: Some(now), ..cx.step });
                self.turn(tx, held, &format!("{name}:undone")).await
            }
            // Its entry stays `undoing`: whoever claims the job undoes it again.
            Undone::Wait { reason, after } => {
                let tx = self.begin(held).await?;
                self.wait(tx, held, &name, EventLevel::Info, &reason, after).await
            }
            Undone::Park(reason) => self.park_unsure(held, cx, reason).await,
        }
    }

    /// Parks a job whose step may have taken effect: it stays as it is in the journal, and so is looked at again first.
    async fn park_unsure(&self, held: &mut Held, cx: StepCx, reason: Reason) -> StoreResult<Turn> {
        let tx = self.begin(held).await?;
        self.park(tx, held, &cx.step, reason).await
    }

    /// Gives the job back, whatever it is at: a step that is left `started` is looked at by whoever claims it.
    async fn hand_over(&self, claim: Claim) -> StoreResult<()> {
        let mut tx = self.store.write().await?;
        let job = tx.fence(claim).await?;
        self.release(&mut tx, &job).await?;
        self.commit(tx, "job:release").await
    }

    pub(super) async fn release(&self, tx: &mut Tx, job: &Job) -> StoreResult<()> {
        let now = self.now();
        let step = job.step.as_deref().unwrap_or_default();
        tx.add_event(job, step, EventLevel::Info, "handed over: this process stops", now).await?;
        tx.let_go(job, JobEvent::Release, None, now, now).await?;
        Ok(())
    }

    /// A transaction that holds the fence, with the job as it is now: called off, perhaps.
    async fn begin(&self, held: &mut Held) -> StoreResult<Tx> {
        let mut tx = self.store.write().await?;
        held.job = tx.fence(held.claim).await?;
        Ok(tx)
    }

    fn cx(&self, held: &Held, step: Step) -> StepCx {
        StepCx {
            job: held.job.clone(),
            earlier: held.journal.iter().filter(|entry| entry.seq < step.seq).cloned().collect(),
            step,
            claim: held.claim,
            store: self.store.clone(),
            clock: self.clock.clone(),
            lease: self.settings.lease,
            witness: self.witness.clone(),
        }
    }

    pub(super) async fn commit(&self, tx: Tx, label: &str) -> StoreResult<()> {
        self.witness.before(label).await;
        tx.commit().await?;
        self.witness.after(label).await;
        Ok(())
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A stop, or somebody called the job off.
    async fn interrupted(&self, signals: &Signals) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = signals.cancel.cancelled() => {}
        }
    }

    /// The time that a stop leaves for what is under way is over.
    async fn grace_over(&self) {
        self.stop.cancelled().await;
        self.clock.sleep(self.settings.stop_grace).await;
    }
}

fn panicked(step: &str) -> Reason {
    Reason::new("panicked", format!("{step} stopped by a mistake in this program: its log says where"))
        .with("step", step)
}
