//! Durable jobs.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::{Display, EnumString};

use crate::{
    ids::{ApprovalId, JobId, ServerId, UserId},
    states::JobStatus,
    units::Timestamp,
};

/// Why a job waits, tries again, failed or is parked: a code that each door words in the reader's language, the facts
/// for it, and plain English for logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// `ssh-away`, `rate-limited`, …: the key of a text.
    pub code: String,
    /// The facts that the text names. Never a secret.
    pub facts: BTreeMap<String, String>,
    /// The same in English.
    pub text: String,
}

impl Reason {
    /// A reason with its English words.
    pub fn new(code: &str, text: impl Into<String>) -> Self {
        Self { code: code.to_owned(), facts: BTreeMap::new(), text: text.into() }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.facts.insert(name.to_owned(), value.to_string());
        self
    }
}

/// A job's row.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Which workflow: `provision_vps`.
    pub kind: String,
    /// The server that it holds while it is active.
    pub target: Option<ServerId>,
    /// The workflow's parameters.
    pub params: Value,
    /// Where it is.
    pub status: JobStatus,
    /// The step that it is at, or was at.
    pub step: Option<String>,
    /// Why it waits or is parked.
    pub reason: Option<Reason>,
    /// How it ended, or is about to: kept through all cleaning up.
    pub outcome: Option<Reason>,
    /// The step that failed: kept through all cleaning up.
    pub failed_step: Option<String>,
    /// Undo is under way, toward this end.
    pub ending: Option<JobStatus>,
    /// Somebody called it off.
    pub cancel_requested: bool,
    /// Not before this moment.
    pub run_at: Timestamp,
    /// The fencing token: grows at each claim.
    pub lease_epoch: i64,
    /// Who asked, as audit names them.
    pub requested_by: String,
    /// The person who asked, where it is one: they get the live message.
    pub requester: Option<UserId>,
    /// The approval that allowed it.
    pub approval: Option<ApprovalId>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When a worker first took it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// A job to be enqueued.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Which workflow.
    pub kind: &'static str,
    /// The server that it will hold.
    pub target: Option<ServerId>,
    /// The workflow's parameters.
    pub params: Value,
    /// Who asked.
    pub requested_by: String,
    /// The person who asked.
    pub requester: Option<UserId>,
    /// The approval that allowed it.
    pub approval: Option<ApprovalId>,
}

/// Where a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Display, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum StepStatus {
    /// The intent is written; whether it acted is not known until a result is.
    Started,
    /// It acted as far as it could, and waits.
    Waiting,
    /// Its result is written.
    Done,
    /// It failed for good.
    Failed,
    /// Its undo's intent is written.
    Undoing,
    /// It is undone.
    Undone,
}

/// A step's journal entry.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Place in the workflow, from 0.
    pub seq: i64,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub status: StepStatus,
    /// Tries so far.
    pub attempt: i64,
    /// What it remembers: the provider's task id, a count. Never a secret.
    pub data: Value,
    /// When the intent was written.
    pub started_at: Timestamp,
    /// When the result was written.
    pub ended_at: Option<Timestamp>,
}

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Display, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EventLevel {
    /// One of many small things, such as a playbook's task.
    Detail,
    /// A step began or ended.
    Info,
    /// Something is off, and the job goes on.
    Warning,
    /// Something failed.
    Error,
}

/// A line of a job's story.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct JobEventRow {
    /// Place in the job's story, from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// The step that it is about.
    pub step: String,
    /// How much it matters.
    pub level: EventLevel,
    /// What happened. Never a secret.
    pub message: String,
    /// Since the job's first claim, in ms.
    pub elapsed_ms: i64,
}

/// How long to wait before try number `attempt` (from 1): 2 s, 4 s, 8 s, … at most a minute.
pub fn backoff(attempt: i64) -> Duration {
    let exponent = u32::try_from(attempt.clamp(1, 6)).unwrap_or(6);
    Duration::from_secs(2_u64.saturating_pow(exponent).min(60))
}
