//! Why a job that takes a node down waits, fails or is parked, and how it ends; `bot/texts` words it in both languages.

use rackhand_core::{
    clients::ironic::{IronicError, ProvisionState},
    fault::chain,
    model::{PlanChange, Reason},
    ops::{
        NodeFault,
        ironic::{Course, UnprovisionParams},
    },
};
use serde_json::Value;

/// Ironic answered with an error, or not at all.
pub(super) fn ironic(error: &IronicError) -> Reason {
    let code = match error {
        IronicError::Locked { .. } | IronicError::Busy { .. } => "node-busy",
        IronicError::NotFound { .. } => "node-gone",
        IronicError::InvalidState { .. }
        | IronicError::Protected { .. }
        | IronicError::InMaintenance { .. }
        | IronicError::Associated { .. }
        | IronicError::Conflict { .. }
        | IronicError::Duplicate { .. }
        | IronicError::NoImage { .. }
        | IronicError::NotValid { .. }
        | IronicError::Refused { .. } => "ironic-refused",
        _ => "ironic-away",
    };
    Reason::new(code, chain(error)).with("detail", chain(error))
}

/// Nobody approved what the job would wipe.
pub(super) fn not_approved() -> Reason {
    Reason::new("not-approved", "no person approved that this job takes this node down: Ironic was told nothing")
}

/// Another job takes the same node down.
pub(super) fn another_job() -> Reason {
    Reason::new("node-other-job", "another job takes this node down already")
}

/// The node is no longer what was allowed.
pub(super) fn changed(changes: &[PlanChange]) -> Reason {
    let words: Vec<String> =
        changes.iter().map(|change| format!("{} was {} and is {}", change.what, change.was, change.is)).collect();
    let text = format!("the node changed since it was allowed: {}; Ironic was told nothing", words.join("; "));
    let first = changes.first();
    let fact = |get: fn(&PlanChange) -> &String| first.map(get).cloned().unwrap_or_default();
    Reason::new("node-changed", text)
        .with("what", fact(|change| &change.what))
        .with("known", fact(|change| &change.was))
        .with("seen", fact(|change| &change.is))
}

/// The node cannot be taken down as it is.
pub(super) fn fault(fault: &NodeFault) -> Reason {
    let reason = fault.reason();
    let code = if reason.code == "node-busy" { "node-busy" } else { "node-changed-state" };
    Reason { code: code.to_owned(), ..reason }.with("detail", fault)
}

/// It is on its way.
pub(super) fn on_its_way(course: &Course) -> Reason {
    let reason = Reason::new("node-moves", &*course.message).with("seen", &course.provision_state);
    match course.progress_percent {
        Some(percent) => reason.with("percent", percent),
        None => reason,
    }
}

/// It failed on the way.
pub(super) fn failed(state: &ProvisionState, words: Option<&str>) -> Reason {
    let words = words.unwrap_or("Ironic does not say why");
    Reason::new("node-failed", format!("{state}: {words}")).with("seen", state).with("detail", words)
}

/// It left the way.
pub(super) fn strayed(state: &ProvisionState) -> Reason {
    Reason::new("node-strayed", format!("the node is {state}, which is not on the way to available"))
        .with("seen", state)
}

/// How it ended well, and what happened to the disks: never more than was seen.
pub(super) fn outcome(params: &UnprovisionParams, seen: &Value) -> Reason {
    let cleaned = seen.get("cleaned").and_then(Value::as_bool).unwrap_or(false);
    if !params.clean {
        Reason::new("node-free-kept", "available again; as asked, nothing was wiped")
    } else if params.is_without_cleaning() {
        let text = "available again; nothing was wiped: the node's automated cleaning is switched off in Ironic";
        Reason::new("node-free-not-wiped", text)
    } else if cleaned {
        Reason::new("node-free-wiped", "available again; Ironic cleaned it")
    } else {
        let text = "available again; no cleaning was seen: Ironic may be configured to do none";
        Reason::new("node-free-unseen", text)
    }
}

#[cfg(test)]
#[path = "reasons_tests.rs"]
mod tests;
