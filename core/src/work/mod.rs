//! The job engine: claim, drive, journal, undo, hand over. It knows no workflow; workflows know no queue.
//!
//! The contract, in the order in which it matters:
//!
//! 1. **Intent before effect, result after.** A step's row is committed as `started` before the workflow acts, and as
//!    `done` after. A worker that finds a step `started` which it did not start itself does not know whether it acted:
//!    it asks the workflow to *observe* the world first.
//! 2. **Every write is fenced.** A claim is (job, epoch); each write begins with [`crate::store::Tx::fence`], which
//!    changes no row once somebody else has claimed the job. A worker that loses the fence stops at once.
//! 3. **Waiting holds nothing.** A step that waits gives its worker and its lease back; the job is a row with a time.
//! 4. **One commit between two steps.** A step's result and what is next (the next step's intent, the end) are one
//!    transaction; so are a claim and its first intent.
//! 5. **The end is written before the cleaning up.** `outcome` and `failed_step` are committed before undo begins; undo runs
//!    in reverse, each journalled like a step; one may wait like a step, and one that fails parks the job for a person.
//!
//! What it will not do: sleep inside a step, call anything outside, or decide what a failure means.

mod cx;
mod drive;
mod ending;
mod heartbeat;
mod reconcile;
mod runner;
mod turn;
mod workflow;

pub use cx::StepCx;
pub use reconcile::{Reconciler, reconcile};
pub use runner::{Runner, Settings};
pub use workflow::{NoWitness, Observed, StepSpec, Undone, Verdict, Witness, Workflow};
