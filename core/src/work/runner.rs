//! Claims jobs and gives each to a task of its own, up to a bound.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{NoWitness, Witness, Workflow, drive::Drive};
use crate::{
    clock::SharedClock,
    fault::chain,
    model::Job,
    store::{ClaimBy, Store, StoreResult},
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
    /// A runner that claims in the name of `owner`, which must be unique among processes.
    pub fn new(store: Store, clock: SharedClock, settings: Settings, owner: String) -> Self {
        Self { store, clock, workflows: HashMap::new(), settings, owner, witness: Arc::new(NoWitness) }
    }

    /// Adds a workflow.
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
        while !stop.is_cancelled() {
            while jobs.try_join_next().is_some() {}
            let slot = tokio::select! {
                slot = slots.clone().acquire_owned() => slot,
                () = stop.cancelled() => break,
            };
            match self.claim().await {
                Ok(Some(job)) => {
                    let drive = self.drive(&job, &stop);
                    jobs.spawn(async move {
                        drive.run(job).await;
                        drop(slot);
                    });
                }
                Ok(None) => self.rest(&stop).await,
                Err(error) => {
                    warn!(error = chain(&error), "claiming failed; trying again");
                    self.rest(&stop).await;
                }
            }
        }
        while let Some(ended) = jobs.join_next().await {
            if let Err(panic) = ended {
                error!(%panic, "a job's task died; its lease will run out and another worker takes it");
            }
        }
        info!("the worker has stopped");
    }

    fn drive(&self, job: &Job, stop: &CancellationToken) -> Drive {
        Drive {
            store: self.store.clone(),
            clock: self.clock.clone(),
            workflow: self.workflows.get(job.kind.as_str()).cloned(),
            witness: self.witness.clone(),
            settings: self.settings.clone(),
            stop: stop.clone(),
        }
    }

    async fn claim(&self) -> StoreResult<Option<Job>> {
        // A look without the write lock first: an idle process should not write.
        let mut tx = self.store.read().await?;
        let due = tx.any_job_due(self.clock.now()).await?;
        drop(tx);
        if !due {
            return Ok(None);
        }
        let by = ClaimBy { owner: self.owner.clone(), lease: self.settings.lease };
        let mut tx = self.store.write().await?;
        let job = tx.claim(&by, self.clock.now()).await?;
        tx.commit().await?;
        Ok(job)
    }

    async fn rest(&self, stop: &CancellationToken) {
        tokio::select! {
            () = self.store.pokes().jobs.notified() => {}
            () = self.clock.sleep(self.settings.poll) => {}
            () = stop.cancelled() => {}
        }
    }
}
