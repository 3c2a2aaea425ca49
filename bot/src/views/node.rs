//! Nodes of Ironic's: the list, the card.

use rackhand_core::ops::{PageOf, ironic::NodeView};

use super::{Reader, button, named, pager, rows, server::without_empty};
use crate::{
    messenger::{Button, Message},
    texts::{moment, say},
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

/// All that is known of a node, with what can be done to it now by whoever reads. `image` says that there is an image
/// that is installed where nobody names one.
pub fn card(reader: &Reader, node: &NodeView, image: bool) -> Message {
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
        (node.automated_clean == Some(false)).then(|| say!(lang, "node-cleaning-off")),
        node.protected.then(|| say!(lang, "node-protected")),
        node.last_error.as_ref().map(|error| say!(lang, "node-error", error = error)),
    ];
    lines.extend(facts.into_iter().flatten());
    Message { html: lines.join("\n"), buttons: buttons(reader, node, image), ..Message::default() }
}

fn buttons(reader: &Reader, node: &NodeView, image: bool) -> Vec<Vec<Button>> {
    let lang = reader.lang;
    let fits = |action: NodeAction| match action {
        NodeAction::Manage => node.provision_state == "enroll",
        NodeAction::Provide => node.provision_state == "manageable",
        NodeAction::Provision => node.free && image,
        NodeAction::Unprovision => node.provisioned && !node.protected,
    };
    let actions = [NodeAction::Manage, NodeAction::Provide, NodeAction::Provision, NodeAction::Unprovision];
    let offered = actions.into_iter().filter(|action| fits(*action) && reader.may(action.operation()));
    let mut all: Vec<Button> = offered
        .map(|action| button(lang, &format!("button-{}", action.key()), &Want::ActOnNode(action, node.uuid.clone())))
        .collect();
    all.push(button(lang, "button-refresh", &Want::Node(node.uuid.clone())));
    all.push(button(lang, "button-nodes", &Want::Nodes(0)));
    rows(all)
}
