//! What exactly is about to be done, in a form that can be shown, hashed and compared.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The plan of an operation that destroys: what a person approves, and nothing else.
///
/// Its hash binds an approval to it: when the same operation is planned again at the press of the button and the
/// hash differs, the approval is stale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The operation's name.
    pub operation: String,
    /// Its input in canonical form (keys in order).
    pub input: serde_json::Value,
    /// What it is done to, by handle.
    pub target: String,
    /// What proves the target's identity: address, provider's id, host key. In order of name.
    pub identity: BTreeMap<String, String>,
    /// What will be lost, as codes that each door words (`loss-disk`, `loss-provider-backups`).
    pub losses: Vec<String>,
}

/// One fact of a plan that is no longer what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanChange {
    /// Which fact: `address`, `host_key`, …
    pub what: String,
    /// What the person was shown.
    pub was: String,
    /// What is true now.
    pub is: String,
}

impl Plan {
    /// SHA-256 of the plan's canonical JSON, in hex.
    pub fn hash(&self) -> String {
        // serde_json's maps are ordered by key, so equal plans have equal text.
        let text = serde_json::to_string(self).unwrap_or_default();
        hex(&Sha256::digest(text.as_bytes()))
    }

    /// What changed between the plan that was shown and `now`.
    pub fn changes(&self, now: &Self) -> Vec<PlanChange> {
        let facts = |plan: &Self| {
            let mut facts = plan.identity.clone();
            facts.insert("target".into(), plan.target.clone());
            facts.insert("operation".into(), plan.operation.clone());
            facts.insert("input".into(), plan.input.to_string());
            facts.insert("losses".into(), plan.losses.join(", "));
            facts
        };
        let (was, is) = (facts(self), facts(now));
        let keys: std::collections::BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        let show =
            |facts: &BTreeMap<String, String>, key: &String| facts.get(key).cloned().unwrap_or_else(|| "-".into());
        keys.into_iter()
            .map(|key| PlanChange { what: key.clone(), was: show(&was, key), is: show(&is, key) })
            .filter(|change| change.was != change.is)
            .collect()
    }
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
