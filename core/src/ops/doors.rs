//! Where an operation appears at the doors that are made from the table: paths for REST, words for the command line,
//! a chapter for help.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter};

/// What an operation is about. Help, documentation and folders go by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, Display, EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Topic {
    /// Servers that can be logged in to.
    Fleet,
    /// Bare metal that OpenStack Ironic keeps.
    Ironic,
    /// Jobs.
    Work,
    /// Users, tokens, approvals, audit.
    Authority,
    /// What a person wants of the chat.
    Chat,
    /// Rackhand itself.
    Platform,
}

/// A method of HTTP, as far as operations use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Display)]
#[strum(serialize_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Makes or starts.
    Post,
    /// Changes a part.
    Patch,
    /// Takes away.
    Delete,
}

/// A route to an operation, below `/api/v1`. A field of the input that is named in the path (`/servers/{handle}`) comes
/// from there; the others from the query (GET, DELETE) or the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// How.
    pub method: Method,
    /// Where, with the names of fields in braces.
    pub path: &'static str,
    /// The status of a good answer. A question to a person is always 202.
    pub status: u16,
    /// Several operations share a PATCH: this is the one that such a body is for.
    pub when: Option<Choice>,
    /// A flag of the input that the path itself says, so that nobody else says it here.
    pub says: Option<&'static str>,
}

/// What tells, by the body, which of the operations at one route is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The body's field is this text. The field is not the operation's own and is taken out.
    Is(&'static str, &'static str),
    /// The body has this field, which is the operation's own and stays.
    Has(&'static str),
}

impl Rest {
    /// Reads at `path`.
    pub const fn get(path: &'static str) -> Self {
        Self { method: Method::Get, path, status: 200, when: None, says: None }
    }

    /// Makes or starts at `path`.
    pub const fn post(path: &'static str) -> Self {
        Self { method: Method::Post, path, status: 200, when: None, says: None }
    }

    /// Changes a part of what is at `path`.
    pub const fn patch(path: &'static str) -> Self {
        Self { method: Method::Patch, path, status: 200, when: None, says: None }
    }

    /// Takes away what is at `path`.
    pub const fn delete(path: &'static str) -> Self {
        Self { method: Method::Delete, path, status: 200, when: None, says: None }
    }

    /// The same with another status for a good answer.
    #[must_use]
    pub const fn answers(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same for bodies whose `field` is the text `value`.
    #[must_use]
    pub const fn when(self, field: &'static str, value: &'static str) -> Self {
        Self { when: Some(Choice::Is(field, value)), ..self }
    }

    /// The same for bodies that have `field`, one of the operation's own.
    #[must_use]
    pub const fn when_has(self, field: &'static str) -> Self {
        Self { when: Some(Choice::Has(field)), ..self }
    }

    /// The same, saying the flag `field` of the input.
    #[must_use]
    pub const fn saying(self, field: &'static str) -> Self {
        Self { says: Some(field), ..self }
    }

    /// The names in braces, in order.
    pub fn path_fields(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}
