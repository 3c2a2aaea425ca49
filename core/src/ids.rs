//! Typed identifiers: a server's id can never be passed where a job's is wanted.
//!
//! Every id is a `UUIDv7`, kept as text in the database, so that rows sort by the time they were made.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Text that is not an id.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is not a {what} id: a UUID is expected")]
pub struct BadId {
    what: &'static str,
    text: String,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(#[schemars(with = "String")] Uuid);

        impl $name {
            /// A new id, later in order than all made before it on this machine.
            #[allow(clippy::new_without_default)]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The last eight characters: the random part, short enough to type on a phone.
            pub fn short(&self) -> String {
                let text = self.0.simple().to_string();
                text[text.len() - 8..].to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}:{}", $what, self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                text.parse().map(Self).map_err(|_| BadId { what: $what, text: text.chars().take(64).collect() })
            }
        }
    )*};
}

ids! {
    /// A person known to Rackhand.
    UserId = "user";
    /// A host that can be logged in to.
    ServerId = "server";
    /// A durable job.
    JobId = "job";
    /// A question to a person: may this plan run?
    ApprovalId = "approval";
    /// A one-time link that makes a guest a member.
    InviteId = "invite";
    /// A program's way in.
    TokenId = "token";
    /// A message to a person, waiting in the outbox or sent.
    NoticeId = "notice";
}
