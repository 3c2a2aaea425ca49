//! Who asks.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString};

use crate::{
    ids::{TokenId, UserId},
    units::Timestamp,
};

/// What a person or a token may do, lowest first.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    Display,
    EnumString,
    EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Known, and shown nothing.
    Guest,
    /// Reads.
    Viewer,
    /// Changes what can be changed back.
    Operator,
    /// Also destroys, and manages users.
    Admin,
}

/// The kinds of actors that authority tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Display, EnumString, EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ActorKind {
    /// A human being with a Telegram account, or at the server's own terminal.
    Person,
    /// A program that holds a token.
    Token,
    /// A language model, acting for its principal.
    Model,
    /// Rackhand itself: reconcilers.
    System,
}

/// Who asks for an operation, as found at the door a moment ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// What kind of actor.
    pub kind: ActorKind,
    /// Its role at this moment; a model's is its principal's.
    pub role: Role,
    /// The person, where there is one.
    pub user: Option<UserId>,
    /// The token that a program came with.
    pub token: Option<TokenId>,
    /// A name for messages: `@anna`, `sync`, `local shell`. People may change theirs.
    pub name: String,
    /// The person's number at Telegram, which never changes.
    pub telegram_id: Option<i64>,
    /// From this moment on it may do nothing. Only for whoever is in no table of ours, where it could be looked up.
    pub until: Option<Timestamp>,
}

impl Actor {
    /// Rackhand itself; `name` says which part of it.
    pub fn system(name: &str) -> Self {
        Self {
            kind: ActorKind::System,
            role: Role::Admin,
            user: None,
            token: None,
            name: name.to_owned(),
            telegram_id: None,
            until: None,
        }
    }

    /// Whoever has a shell on the machine that holds the database and the master key: they are the owner.
    pub fn shell() -> Self {
        Self {
            kind: ActorKind::Person,
            role: Role::Admin,
            user: None,
            token: None,
            name: "local shell".to_owned(),
            telegram_id: None,
            until: None,
        }
    }

    /// A program without a token of ours, let in for another reason; never under a name that a token may have.
    pub fn program(name: String, role: Role, until: Option<Timestamp>) -> Self {
        Self { kind: ActorKind::Token, role, user: None, token: None, name, telegram_id: None, until }
    }

    /// A language model that acts for this actor, and may do no more.
    #[must_use]
    pub fn model(self) -> Self {
        Self { kind: ActorKind::Model, ..self }
    }
}

impl fmt::Display for Actor {
    /// `person @anna #1001`, as the audit keeps it: the name for people, the number as proof.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)?;
        self.telegram_id.map_or(Ok(()), |id| write!(f, " #{id}"))
    }
}
