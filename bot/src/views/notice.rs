//! What people are told without having asked.

use rackhand_core::{
    model::{Incident, Notice, Role, Server},
    ops::JobView,
    states::ServerStatus,
    store::Tx,
};

use super::{Reader, ViewError, approval, button, button_below, job, no_access, rows};
use crate::{
    messenger::Message,
    texts::{plain, say},
    want::{Action, Want},
};

/// Words a notice from the newest facts.
pub(super) async fn render(tx: &mut Tx, reader: &Reader, notice: &Notice) -> Result<Message, ViewError> {
    let lang = reader.lang;
    let for_everybody = matches!(notice, Notice::RoleChanged { .. } | Notice::Plain { .. });
    if reader.role < Role::Viewer && !for_everybody {
        return Ok(no_access(reader));
    }
    Ok(match notice {
        Notice::JobEnded { job } => job::end(reader, &JobView::load(tx, *job).await?),
        Notice::ApprovalAsked { approval } => match tx.approval(*approval).await? {
            Some(approval) => approval::card(reader, &approval),
            None => gone(reader),
        },
        Notice::ApprovalExpiring { approval } => match tx.approval(*approval).await? {
            Some(approval) => approval::expiring(reader, &approval),
            None => gone(reader),
        },
        Notice::ServerDiscovered { server } => match tx.server(*server).await? {
            Some(server) => discovered(reader, &server),
            None => gone(reader),
        },
        Notice::IncidentOpened { incident } | Notice::IncidentResolved { incident } => {
            match tx.incident(incident).await? {
                Some(found) => {
                    let server = match found.server {
                        Some(id) => tx.server(id).await?,
                        None => None,
                    };
                    let over = matches!(notice, Notice::IncidentResolved { .. });
                    incident_card(reader, &found, server.as_ref(), over || found.resolved_at.is_some())
                }
                None => gone(reader),
            }
        }
        Notice::GuestArrived { name, telegram_id } => {
            let html = say!(lang, "notice-guest", name = name, id = telegram_id.to_string());
            let admit = button(lang, "button-admit", &Want::User(*telegram_id));
            Message {
                html,
                buttons: rows(if reader.may("set_role") { vec![admit] } else { Vec::new() }),
                ..Message::default()
            }
        }
        Notice::RoleChanged { role, by } => {
            let role = plain!(lang, &format!("role-{role}"));
            let help = button_below(lang, "button-help", &Want::Help);
            let buttons = if reader.role > Role::Guest { vec![vec![help]] } else { Vec::new() };
            Message { html: say!(lang, "notice-role", role = role, by = by), buttons, ..Message::default() }
        }
        Notice::Plain { text } => Message::new(say!(lang, "as-is", text = text)),
    })
}

/// What did not fit into the hour, in one message.
pub(super) fn digest(reader: &Reader, lines: &[String], count: i64) -> Message {
    let mut html = say!(reader.lang, "digest-title", count = count);
    let shown = i64::try_from(lines.len()).unwrap_or(i64::MAX);
    if count > shown {
        html.push('\n');
        html.push_str(&say!(reader.lang, "digest-older", count = count - shown));
    }
    for line in lines {
        html.push_str("\n• ");
        html.push_str(&say!(reader.lang, "as-is", text = line));
    }
    Message::new(html)
}

fn discovered(reader: &Reader, server: &Server) -> Message {
    let lang = reader.lang;
    let address = server.address.map_or_else(|| plain!(lang, "fact-none"), |address| address.to_string());
    let mut html = say!(
        lang,
        "notice-discovered",
        handle = &server.handle,
        provider = &server.provider,
        address = address,
        size = &server.size,
        label = &server.label
    );
    let mut all = Vec::new();
    if server.managed {
        html.push('\n');
        html.push_str(&say!(lang, "server-managed"));
    } else if server.status == ServerStatus::Discovered && reader.may("manage_server") {
        all.push(button(lang, "button-manage", &Want::Act(Action::Manage, server.id)));
        all.push(button(lang, "button-reserve", &Want::Act(Action::Reserve, server.id)));
    }
    all.push(button_below(lang, "button-server", &Want::Server(server.id)));
    Message { html, buttons: rows(all), ..Message::default() }
}

fn incident_card(reader: &Reader, incident: &Incident, server: Option<&Server>, over: bool) -> Message {
    let lang = reader.lang;
    let kind = incident.kind.to_string().replace('_', "-");
    let what = plain!(lang, &format!("incident-{kind}"));
    let about = server.map_or_else(|| plain!(lang, "incident-platform"), |server| server.handle.clone());
    let key = if over { "notice-incident-over" } else { "notice-incident" };
    let mut lines = vec![say!(lang, key, what = what, about = about)];
    if !over {
        lines.push(say!(lang, "as-is", text = &incident.details));
        lines.extend(lang.find(&format!("incident-{kind}.do"), &[]).map(|advice| format!("👉 {advice}")));
    }
    let buttons = server.map(|server| button_below(lang, "button-server", &Want::Server(server.id)));
    Message { html: lines.join("\n"), buttons: rows(buttons.into_iter().collect()), ..Message::default() }
}

fn gone(reader: &Reader) -> Message {
    Message::new(say!(reader.lang, "notice-gone"))
}
