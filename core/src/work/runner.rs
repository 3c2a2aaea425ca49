//! Claims jobs and gives each to a task of its own, up to a bound.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{
    NoWitness, Witness, Workflow,
    drive::{Drive, Held, Turn},
};
use crate::{
    clock::SharedClock,
    fault::chain,
    model::Job,
    store::{ClaimBy, Kinds, Store, StoreResult},
};

/// How a runner works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Jobs at once.
    pub workers: usize,
    /// How long a lease lasts without a heartbeat; heartbeats come three times as often.
    pub lease: Duration,
    /// How often to look for jobs that other processes enqueued.
    pub poll: Duration,
    /// How long a step may go on after a stop was asked for.
    pub stop_grace: Duration,
}

/// The worker side of the queue, one for each process.
pub struct Runner {
    store: Store,
    clock: SharedClock,
    workflows: HashMap<&'static str, Arc<dyn Workflow>>,
    settings: Settings,
    owner: String,
    witness: Arc<dyn Witness>,
}

impl Runner {
    /// A runner without workflows, which claims nothing yet, in the name of `owner`, which must be unique among processes.
    pub fn new(store: Store, clock: SharedClock, settings: Settings, owner: String) -> Self {
        Self { store, clock, workflows: HashMap::new(), settings, owner, witness: Arc::new(NoWitness) }
    }

    /// Adds a workflow: jobs of its kind are claimed. Those of other kinds wait for a process that knows them.
    #[must_use]
    pub fn with(mut self, workflow: Arc<dyn Workflow>) -> Self {
        self.workflows.insert(workflow.kind(), workflow);
        self
    }

    /// Lets `witness` see every commit of the journal.
    #[must_use]
    pub fn watched_by(mut self, witness: Arc<dyn Witness>) -> Self {
        self.witness = witness;
        self
    }

    /// Works until `stop`; returns once every job is finished with its step or handed over.
    pub async fn run(&self, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(self.settings.workers));
        let mut jobs = JoinSet::new();
        let mut sure = false;
        while !stop.is_cancelled() {
            while let Some(ended) = jobs.try_join_next() {
                report(ended);
            }
            let slot = tokio::select! {
                slot = slots.clone().acquire_owned() => slot,
                () = stop.cancelled() => break,
            };
            match self.take(sure, &stop).await {
                Ok(Some((drive, held, turn))) => {
                    sure = true;
                    jobs.spawn(async move {
                        drive.run(held, turn).await;
                        drop(slot);
                    });
                }
                Ok(None) => sure = self.rest(&stop).await,
                Err(error) if error.is_race() => {}
                Err(error) => {
                    warn!(error = chain(&error), "claiming failed; trying again");
                    sure = self.rest(&stop).await;
                }
            }
        }
        while let Some(ended) = jobs.join_next().await {
            report(ended);
        }
        info!("the worker has stopped");
    }

    /// The best due job, if any. Unless it is `sure` that there is news it looks first: an idle process should not ask
    /// for the write lock.
    async fn take(&self, sure: bool, stop: &CancellationToken) -> StoreResult<Option<(Drive, Held, Option<Turn>)>> {
        if !sure && !self.store.read().await?.any_job_due(&self.kinds(), self.clock.now()).await? {
            return Ok(None);
        }
        match self.claim_and_begin(stop).await {
            Err(error) if !error.is_race() => {
                // What comes next for this job cannot be written. It is claimed alone, so that it does not stand in the
                // way of the others: its lease has to run out before it is tried again.
                warn!(error = chain(&error), "a job could not be begun with its claim");
                self.claim_alone(stop).await
            }
            taken => taken,
        }
    }

    /// Claims and writes the first intent in one transaction.
    async fn claim_and_begin(&self, stop: &CancellationToken) -> StoreResult<Option<(Drive, Held, Option<Turn>)>> {
        let mut tx = self.store.write().await?;
        let Some(job) = tx.claim(&self.claim_by(), self.clock.now()).await? else { return Ok(None) };
        let journal = tx.steps(job.id).await?;
        let Some(drive) = self.drive(&job, stop) else { return Ok(None) };
        let mut held = Held::new(job, journal);
        let turn = drive.turn(tx, &mut held, "claim").await?;
        Ok(Some((drive, held, Some(turn))))
    }

    async fn claim_alone(&self, stop: &CancellationToken) -> StoreResult<Option<(Drive, Held, Option<Turn>)>> {
        let mut tx = self.store.write().await?;
        let Some(job) = tx.claim(&self.claim_by(), self.clock.now()).await? else { return Ok(None) };
        let Some(drive) = self.drive(&job, stop) else { return Ok(None) };
        tx.commit().await?;
        Ok(Some((drive, Held::new(job, Vec::new()), None)))
    }

    fn claim_by(&self) -> ClaimBy {
        ClaimBy { owner: self.owner.clone(), kinds: self.kinds(), lease: self.settings.lease }
    }

    fn kinds(&self) -> Kinds {
        self.workflows.keys().copied().collect()
    }

    /// None for a kind that is not ours, of which nothing is claimed.
    fn drive(&self, job: &Job, stop: &CancellationToken) -> Option<Drive> {
        Some(Drive {
            store: self.store.clone(),
            clock: self.clock.clone(),
            workflow: self.workflows.get(job.kind.as_str())?.clone(),
            witness: self.witness.clone(),
            settings: self.settings.clone(),
            stop: stop.clone(),
        })
    }

    /// Waits for news; answers whether there is some in this process.
    async fn rest(&self, stop: &CancellationToken) -> bool {
        tokio::select! {
            () = self.store.pokes().jobs.notified() => true,
            () = self.clock.sleep(self.settings.poll) => false,
            () = stop.cancelled() => false,
        }
    }
}

fn report(ended: Result<(), JoinError>) {
    if let Err(panic) = ended {
        error!(%panic, "a job's task died; its lease will run out and another worker takes it");
    }
}
