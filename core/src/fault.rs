//! What kind of trouble an error is: decided once, where the error is defined, so that each door maps it once.

use serde::Serialize;
use strum::{Display, EnumString, IntoStaticStr};

/// The kinds of trouble that a door can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Display, EnumString, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FaultKind {
    /// The request is wrong; the same request will stay wrong.
    Invalid,
    /// What it names does not exist.
    NotFound,
    /// The world is not in the state that the request needs.
    Conflict,
    /// The actor may not do this.
    Forbidden,
    /// Nobody knows who asks, or our own credentials were refused.
    Unauthenticated,
    /// Too often; later it will work.
    RateLimited,
    /// An outside system, or our own database, is out of reach; later it may work.
    Unavailable,
    /// Only a person can go on from here.
    NeedsPerson,
    /// Ours to mend.
    Bug,
}

impl FaultKind {
    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable)
    }
}

/// An error that knows its kind.
pub trait Fault: std::error::Error {
    /// The one classification of this error.
    fn kind(&self) -> FaultKind;
}

/// An error's own words and those of its causes, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = inner.source();
    }
    text
}
