//! One line of the record that proves what was done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Timestamp;

/// Who did what to what, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEntry {
    /// Place in the chain, from 1, without gaps.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who, as `kind name`.
    pub actor: String,
    /// The operation's name.
    pub operation: String,
    /// What it was done to: a handle, an id, or nothing.
    pub target: String,
    /// `done`, `asked`, `refused`, `failed`.
    pub outcome: String,
    /// More, as JSON text; never a secret.
    pub detail: String,
}

impl AuditEntry {
    /// The bytes that the chain's code covers: every field, each with its length before it, so that no two different
    /// entries have equal bytes.
    pub fn canonical(&self) -> Vec<u8> {
        let seq = self.seq.to_string();
        let at = self.at.0.to_string();
        let fields = [&seq, &at, &self.actor, &self.operation, &self.target, &self.outcome, &self.detail];
        let mut out = Vec::new();
        for field in fields {
            out.extend_from_slice(&(field.len() as u64).to_be_bytes());
            out.extend_from_slice(field.as_bytes());
        }
        out
    }
}
