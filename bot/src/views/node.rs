//! Nodes of Ironic's: the list, the card.

use rackhand_core::ops::{PageOf, ironic::NodeView};
use strum::IntoEnumIterator;

use super::{Reader, button, named, pager, rows, server::without_empty};
use crate::{
    messenger::{Button, Message},
    texts::{Lang, moment, say},
    want::{NodeAction, Want},
};

/// A mark for a state of Ironic's that an eye finds at once.
fn icon(node: &NodeView) -> &'static str {
    match node.provision_state.as_str() {
        _ if node.maintenance => "🛠",
        "available" if node.free => "🟢",
        "active" => "🔵",
        "error" => "🔴",
        state if state.ends_with(" failed") => "🔴",
        "enroll" | "manageable" => "🆕",
        "available" => "🕓",
        _ => "⚙️",
    }
}

/// What people call it.
fn name(node: &NodeView) -> &str {
    node.name.as_deref().unwrap_or(&node.uuid)
}

/// The way to all of them.
pub fn all(lang: Lang) -> Button {
    button(lang, "button-nodes", &Want::Nodes(0))
}

/// One page of the list.
pub fn list(reader: &Reader, from: u32, page: &PageOf<NodeView>) -> Message {
    let lang = reader.lang;
    if page.items.is_empty() && from == 0 {
        return Message::new(say!(lang, "nodes-none"));
    }
    let mut html = say!(lang, "nodes-title");
    for node in &page.items {
        html.extend(["\n", icon(node), " "]);
        html.push_str(&say!(lang, "nodes-line", name = name(node), state = &node.provision_state));
        if node.maintenance {
            html.push_str(&say!(lang, "nodes-line-maintenance"));
        }
    }
    let open = |node: &NodeView| named(&format!("{} {}", icon(node), name(node)), &Want::Node(node.uuid.clone()));
    let mut buttons = rows(page.items.iter().map(open).collect());
    buttons.push(pager(from, page.next.is_some(), Want::Nodes));
    Message { html, buttons: without_empty(buttons), ..Message::default() }
}

/// All that is known of a node, with what can be done to it now by whoever reads.
pub fn card(reader: &Reader, node: &NodeView) -> Message {
    let lang = reader.lang;
    let title = say!(lang, "nodes-line", name = name(node), state = &node.provision_state);
    let mut lines = vec![format!("{} {title}", icon(node))];
    let facts = [
        node.resource_class.as_ref().map(|class| say!(lang, "node-class", class = class)),
        node.power_state.as_ref().map(|power| say!(lang, "node-power", power = power)),
        node.instance_uuid.as_ref().map(|instance| say!(lang, "node-instance", instance = instance)),
        node.provision_updated_at.map(|at| say!(lang, "node-since", at = moment(at, reader.now))),
        node.maintenance.then(|| {
            let why = node.maintenance_reason.as_deref().or(node.fault.as_deref()).unwrap_or("?");
            say!(lang, "node-maintenance", why = why)
        }),
        node.maintenance.then(|| {
            let may = reader.may(NodeAction::EndMaintenance.operation());
            say!(lang, if may { "node-next-maintenance" } else { "node-next-maintenance-admin" })
        }),
        (node.automated_clean == Some(false)).then(|| say!(lang, "node-cleaning-off")),
        node.protected.then(|| say!(lang, "node-protected")),
        node.last_error.as_ref().map(|error| say!(lang, "node-error", error = error)),
        next(node).map(|key| say!(lang, key)),
    ];
    lines.extend(facts.into_iter().flatten());
    Message { html: lines.join("\n"), buttons: buttons(reader, node), ..Message::default() }
}

/// What to do about the state that a node is in, where it does not say so by itself.
fn next(node: &NodeView) -> Option<&'static str> {
    Some(match node.provision_state.as_str() {
        "deploy failed" => "node-next-deploy-failed",
        "clean failed" => "node-next-clean-failed",
        "error" => "node-next-error",
        state if state.ends_with(" hold") => "node-next-held",
        "deploying" | "wait call-back" | "deleting" | "cleaning" | "clean wait" | "verifying" => "node-next-moving",
        _ => return None,
    })
}

fn buttons(reader: &Reader, node: &NodeView) -> Vec<Vec<Button>> {
    let lang = reader.lang;
    let fits = |action: NodeAction| match action {
        NodeAction::Manage => ["enroll", "clean failed"].contains(&node.provision_state.as_str()),
        NodeAction::Provide => node.provision_state == "manageable",
        NodeAction::EndMaintenance => node.maintenance,
        NodeAction::Provision => node.free,
        NodeAction::Unprovision => node.provisioned && !node.protected,
    };
    let offered = NodeAction::iter().filter(|action| fits(*action) && reader.may(action.operation()));
    let act = |action: NodeAction| {
        button(lang, &format!("button-{}", action.key()), &Want::ActOnNode(action, node.uuid.clone()))
    };
    // What is pressed again and again keeps its place, whatever else is offered meanwhile.
    let mut buttons = vec![button(lang, "button-refresh", &Want::Node(node.uuid.clone())), all(lang)];
    buttons.extend(offered.map(act));
    rows(buttons)
}
