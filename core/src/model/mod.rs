//! Records as the program sees them, and decisions that need no IO.

mod actor;
mod approval;
mod audit;
mod authority;
mod event;
mod incident;
mod job;
mod notice;
mod plan;
mod server;
mod sync;
mod token;
mod user;

pub use actor::{Actor, ActorKind, Role};
pub use approval::Approval;
pub use audit::AuditEntry;
pub use authority::{Decision, Risk, decide};
pub use event::{BadEventId, Event, EventBody, EventId, EventTopic};
pub use incident::{Incident, IncidentKind};
pub use job::{EventLevel, Job, JobEventRow, NewJob, Reason, Step, StepStatus, backoff};
pub use notice::{Body, ButtonSpec, Level, Notice, Outgoing};
pub(crate) use plan::hex;
pub use plan::{Plan, PlanChange};
pub use server::{NewServer, ProvisionMode, ProvisionParams, Server};
pub use sync::{Sighting, SyncChange, compare};
pub use token::{Maker, Token};
pub use user::{Invite, Person, User};
