//! An error as programs are told it: the problem details of RFC 9457.

use rackhand_core::{
    fault::{Fault, FaultKind},
    ops::OpError,
};
use serde::Serialize;
use serde_json::{Value, json};

/// Why something was not done.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    title: &'static str,
    status: u16,
    code: String,
    detail: String,
}

impl Problem {
    /// An operation's error.
    pub fn of(error: &OpError) -> Self {
        let reason = error.reason();
        let (status, title) = match error.kind() {
            FaultKind::Invalid => (422, "bad input"),
            FaultKind::NotFound => (404, "not found"),
            FaultKind::Conflict => (409, "conflict"),
            FaultKind::Forbidden => (403, "forbidden"),
            FaultKind::Unauthenticated => (401, "unauthenticated"),
            FaultKind::RateLimited => (429, "too often"),
            FaultKind::Unavailable => (503, "unavailable"),
            FaultKind::NeedsPerson => (409, "needs a person"),
            FaultKind::Bug => (500, "internal error"),
        };
        Self { title, status, code: reason.code, detail: error.to_string() }
    }

    /// What happened, in words.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// As JSON.
    pub fn to_value(&self) -> Value {
        json!(self)
    }
}
