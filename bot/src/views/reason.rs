//! Why something is not done, waits or failed: a sentence, and the next step.

use rackhand_core::{model::Reason, ops::OpError};

use super::Reader;
use crate::{
    html::escape,
    texts::{Arg, Lang, clean},
};

/// Facts that are numbers, so that their plural is right.
const NUMBERS: [&str; 3] = ["attempts", "seconds", "percent"];

/// Codes of operations that were not done.
pub const ERRORS: [&str; 38] = [
    "unknown-operation",
    "bad-input",
    "forbidden",
    "people-only",
    "own-request",
    "not-asker",
    "admins-by-people",
    "not-found",
    "ambiguous",
    "untouchable",
    "attempts-spent",
    "busy",
    "approval-over",
    "no-address",
    "rebuild-wished",
    "bad-code",
    "last-admin",
    "illegal",
    "not-as-seen",
    "key-reused",
    "ironic-none",
    "node-unknown",
    "node-not-available",
    "node-none-matches",
    "image-unknown",
    "node-not-provisioned",
    "node-not-provisioning",
    "node-not-unprovisioning",
    "node-busy",
    "node-past-calling-off",
    "node-protected",
    "node-unfit",
    "node-taken",
    "node-wrong-state",
    "ironic-refused",
    "ironic-away",
    "store",
    "bug",
];

/// Codes with which jobs wait, fail, are parked or end.
pub const REASONS: [&str; 53] = [
    "identity-mismatch",
    "not-approved",
    "untouchable-server",
    "too-many-attempts",
    "provider-rate-limited",
    "provider-address",
    "provider-login",
    "provider-unknown-server",
    "provider-busy",
    "provider-refused",
    "provider-away",
    "provider-suspended",
    "provider-too-slow",
    "provider-task-failed",
    "provider-no-password",
    "provider-works",
    "settling",
    "no-os",
    "ssh-away",
    "ssh-refused",
    "ssh-too-slow",
    "ansible-missing",
    "ansible-unreachable",
    "ansible-task-failed",
    "ansible-timed-out",
    "ansible-broken",
    "verify-failed",
    "keyring",
    "store",
    "illegal-status",
    "cancelled",
    "ready",
    "unknown-step",
    "bad-params",
    "node-busy",
    "node-gone",
    "node-other-job",
    "node-changed",
    "node-changed-state",
    "node-moves",
    "node-halted",
    "node-still-going",
    "node-failed",
    "node-strayed",
    "node-switch-waits",
    "node-free-wiped",
    "node-free-kept",
    "node-free-not-wiped",
    "node-free-unseen",
    "ironic-refused",
    "ironic-away",
    "succeeded",
    "panicked",
];

/// Why an operation was not done, with the next step.
pub fn error(lang: Lang, error: &OpError) -> String {
    let reason = error.reason();
    sentence(lang, "error", &reason)
}

/// Why a job waits, failed or is parked.
pub fn why(lang: Lang, reason: &Reason) -> String {
    sentence(lang, "reason", reason)
}

/// What to do about it, where there is something to do.
pub fn advice(reader: &Reader, reason: &Reason) -> Option<String> {
    reader.lang.find(&format!("reason-{}.do", reason.code), &facts(reader.lang, reason))
}

/// The words for a code; for one that is unknown here, the English words that it came with.
fn sentence(lang: Lang, kind: &str, reason: &Reason) -> String {
    let key = format!("{kind}-{}", reason.code);
    lang.find(&key, &facts(lang, reason)).unwrap_or_else(|| escape(&clean(&reason.text)))
}

fn facts(lang: Lang, reason: &Reason) -> Vec<(&'static str, Arg)> {
    // Fluent wants names that outlive the call: these are all that any text names.
    const NAMES: [&str; 21] = [
        "what", "known", "seen", "why", "attempts", "detail", "task", "seconds", "status", "failed", "mode", "name",
        "path", "message", "needs", "has", "handle", "job", "machine", "percent", "asker",
    ];
    let mut args: Vec<(&'static str, Arg)> = NAMES
        .iter()
        .map(|name| {
            let text = reason.facts.get(*name).map_or("", String::as_str);
            let text = &worded(lang, name, text);
            // A number that is not told is 0, which a text may tell apart.
            let number = NUMBERS.contains(name).then(|| text.parse().unwrap_or(0));
            let text = match *name {
                "known" | "seen" => super::approval::shown_fact(text),
                "asker" => super::approval::who(text),
                _ => text.into(),
            };
            (*name, number.map_or(Arg::Text(text), Arg::Number))
        })
        .collect();
    let from = reason.facts.get("from").map_or("", String::as_str);
    args.push(("from", Arg::Text(worded(lang, "status", from))));
    args
}

/// Roles and states in the reader's language.
fn worded(lang: Lang, name: &str, value: &str) -> String {
    let keys = match name {
        "needs" | "has" => vec![format!("role-{value}")],
        "status" => {
            let value = value.replace('_', "-");
            vec![format!("server-status-{value}"), format!("job-status-{value}"), format!("approval-status-{value}")]
        }
        _ => Vec::new(),
    };
    keys.iter().find_map(|key| lang.find(key, &[])).unwrap_or_else(|| value.to_owned())
}
