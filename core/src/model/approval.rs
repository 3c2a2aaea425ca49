//! A question that waits for a person's yes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Actor, ActorKind, Plan};
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

impl Approval {
    /// The outcome of a question that whoever asked took back, which is refused from then on.
    pub const WITHDRAWN: &str = "withdrawn";

    /// Whether whoever asked took it back.
    pub fn is_withdrawn(&self) -> bool {
        self.status == ApprovalStatus::Refused && self.outcome.as_deref() == Some(Self::WITHDRAWN)
    }

    /// Whether it was this actor who asked, or a model that acts for the same person or program.
    ///
    /// People and tokens are told by their ids, since a name can be given to another later. Whoever has neither is in no
    /// table of ours: the shell, a program that an issuer vouches for, and Rackhand's own parts. Each of these has a name
    /// that no other of them has, and none that has an id is taken for one.
    pub fn is_asked_by(&self, actor: &Actor) -> bool {
        match (self.requester, self.token) {
            (Some(person), _) => actor.user == Some(person),
            (None, Some(token)) => actor.user.is_none() && actor.token == Some(token),
            (None, None) => actor.user.is_none() && actor.token.is_none() && self.names(actor),
        }
    }

    /// Whether this is the actor by name; a model has the name of whom it acts for.
    fn names(&self, actor: &Actor) -> bool {
        let Some((kind, name)) = self.requested_by.split_once(' ') else { return false };
        let Ok(kind) = kind.parse::<ActorKind>() else { return false };
        let acts_for = |model, whom| model == ActorKind::Model && whom != ActorKind::System;
        name == actor.name && (kind == actor.kind || acts_for(kind, actor.kind) || acts_for(actor.kind, kind))
    }
}
