//! A question that waits for a person's yes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Plan;
use crate::{
    ids::{ApprovalId, JobId, TokenId, UserId},
    states::ApprovalStatus,
    units::Timestamp,
};

/// An approval, bound to one plan, one requester and a time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// Exactly what is approved.
    pub plan: Plan,
    /// The plan's hash when it was asked.
    pub plan_hash: String,
    /// Who asks, as audit names them.
    pub requested_by: String,
    /// The person who asks, where it is one.
    pub requester: Option<UserId>,
    /// The token that a program came with to ask, where it is one.
    pub token: Option<TokenId>,
    /// Where it is.
    pub status: ApprovalStatus,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// After this moment it is worth nothing.
    pub expires_at: Timestamp,
    /// Who answered.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// What came of it, in words.
    pub outcome: Option<String>,
    /// The job that it started.
    pub job: Option<JobId>,
    /// The keyed code that proves that it was used; for the program alone.
    #[serde(skip)]
    pub seal: Option<String>,
}
