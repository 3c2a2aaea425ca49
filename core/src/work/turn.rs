//! What is next for a job: decided from its row and its journal, and written in the transaction that wrote what was.

use tracing::info;

use super::{
    StepSpec,
    drive::{Drive, Held, Turn},
};
use crate::{
    model::{EventLevel, Reason, StepStatus},
    states::JobStatus,
    store::{StoreResult, Tx},
};

impl Drive {
    /// Writes what is next into `tx` and commits it all. The job in `held` is as `tx` sees it.
    pub(super) async fn turn(&self, mut tx: Tx, held: &mut Held, label: &str) -> StoreResult<Turn> {
        let turn = self.next(&mut tx, held).await?;
        self.commit(tx, label).await?;
        if let Turn::Act { step, left_behind, .. } = &turn {
            info!(job = %held.job.id, step = step.name, attempt = step.attempt, left_behind, "step begins");
        }
        Ok(turn)
    }

    async fn next(&self, tx: &mut Tx, held: &mut Held) -> StoreResult<Turn> {
        let plan = self.workflow.steps(&held.job.params);
        if held.job.ending.is_some() {
            return self.wind_down(tx, held, plan).await;
        }
        let specs = match plan {
            Ok(specs) => specs,
            Err(reason) => {
                self.begin_ending(tx, held, JobStatus::Failed, &reason, None).await?;
                return self.wind_down(tx, held, Err(reason)).await;
            }
        };
        if held.job.cancel_requested {
            let reason = Reason::new("cancelled", "called off by a person");
            self.begin_ending(tx, held, JobStatus::Cancelled, &reason, None).await?;
            return self.wind_down(tx, held, Ok(specs)).await;
        }
        let done = |seq: i64| held.journal.iter().any(|entry| entry.seq == seq && entry.status == StepStatus::Done);
        match (0_i64..).zip(&specs).find(|(seq, _)| !done(*seq)) {
            None => self.succeed(tx, held).await,
            Some(_) if self.stop.is_cancelled() => {
                self.release(tx, &held.job).await?;
                Ok(Turn::Over)
            }
            Some((seq, spec)) => self.open_step(tx, held, seq, *spec).await,
        }
    }

    /// A step that waited, or was never begun, is ours to begin; one that is `started` was left by a dead worker.
    async fn open_step(&self, tx: &mut Tx, held: &mut Held, seq: i64, spec: StepSpec) -> StoreResult<Turn> {
        let known = held.journal.iter().find(|entry| entry.seq == seq).cloned();
        let (step, left_behind) = match known {
            Some(entry) if entry.status == StepStatus::Started => (entry, true),
            Some(mut entry) if entry.status == StepStatus::Waiting => {
                tx.resume_step(held.claim.job, seq).await?;
                entry.status = StepStatus::Started;
                (entry, false)
            }
            _ => {
                let now = self.now();
                let step = tx.begin_step(held.claim.job, seq, spec.name, now).await?;
                tx.at_step(held.claim.job, spec.name).await?;
                held.job.step = Some(spec.name.to_owned());
                held.job.reason = None;
                let message = if step.attempt > 1 { format!("try {}", step.attempt) } else { "begins".to_owned() };
                tx.add_event(&held.job, spec.name, EventLevel::Info, &message, now).await?;
                (step, false)
            }
        };
        held.keep(step.clone());
        Ok(Turn::Act { spec, step, left_behind })
    }
}
