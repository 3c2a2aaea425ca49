//! What happened, for whoever follows along: one line for each change, in the order in which all see them.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString};

use super::{Approval, EventLevel, Incident, IncidentKind, Job, Reason, Server};
use crate::{
    ids::{JobId, ServerId},
    states::{ApprovalStatus, IncidentStatus, JobStatus, ServerStatus},
    units::Timestamp,
};

/// An event's place. Clients get it as opaque text, `<pos>-<n>`; the order of places is the order of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EventId {
    /// The transaction's place.
    pub pos: i64,
    /// The event's place in its transaction.
    pub n: i64,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.pos, self.n)
    }
}

/// Text that is no event's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no event's id: pass on the `id` of the last event that was read")]
pub struct BadEventId;

impl FromStr for EventId {
    type Err = BadEventId;

    fn from_str(text: &str) -> Result<Self, BadEventId> {
        let (pos, n) = text.split_once('-').ok_or(BadEventId)?;
        let number = |text: &str| text.parse::<i64>().map_err(|_| BadEventId);
        let id = Self { pos: number(pos)?, n: number(n)? };
        // In another spelling (`+5-0`, `05-0`) it is not what we gave out.
        if id.pos >= 0 && id.n >= 0 && id.to_string() == text { Ok(id) } else { Err(BadEventId) }
    }
}

/// What an event is about.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Display, EnumString, EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EventTopic {
    /// A job; the subject is its id.
    Job,
    /// A server; the subject is its handle.
    Server,
    /// An incident; the subject is its id.
    Incident,
    /// A question to a person; the subject is its id.
    Approval,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Event {
    /// Its place among all events, as text that means nothing else.
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String")]
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// What it is about.
    pub topic: EventTopic,
    /// Which of them: a job's, incident's or approval's id, a server's handle.
    pub subject: String,
    /// What is so now.
    pub body: EventBody,
}

/// What is so after an event. Never a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Display)]
#[serde(tag = "event", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EventBody {
    /// A job was asked for, taken by a worker, let go, called off, or it ended.
    JobStatus {
        /// Which workflow.
        kind: String,
        /// The server that it holds while it is active.
        target: Option<ServerId>,
        /// Where it is now.
        status: JobStatus,
        /// The step that it is at, or was at.
        step: Option<String>,
        /// Why it waits or is parked.
        reason: Option<Reason>,
        /// How it ended, or is about to.
        outcome: Option<Reason>,
        /// Somebody called it off.
        cancel_requested: bool,
    },
    /// A line of a job's story.
    JobLine {
        /// Place in the job's story, from 1.
        seq: i64,
        /// The step that it is about.
        step: String,
        /// How much it matters.
        level: EventLevel,
        /// What happened.
        message: String,
        /// Since the job's first claim, in ms.
        elapsed_ms: i64,
    },
    /// A server was found, moved to another status, or its management changed.
    ServerChanged {
        /// Where it is now.
        status: ServerStatus,
        /// Whether it is ours to manage.
        managed: bool,
    },
    /// An incident was opened or is over.
    IncidentChanged {
        /// The server's id, or none for the platform.
        server: Option<ServerId>,
        /// What is or was wrong.
        kind: IncidentKind,
        /// Where it is now.
        status: IncidentStatus,
        /// What was seen.
        details: String,
    },
    /// A person is asked, or the question got its answer.
    ApprovalChanged {
        /// The operation that waits.
        operation: String,
        /// What it would be done to.
        target: String,
        /// Where the question is now.
        status: ApprovalStatus,
        /// The job that was started with it.
        job: Option<JobId>,
    },
}

impl EventBody {
    /// What it is about.
    pub fn topic(&self) -> EventTopic {
        match self {
            Self::JobStatus { .. } | Self::JobLine { .. } => EventTopic::Job,
            Self::ServerChanged { .. } => EventTopic::Server,
            Self::IncidentChanged { .. } => EventTopic::Incident,
            Self::ApprovalChanged { .. } => EventTopic::Approval,
        }
    }
}

impl From<&Job> for EventBody {
    fn from(job: &Job) -> Self {
        Self::JobStatus {
            kind: job.kind.clone(),
            target: job.target,
            status: job.status,
            step: job.step.clone(),
            reason: job.reason.clone(),
            outcome: job.outcome.clone(),
            cancel_requested: job.cancel_requested,
        }
    }
}

impl From<&Server> for EventBody {
    fn from(server: &Server) -> Self {
        Self::ServerChanged { status: server.status, managed: server.managed }
    }
}

impl From<&Incident> for EventBody {
    fn from(incident: &Incident) -> Self {
        Self::IncidentChanged {
            server: incident.server,
            kind: incident.kind,
            status: incident.status,
            details: incident.details.clone(),
        }
    }
}

impl From<&Approval> for EventBody {
    fn from(approval: &Approval) -> Self {
        Self::ApprovalChanged {
            operation: approval.plan.operation.clone(),
            target: approval.plan.target.clone(),
            status: approval.status,
            job: approval.job,
        }
    }
}

fn as_text<S: serde::Serializer>(id: &EventId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}
