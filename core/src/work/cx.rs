//! What a step has in its hands.

use std::{sync::Arc, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Verdict, Witness};
use crate::{
    clock::SharedClock,
    model::{EventLevel, Job, Reason, Step, StepStatus},
    store::{Claim, Store, StoreResult, Tx},
    units::Timestamp,
};

/// The context of one step of one claimed job. Every write through it is fenced.
pub struct StepCx {
    /// The job, as it was when the step began.
    pub job: Job,
    /// The step's own journal entry; `step.data` is what it remembers.
    pub step: Step,
    /// The entries of the steps before it.
    pub(super) earlier: Vec<Step>,
    pub(super) claim: Claim,
    pub(super) store: Store,
    pub(super) clock: SharedClock,
    pub(super) lease: Duration,
    pub(super) witness: Arc<dyn Witness>,
}

impl StepCx {
    /// The job's parameters.
    ///
    /// # Errors
    /// A reason when they are not a `P`.
    pub fn params<P: DeserializeOwned>(&self) -> Result<P, Reason> {
        serde_json::from_value(self.job.params.clone())
            .map_err(|error| Reason::new("bad-params", format!("the job's parameters cannot be read: {error}")))
    }

    /// The result of an earlier step of this job.
    pub fn result_of(&self, step: &str) -> Option<&Value> {
        self.earlier
            .iter()
            .find(|entry| entry.name == step && entry.status == StepStatus::Done)
            .map(|entry| &entry.data)
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The clock, for what has to measure or wait.
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// A transaction that holds the fence: whatever is written in it is written by the job's one owner. One at a time:
    /// SQLite has one writer, and whoever holds it while asking for another waits in vain.
    ///
    /// # Errors
    /// `LeaseLost` when somebody else has the job; stop at once.
    pub async fn begin(&self) -> StoreResult<Tx> {
        let mut tx = self.store.write().await?;
        tx.fence(self.claim).await?;
        Ok(tx)
    }

    /// A transaction that only reads.
    pub async fn read(&self) -> StoreResult<Tx> {
        self.store.read().await
    }

    /// Proves, as late as possible before an effect outside, that the job is still ours. A proof that took long (the
    /// process was frozen, the database slow) says nothing of now: it is made again.
    pub async fn still_mine(&self) -> StoreResult<()> {
        loop {
            let asked = self.now();
            self.commit(self.begin().await?, "proof").await?;
            if self.now().since(asked) < self.lease / 3 {
                return Ok(());
            }
        }
    }

    /// Adds a line to the job's story. Never a secret.
    pub async fn log(&self, level: EventLevel, message: &str) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        tx.add_event(&self.job, &self.step.name, level, message, self.now()).await?;
        tx.commit().await
    }

    /// Writes down what the step must still know after a crash: the provider's task, what it saw before it acted.
    pub async fn remember(&mut self, data: Value) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        tx.set_step(self.job.id, self.step.seq, StepStatus::Started, Some(&data), self.now()).await?;
        self.step.data = data;
        self.commit(tx, "remember").await
    }

    /// Commits `tx` together with the step's result: for changes of our own tables, which then happen exactly once.
    pub async fn commit_done(&mut self, mut tx: Tx, data: Value) -> StoreResult<Verdict> {
        tx.set_step(self.job.id, self.step.seq, StepStatus::Done, Some(&data), self.now()).await?;
        self.commit(tx, "result").await?;
        self.step.status = StepStatus::Done;
        self.step.data = data;
        Ok(Verdict::Recorded)
    }

    /// Commits a write of the journal under the witness's eyes.
    async fn commit(&self, tx: Tx, what: &str) -> StoreResult<()> {
        let label = format!("{}:{what}", self.step.name);
        self.witness.before(&label).await;
        tx.commit().await?;
        self.witness.after(&label).await;
        Ok(())
    }
}
