//! Why a job that makes a node free waits, fails or is parked, and how it ends; `bot/texts` words it in both languages.

use rackhand_core::{
    clients::ironic::{IronicError, Node, ProvisionState},
    fault::chain,
    model::{PlanChange, Reason},
    ops::{
        NodeFault,
        ironic::{Course, NodeJob, troubles},
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

/// Nobody approved what the job would do.
pub(super) fn not_approved() -> Reason {
    Reason::new("not-approved", "no person approved what this job does to this node: Ironic was told nothing")
}

/// Another job is at the same node.
pub(super) fn another_job() -> Reason {
    Reason::new("node-other-job", "another job is at this node already")
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

/// It is not done to the node as it is.
pub(super) fn fault(fault: &NodeFault) -> Reason {
    Reason { code: "node-changed-state".to_owned(), ..fault.reason() }.with("detail", fault)
}

/// It is on its way.
pub(super) fn on_its_way(course: &Course) -> Reason {
    let reason = Reason::new("node-moves", &*course.message).with("seen", &course.provision_state);
    match course.progress_percent {
        Some(percent) => reason.with("percent", percent),
        None => reason,
    }
}

/// Ironic itself took it out of use on its way: it goes on once that is over, or never.
pub(super) fn halted(node: &Node) -> Reason {
    told("node-halted", node)
}

/// It failed on the way, or at its end.
pub(super) fn failed(node: &Node) -> Reason {
    told("node-failed", node)
}

fn told(code: &str, node: &Node) -> Reason {
    let words = troubles(node).unwrap_or_else(|| "Ironic does not say why".to_owned());
    let state = &node.provision_state;
    Reason::new(code, format!("{state}: {words}")).with("seen", state).with("detail", words)
}

/// What the job changed cannot be put back yet.
pub(super) fn still_going(state: &ProvisionState) -> Reason {
    let text = format!("the node is still {state}: its automated cleaning is put back once that has ended");
    Reason::new("node-still-going", text).with("seen", state)
}

/// Somebody called it off before Ironic was told.
pub(super) fn called_off() -> Reason {
    Reason::new("cancelled", "called off before Ironic was told")
}

/// Its switch cannot be put back as long as this lasts.
pub(super) fn switch_waits(error: &IronicError) -> Reason {
    let text = format!("its automated cleaning cannot be switched back yet: {}", chain(error));
    Reason::new("node-switch-waits", text).with("detail", chain(error))
}

/// It left the way.
pub(super) fn strayed(state: &ProvisionState) -> Reason {
    Reason::new("node-strayed", format!("the node is {state}, which is not on the way to available"))
        .with("seen", state)
}

/// How it ended well, and what happened to the disks: never more than was seen.
pub(super) fn outcome(doing: &NodeJob, seen: &Value) -> Reason {
    let cleaned = seen.get("cleaned").and_then(Value::as_bool).unwrap_or(false);
    let (code, text) = if doing.keeps_disks() {
        ("node-free-kept", "as asked, nothing was wiped")
    } else if doing.is_without_cleaning() {
        ("node-free-not-wiped", "nothing was wiped: the node's automated cleaning is switched off in Ironic")
    } else if cleaned {
        ("node-free-wiped", "Ironic cleaned it")
    } else {
        ("node-free-unseen", "no cleaning was seen: Ironic may be configured to do none")
    };
    let is = match doing {
        NodeJob::Unprovision(_) => "available again",
        NodeJob::Provide(_) => "available",
    };
    Reason::new(code, format!("{is}; {text}"))
}

#[cfg(test)]
#[path = "reasons_tests.rs"]
mod tests;
