//! A workflow whose steps do what a test tells them, in a world that counts what was done to it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use rackhand_core::{
    ids::JobId,
    model::{Job, NewJob, Reason, Role, Step, StepStatus},
    ops::{CancelJob, JobInput, RetryJob},
    states::JobStatus,
    store::StoreResult,
    work::{NoWitness, Observed, Runner, Settings, StepCx, StepSpec, Undone, Verdict, Witness, Workflow},
};
use serde_json::{Value, json};
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{databases::Database, desk::Desk};

pub const STEPS: [&str; 3] = ["one", "two", "three"];
pub const LEASE: Duration = Duration::from_mins(1);
pub const GRACE: Duration = Duration::from_secs(10);

/// What a step does when it is next called.
pub enum Deed {
    /// Takes effect and is done: what every step does that was told nothing.
    Effect,
    Wait(Duration),
    Retry,
    Fail,
    Park,
    Panic,
    /// Takes effect, and does not know it.
    Unclear,
    /// Says that it began, and takes effect once it is let go.
    Hold,
}

#[derive(Default)]
pub struct World {
    told: HashMap<&'static str, VecDeque<Deed>>,
    /// Steps that took effect, in order; a step twice would be the effect done twice.
    pub effects: Vec<String>,
    pub undone: Vec<String>,
    pub observed: Vec<String>,
    pub undo_fails: bool,
    /// How often undoing waits before it does anything.
    pub undo_waits: usize,
    pub observing_parks: bool,
}

/// The workflow and its world.
#[derive(Default)]
pub struct Toy {
    pub world: Mutex<World>,
    pub interruptible: bool,
    pub began: Notify,
    pub let_go: Notify,
}

impl Toy {
    pub fn tell(self: &Arc<Self>, step: &'static str, deeds: impl IntoIterator<Item = Deed>) -> &Arc<Self> {
        self.world.lock().unwrap().told.entry(step).or_default().extend(deeds);
        self
    }

    pub fn effects(&self) -> Vec<String> {
        self.world.lock().unwrap().effects.clone()
    }

    pub fn undone(&self) -> Vec<String> {
        self.world.lock().unwrap().undone.clone()
    }

    fn take_effect(&self, step: &str) -> Verdict {
        self.world.lock().unwrap().effects.push(step.to_owned());
        Verdict::Done(json!({ "did": step }))
    }
}

#[async_trait]
impl Workflow for Toy {
    fn kind(&self) -> &'static str {
        "toy"
    }

    fn steps(&self, params: &Value) -> Result<Vec<StepSpec>, Reason> {
        if params["bad"] == true {
            return Err(Reason::new("bad-params", "these parameters are bad"));
        }
        let spec = |name| StepSpec { interruptible: self.interruptible, ..StepSpec::new(name).with_undo().tries(3) };
        Ok(STEPS.map(spec).to_vec())
    }

    async fn act(&self, step: &str, cx: &mut StepCx) -> Verdict {
        let deed = self.world.lock().unwrap().told.get_mut(step).and_then(VecDeque::pop_front);
        let reason = || Reason::new("told", format!("{step} was told to"));
        match deed.unwrap_or(Deed::Effect) {
            Deed::Effect => {
                if cx.remember(json!({ "about": step })).await.is_err() {
                    return Verdict::Retry { reason: reason(), after: None };
                }
                self.take_effect(step)
            }
            Deed::Wait(after) => Verdict::Wait { reason: reason(), after },
            Deed::Retry => Verdict::Retry { reason: reason(), after: None },
            Deed::Fail => Verdict::Fail(reason()),
            Deed::Park => Verdict::Park(reason()),
            Deed::Panic => panic!("{step} was told to"),
            Deed::Unclear => {
                self.take_effect(step);
                Verdict::Unclear { reason: reason(), after: Duration::from_secs(1) }
            }
            Deed::Hold => {
                self.began.notify_one();
                self.let_go.notified().await;
                self.take_effect(step)
            }
        }
    }

    async fn observe(&self, step: &str, _: &mut StepCx) -> Observed {
        let mut world = self.world.lock().unwrap();
        world.observed.push(step.to_owned());
        if world.observing_parks {
            return Observed::Park(Reason::new("unsure", "nobody can tell"));
        }
        if world.effects.iter().any(|done| done == step) {
            Observed::Done(json!({ "did": step }))
        } else {
            Observed::NotDone
        }
    }

    async fn undo(&self, step: &str, _: &mut StepCx) -> Undone {
        let mut world = self.world.lock().unwrap();
        if world.undo_fails {
            return Undone::Park(Reason::new("undo-failed", format!("{step} cannot be undone")));
        }
        if world.undo_waits > 0 {
            world.undo_waits -= 1;
            let reason = Reason::new("undo-waits", format!("{step} cannot be undone yet"));
            return Undone::Wait { reason, after: Duration::from_secs(1) };
        }
        // Undoing again what is undone does nothing.
        if let Some(at) = world.effects.iter().position(|done| done == step) {
            world.effects.remove(at);
            world.undone.push(step.to_owned());
        }
        Undone::Done
    }
}

/// A running worker.
pub struct Worker {
    pub stop: CancellationToken,
    pub task: JoinHandle<()>,
}

impl Worker {
    pub async fn stop(self) {
        self.stop.cancel();
        within(self.task).await.unwrap();
    }

    /// As SIGKILL: nothing more is written, no lease given back.
    pub async fn kill(self) {
        self.task.abort();
        assert!(within(self.task).await.is_err_and(|error| error.is_cancelled()));
    }
}

/// A database with a job of the toy's.
pub struct Stage {
    pub desk: Desk,
    pub toy: Arc<Toy>,
    pub job: JobId,
}

impl Stage {
    pub async fn new(db: &Database, toy: Arc<Toy>) -> Self {
        let desk = Desk::new(db).await;
        let job = enqueue(&desk, "toy", Value::Null).await.id;
        Self { desk, toy, job }
    }

    pub async fn worker(&self) -> Worker {
        self.worker_with(LEASE, Arc::new(NoWitness)).await
    }

    /// A worker in a process of its own: with its own store.
    pub async fn worker_with(&self, lease: Duration, witness: Arc<dyn Witness>) -> Worker {
        // One at a time: a worker that is held takes nothing else.
        let settings = Settings { workers: 1, lease, poll: Duration::from_secs(1), stop_grace: GRACE };
        let store = self.desk.db.open().await;
        let runner = Runner::new(store, self.desk.ops.clock.clone(), settings, "worker".to_owned());
        let runner = runner.with(self.toy.clone()).watched_by(witness);
        let stop = CancellationToken::new();
        let token = stop.clone();
        Worker { stop, task: tokio::spawn(async move { runner.run(token).await }) }
    }

    pub async fn job(&self) -> Job {
        self.desk.store().read().await.unwrap().require_job(self.job).await.unwrap()
    }

    pub async fn steps(&self) -> Vec<Step> {
        self.desk.store().read().await.unwrap().steps(self.job).await.unwrap()
    }

    pub async fn step_states(&self) -> Vec<StepStatus> {
        self.steps().await.into_iter().map(|step| step.status).collect()
    }

    /// Turns the clock until the job is in one of these states.
    pub async fn until(&self, states: &[JobStatus]) -> Job {
        within(async {
            loop {
                let job = self.job().await;
                if states.contains(&job.status) {
                    return job;
                }
                self.desk.clock.advance(Duration::from_secs(1));
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    pub async fn ended(&self) -> Job {
        self.until(&[JobStatus::Succeeded, JobStatus::Failed, JobStatus::Cancelled, JobStatus::Parked]).await
    }

    /// What a process that starts on this database does first, where it knows that it is alone.
    pub async fn void_leases(&self) {
        let mut tx = self.desk.store().write().await.unwrap();
        tx.void_leases().await.unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn cancel(&self) {
        let actor = rackhand_core::model::Actor::shell();
        assert_eq!(actor.role, Role::Admin);
        self.desk.ops.call::<CancelJob>(&actor, &JobInput { job: self.job.to_string() }, None).await.unwrap();
    }

    pub async fn retry(&self) {
        let actor = rackhand_core::model::Actor::shell();
        self.desk.ops.call::<RetryJob>(&actor, &JobInput { job: self.job.to_string() }, None).await.unwrap();
    }
}

pub async fn enqueue(desk: &Desk, kind: &'static str, params: Value) -> Job {
    let new =
        NewJob { kind, target: None, params, requested_by: "system test".to_owned(), requester: None, approval: None };
    enqueue_new(desk, &new).await.unwrap()
}

pub async fn enqueue_new(desk: &Desk, new: &NewJob) -> StoreResult<Job> {
    let mut tx = desk.store().write().await?;
    let (job, _) = tx.enqueue(new, desk.ops.clock.now()).await?;
    tx.commit().await?;
    Ok(job)
}

/// Fails the test instead of hanging.
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("it happens within 30 s")
}
