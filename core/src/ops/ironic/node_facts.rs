//! What the plans for nodes say of them: which node it is, and since when it is what a person was shown.

use std::collections::BTreeMap;

use crate::{clients::ironic::Node, units::Timestamp};

/// The fact of a plan that is the node's UUID.
pub(super) const NODE: &str = "node";
/// The fact of a plan that is what is known of the cleaning.
pub(super) const CLEANING: &str = "cleaning";
/// There is none.
pub(super) const OFF: &str = "off";

/// The facts that all plans have. `since` changes whenever the node moves, so that what comes back to the same state is
/// another thing; no PATCH changes it.
pub(super) fn facts(node: &Node, cleaning: &str) -> BTreeMap<String, String> {
    let facts = [
        (NODE, node.uuid.clone()),
        ("name", known(node.name.clone())),
        ("provision_state", node.provision_state.to_string()),
        ("since", known(node.provision_updated_at.map(to_the_millisecond))),
        (CLEANING, cleaning.to_owned()),
    ];
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What Ironic does to the disks of a node that it makes available.
pub(super) fn cleaning_of(node: &Node) -> &'static str {
    match node.automated_clean {
        Some(false) => OFF,
        Some(true) => "on",
        None => "as Ironic is configured",
    }
}

/// Exact: a machine that does nothing is deployed anew within a second.
fn to_the_millisecond(at: Timestamp) -> String {
    format!("{}.{:03}Z", at.to_string().trim_end_matches('Z'), at.0.rem_euclid(1000))
}

/// A fact that may be missing.
pub(super) fn known(fact: Option<String>) -> String {
    fact.unwrap_or_else(|| "none".to_owned())
}
