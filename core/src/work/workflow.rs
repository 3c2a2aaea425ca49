//! What a workflow is: steps, what each does, how to see whether it was done, and how to undo it.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use super::StepCx;
use crate::{
    model::{Job, Reason},
    states::JobStatus,
    store::{StoreResult, Tx},
};

/// One step of a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepSpec {
    /// Its name: in the journal, in events, and (as a text's key) in messages.
    pub name: &'static str,
    /// How often it is tried before a passing trouble counts as a failure.
    pub tries: i64,
    /// It may be dropped at any moment (a stop, a cancel), because doing it again from the start is harmless.
    pub interruptible: bool,
    /// It has something to undo.
    pub undo: bool,
}

impl StepSpec {
    /// A step that is tried up to five times, is left to finish, and has nothing to undo.
    pub const fn new(name: &'static str) -> Self {
        Self { name, tries: 5, interruptible: false, undo: false }
    }

    /// The same, harmless to repeat from its start.
    #[must_use]
    pub const fn interruptible(mut self) -> Self {
        self.interruptible = true;
        self
    }

    /// The same, with something to undo.
    #[must_use]
    pub const fn with_undo(mut self) -> Self {
        self.undo = true;
        self
    }

    /// The same, with another number of tries.
    #[must_use]
    pub const fn tries(mut self, tries: i64) -> Self {
        self.tries = tries;
        self
    }
}

/// What came of acting.
#[derive(Debug)]
pub enum Verdict {
    /// Done; what the step remembers is its result.
    Done(Value),
    /// Done, and already written by [`StepCx::commit_done`] together with what it changed.
    Recorded,
    /// The outside needs time: the same attempt goes on after `after`.
    Wait {
        /// What it waits for.
        reason: Reason,
        /// How long.
        after: Duration,
    },
    /// A passing trouble, and nothing took effect: tried again after `after`, or after a growing pause.
    Retry {
        /// What went wrong.
        reason: Reason,
        /// How long to wait, where the outside said so.
        after: Option<Duration>,
    },
    /// It is not known whether it took effect: observed again after `after`.
    Unclear {
        /// What went wrong.
        reason: Reason,
        /// How long to wait before looking.
        after: Duration,
    },
    /// It failed for good.
    Fail(Reason),
    /// Only a person can go on.
    Park(Reason),
}

/// What the world says of a step whose intent was written and whose result was not.
#[derive(Debug)]
pub enum Observed {
    /// It did not take effect: act.
    NotDone,
    /// It took effect: this is its result.
    Done(Value),
    /// It cannot be told yet: look again after `after`.
    Unclear {
        /// Why not.
        reason: Reason,
        /// How long to wait.
        after: Duration,
    },
    /// Only a person can tell.
    Park(Reason),
}

/// What came of undoing.
#[derive(Debug)]
pub enum Undone {
    /// It is as it was before.
    Done,
    /// The outside needs time: undone again after `after`.
    Wait {
        /// What it waits for.
        reason: Reason,
        /// How long.
        after: Duration,
    },
    /// Only a person can go on.
    Park(Reason),
}

impl From<Result<(), Reason>> for Undone {
    fn from(undone: Result<(), Reason>) -> Self {
        undone.map_or_else(Self::Park, |()| Self::Done)
    }
}

/// A durable piece of work.
#[async_trait]
pub trait Workflow: Send + Sync {
    /// Its name, as in `jobs.kind`.
    fn kind(&self) -> &'static str;

    /// The steps of a job with these parameters, always the same for the same parameters.
    ///
    /// # Errors
    /// A reason when the parameters are not this workflow's.
    fn steps(&self, params: &Value) -> Result<Vec<StepSpec>, Reason>;

    /// Does a step. Never sleeps: what needs time answers `Wait`.
    async fn act(&self, step: &str, cx: &mut StepCx) -> Verdict;

    /// Looks whether a step took effect. The default is for steps that are harmless to repeat.
    async fn observe(&self, _step: &str, _cx: &mut StepCx) -> Observed {
        Observed::NotDone
    }

    /// Undoes a step; repeated until it says that it did.
    async fn undo(&self, _step: &str, _cx: &mut StepCx) -> Undone {
        Undone::Done
    }

    /// Called in the transaction that parks the job or ends it; `job.status` is the new one.
    async fn ended(&self, _tx: &mut Tx, _job: &Job) -> StoreResult<()> {
        Ok(())
    }

    /// How a job of this kind ended well, in words.
    fn success(&self, _job: &Job) -> Reason {
        Reason::new("succeeded", "done")
    }
}

/// Sees every commit of the journal: tests kill the process there, or hold the worker for as long as they like.
#[async_trait]
pub trait Witness: Send + Sync {
    /// `what` is about to be committed.
    async fn before(&self, what: &str);
    /// `what` is committed.
    async fn after(&self, what: &str);
}

/// Sees nothing.
#[derive(Debug)]
pub struct NoWitness;

#[async_trait]
impl Witness for NoWitness {
    async fn before(&self, _what: &str) {}
    async fn after(&self, _what: &str) {}
}

/// The state that a bad ending leads to, and the event that leads there.
pub(super) fn ending_event(ending: JobStatus) -> crate::states::JobEvent {
    if ending == JobStatus::Cancelled { crate::states::JobEvent::Cancel } else { crate::states::JobEvent::Fail }
}
