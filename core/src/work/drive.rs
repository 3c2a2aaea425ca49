//! Drives one claimed job: step after step, until it waits, ends, or is handed over.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{debug, info, warn};

use super::{Observed, Settings, StepCx, StepSpec, Verdict, Witness, Workflow};
use crate::{
    clock::SharedClock,
    fault::chain,
    model::{EventLevel, Job, Reason, Step, StepStatus, backoff},
    states::{JobEvent, JobStatus},
    store::{Claim, Store, StoreError, StoreResult},
    units::Timestamp,
};

/// Everything that one job's task needs.
pub(super) struct Drive {
    pub store: Store,
    pub clock: SharedClock,
    pub workflow: Option<Arc<dyn Workflow>>,
    pub witness: Arc<dyn Witness>,
    pub settings: Settings,
    pub stop: CancellationToken,
}

/// Tokens by which the heartbeat speaks to the task.
pub(super) struct Signals {
    /// The lease is gone.
    pub lost: CancellationToken,
    /// Somebody called the job off.
    pub cancel: CancellationToken,
}

/// Whether the task goes on with the job.
pub(super) enum Next {
    /// On to the next step.
    On,
    /// The job is let go.
    Over,
}

impl Drive {
    /// Works on a job that was just claimed, until it is let go or lost.
    pub(super) async fn run(&self, job: Job) {
        let claim = Claim { job: job.id, epoch: job.lease_epoch };
        let (signals, _beating) = self.start_heartbeat(claim);
        let outcome = tokio::select! {
            outcome = self.steps(claim, &signals) => outcome,
            () = signals.lost.cancelled() => Err(StoreError::LeaseLost(job.id.to_string())),
        };
        match outcome {
            Ok(()) => debug!(job = %job.id, "let go"),
            Err(StoreError::LeaseLost(_)) => warn!(job = %job.id, "the lease is lost; another worker has the job"),
            // The lease runs out by itself, and whoever claims the job then looks before it acts.
            Err(error) => warn!(job = %job.id, error = chain(&error), "the job is left to the next claim"),
        }
    }

    async fn steps(&self, claim: Claim, signals: &Signals) -> StoreResult<()> {
        loop {
            let mut tx = self.store.read().await?;
            let job = tx.require_job(claim.job).await?;
            let journal = tx.steps(claim.job).await?;
            drop(tx);
            let next = match self.plan(&job) {
                Err(reason) => self.begin_ending(claim, JobStatus::Failed, &reason, None).await?,
                Ok((workflow, specs)) if job.ending.is_some() => {
                    self.wind_down(claim, &job, &workflow, &specs, &journal).await?
                }
                Ok(_) if job.cancel_requested => {
                    let reason = Reason::new("cancelled", "called off by a person");
                    self.begin_ending(claim, JobStatus::Cancelled, &reason, None).await?
                }
                Ok((workflow, specs)) => {
                    let done = |seq: i64| journal.iter().any(|e| e.seq == seq && e.status == StepStatus::Done);
                    match (0_i64..).zip(&specs).find(|(seq, _)| !done(*seq)) {
                        None => self.succeed(claim, &job, &workflow).await?,
                        Some((seq, spec)) => self.step(claim, &job, &workflow, (seq, spec), journal, signals).await?,
                    }
                }
            };
            if let Next::Over = next {
                return Ok(());
            }
        }
    }

    fn plan(&self, job: &Job) -> Result<(Arc<dyn Workflow>, Vec<StepSpec>), Reason> {
        let unknown = || Reason::new("unknown-kind", format!("this program knows no workflow {:?}", job.kind));
        let workflow = self.workflow.clone().ok_or_else(unknown)?;
        let specs = workflow.steps(&job.params)?;
        Ok((workflow, specs))
    }

    /// One step: its intent, its act (or the look whether it acted already), its result.
    async fn step(
        &self,
        claim: Claim,
        job: &Job,
        workflow: &Arc<dyn Workflow>,
        (seq, spec): (i64, &StepSpec),
        mut journal: Vec<Step>,
        signals: &Signals,
    ) -> StoreResult<Next> {
        let known = journal.iter().position(|entry| entry.seq == seq).map(|at| journal.remove(at));
        // A step that waited, or was never begun, is ours to begin; one that is `started` was left by a dead worker.
        let left_behind = known.as_ref().is_some_and(|entry| entry.status == StepStatus::Started);
        let step = match known {
            Some(entry) if entry.status == StepStatus::Started => entry,
            Some(entry) if entry.status == StepStatus::Waiting => self.go_on(claim, entry).await?,
            _ => self.intend(claim, job, seq, spec.name).await?,
        };
        let mut cx = self.cx(claim, job.clone(), step, journal);
        if left_behind {
            match workflow.observe(spec.name, &mut cx).await {
                Observed::NotDone => {}
                Observed::Done(data) => return self.done(&cx, &data).await,
                Observed::Unclear { reason, after } => return self.wait(&cx, None, reason, after).await,
                Observed::Park(reason) => return self.park(&cx, reason).await,
            }
        }
        match self.act(workflow, spec, &mut cx, signals).await {
            Some(verdict) => self.record(&cx, spec, verdict).await,
            None if self.stop.is_cancelled() => self.hand_over(&cx).await,
            // Called off: the loop reads the job again and sees it.
            None => Ok(Next::On),
        }
    }

    /// Acts; none when it was interrupted.
    async fn act(
        &self,
        workflow: &Arc<dyn Workflow>,
        spec: &StepSpec,
        cx: &mut StepCx,
        signals: &Signals,
    ) -> Option<Verdict> {
        let interrupted = async {
            tokio::select! {
                () = self.stop.cancelled() => {
                    if !spec.interruptible {
                        self.clock.sleep(self.settings.stop_grace).await;
                    }
                }
                () = signals.cancel.cancelled(), if spec.interruptible => {}
            }
        };
        tokio::select! {
            biased;
            verdict = workflow.act(spec.name, cx) => Some(verdict),
            () = interrupted => None,
        }
    }

    async fn record(&self, cx: &StepCx, spec: &StepSpec, verdict: Verdict) -> StoreResult<Next> {
        match verdict {
            Verdict::Done(data) => self.done(cx, &data).await,
            Verdict::Recorded => Ok(Next::On),
            Verdict::Wait { reason, after } => self.wait(cx, Some(StepStatus::Waiting), reason, after).await,
            Verdict::Unclear { reason, after } => self.wait(cx, None, reason, after).await,
            Verdict::Retry { reason, after } if cx.step.attempt < spec.tries => {
                let after = after.unwrap_or_else(|| backoff(cx.step.attempt));
                self.wait(cx, Some(StepStatus::Failed), reason, after).await
            }
            Verdict::Retry { reason, .. } | Verdict::Fail(reason) => {
                self.begin_ending(cx.claim, JobStatus::Failed, &reason, Some(&cx.step)).await
            }
            Verdict::Park(reason) => self.park(cx, reason).await,
        }
    }

    async fn intend(&self, claim: Claim, job: &Job, seq: i64, name: &str) -> StoreResult<Step> {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        tx.fence(claim).await?;
        let step = tx.begin_step(claim.job, seq, name, now).await?;
        tx.at_step(claim.job, name).await?;
        let message = if step.attempt > 1 { format!("try {}", step.attempt) } else { "begins".to_owned() };
        tx.add_event(job, name, EventLevel::Info, &message, now).await?;
        self.commit(tx, &format!("{name}:intent")).await?;
        info!(job = %claim.job, step = name, attempt = step.attempt, "step begins");
        Ok(step)
    }

    async fn go_on(&self, claim: Claim, step: Step) -> StoreResult<Step> {
        let mut tx = self.store.write().await?;
        tx.fence(claim).await?;
        tx.resume_step(claim.job, step.seq).await?;
        self.commit(tx, &format!("{}:resume", step.name)).await?;
        Ok(Step { status: StepStatus::Started, ..step })
    }

    async fn done(&self, cx: &StepCx, data: &Value) -> StoreResult<Next> {
        let mut tx = cx.begin().await?;
        tx.set_step(cx.job.id, cx.step.seq, StepStatus::Done, Some(data), cx.now()).await?;
        cx.commit(tx, "result").await?;
        Ok(Next::On)
    }

    /// Lets the job go until later; `step` is where its step is left, none to leave it `started` and so to be observed.
    async fn wait(&self, cx: &StepCx, step: Option<StepStatus>, reason: Reason, after: Duration) -> StoreResult<Next> {
        let now = cx.now();
        let mut tx = self.store.write().await?;
        let job = tx.fence(cx.claim).await?;
        if let Some(status) = step {
            tx.set_step(job.id, cx.step.seq, status, Some(&cx.step.data), now).await?;
        }
        // A poll that still waits for the same thing is no news.
        let repeated = cx.job.reason.as_ref().is_some_and(|known| known.code == reason.code);
        if !repeated {
            let level = if step == Some(StepStatus::Waiting) { EventLevel::Info } else { EventLevel::Warning };
            tx.add_event(&job, &cx.step.name, level, &reason.text, now).await?;
        }
        tx.let_go(&job, JobEvent::Wait, Some(&reason), now.plus(after), now).await?;
        cx.commit(tx, "wait").await?;
        Ok(Next::Over)
    }

    async fn hand_over(&self, cx: &StepCx) -> StoreResult<Next> {
        let now = cx.now();
        let mut tx = self.store.write().await?;
        let job = tx.fence(cx.claim).await?;
        tx.add_event(&job, &cx.step.name, EventLevel::Info, "handed over: this process stops", now).await?;
        tx.let_go(&job, JobEvent::Release, None, now, now).await?;
        cx.commit(tx, "release").await?;
        Ok(Next::Over)
    }

    pub(super) fn cx(&self, claim: Claim, job: Job, step: Step, earlier: Vec<Step>) -> StepCx {
        StepCx {
            job,
            step,
            earlier,
            claim,
            store: self.store.clone(),
            clock: self.clock.clone(),
            witness: self.witness.clone(),
        }
    }

    pub(super) async fn commit(&self, tx: crate::store::Tx, label: &str) -> StoreResult<()> {
        self.witness.before(label);
        tx.commit().await?;
        self.witness.after(label);
        Ok(())
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Keeps the lease while the job is worked on. Runs by real time, as the database's clock does.
    fn start_heartbeat(&self, claim: Claim) -> (Signals, DropGuard) {
        let signals = Signals { lost: CancellationToken::new(), cancel: CancellationToken::new() };
        let done = CancellationToken::new();
        let (lost, cancel, over) = (signals.lost.clone(), signals.cancel.clone(), done.clone());
        let (store, lease) = (self.store.clone(), self.settings.lease);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(lease / 3);
            let mut failures = 0;
            loop {
                tokio::select! {
                    _ = ticks.tick() => {}
                    () = over.cancelled() => return,
                }
                match beat(&store, claim, lease).await {
                    Ok(called_off) => {
                        failures = 0;
                        if called_off {
                            cancel.cancel();
                        }
                    }
                    // Two failures in a row leave a third of the lease: stop before somebody else starts.
                    Err(error) => {
                        failures += 1;
                        if failures > 2 || matches!(error, StoreError::LeaseLost(_)) {
                            lost.cancel();
                            return;
                        }
                    }
                }
            }
        });
        (signals, done.drop_guard())
    }
}

async fn beat(store: &Store, claim: Claim, lease: Duration) -> StoreResult<bool> {
    let beat = async {
        let mut tx = store.write().await?;
        let called_off = tx.heartbeat(claim, lease).await?;
        tx.commit().await?;
        Ok(called_off)
    };
    tokio::time::timeout(lease / 3, beat).await.unwrap_or_else(|_| Err(StoreError::Changed("a heartbeat".into())))
}
