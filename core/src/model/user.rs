//! People.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Actor, ActorKind, Role};
use crate::{
    ids::{InviteId, UserId},
    units::Timestamp,
};

/// A person as a chat message shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Telegram's number for them.
    pub telegram_id: i64,
    /// Without the `@`.
    pub username: Option<String>,
    /// First name; Telegram always has one.
    pub first_name: String,
    /// Last name.
    pub last_name: Option<String>,
    /// Their client's language, as `ru` or `en-GB`.
    pub language: Option<String>,
}

/// A person as we keep them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Our id.
    pub id: UserId,
    /// Telegram's number; also the number of their private chat with the bot.
    pub telegram_id: i64,
    /// Without the `@`.
    pub username: Option<String>,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: Option<String>,
    /// `en` or `ru`.
    pub language: String,
    /// What they may do.
    pub role: Role,
    /// They blocked the bot, so nothing is sent to them until they write again.
    pub blocked: bool,
    /// First seen.
    pub created_at: Timestamp,
    /// Last seen.
    pub last_seen: Timestamp,
}

impl User {
    /// `@anna`, else the first name with the number, so that two Annas are told apart.
    pub fn name(&self) -> String {
        match &self.username {
            Some(username) => format!("@{username}"),
            None if self.telegram_id > 0 => format!("{} ({})", self.first_name, self.telegram_id),
            None => self.first_name.clone(),
        }
    }

    /// This person as an actor, with the role they have now.
    pub fn actor(&self) -> Actor {
        Actor {
            kind: ActorKind::Person,
            role: self.role,
            user: Some(self.id),
            token: None,
            name: self.name(),
            telegram_id: Some(self.telegram_id),
            until: None,
        }
    }
}

/// A one-time way in. The code itself is shown once and kept only as a keyed hash.
#[derive(Clone, Debug)]
pub struct Invite {
    /// Its id.
    pub id: InviteId,
    /// The role that it gives.
    pub role: Role,
    /// Who made it; nobody for the first admin's code.
    pub made_by: Option<UserId>,
    /// After this moment it is worth nothing.
    pub expires_at: Timestamp,
}
