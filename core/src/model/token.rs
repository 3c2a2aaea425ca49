//! A program's way in: a secret that is shown once, kept only as its SHA-256, and worth a role until it is revoked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Actor, ActorKind, Role};
use crate::{
    ids::{TokenId, UserId},
    units::Timestamp,
};

/// A token's record; the secret itself is nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// What people call it; no two have the same.
    pub name: String,
    /// The most that it may do.
    pub role: Role,
    /// Who made it, as the audit names them.
    pub made_by: String,
    /// When.
    pub created_at: Timestamp,
    /// After this moment it is worth nothing.
    pub expires_at: Option<Timestamp>,
    /// Since this moment it is worth nothing.
    pub revoked_at: Option<Timestamp>,
    /// Last time somebody came with it, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// The person who made it; none where it was made at a shell.
    #[serde(skip)]
    pub maker: Option<Maker>,
}

/// The person who made a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maker {
    /// Who.
    pub user: UserId,
    /// What they may do as the token is read: it may do no more.
    pub role: Role,
}

impl Token {
    /// What it may do at `now`.
    pub fn role_at(&self, now: Timestamp) -> Role {
        let over = self.revoked_at.is_some() || self.expires_at.is_some_and(|end| end <= now);
        let most = self.maker.map_or(Role::Admin, |maker| maker.role);
        if over { Role::Guest } else { self.role.min(most) }
    }

    /// Whether this actor made it.
    pub fn is_made_by(&self, actor: &Actor) -> bool {
        match self.maker {
            Some(maker) => actor.user == Some(maker.user),
            None => self.made_by == actor.to_string(),
        }
    }

    /// A program that holds it.
    pub fn actor(&self) -> Actor {
        Actor {
            kind: ActorKind::Token,
            role: self.role,
            user: None,
            token: Some(self.id),
            name: self.name.clone(),
            telegram_id: None,
            until: None,
        }
    }
}
