//! Servers: the list, the card, the choice of one.

use rackhand_core::{
    model::{Incident, Server},
    ops::{PageOf, ServerView},
    states::{Machine, ServerEvent, ServerStatus},
};

use super::{Reader, button, job, named, pager, rows};
use crate::{
    messenger::{Button, Message},
    texts::{Lang, moment, plain, say},
    want::{Action, Want},
};

/// A mark for a status that an eye finds at once.
pub fn icon(status: ServerStatus) -> &'static str {
    match status {
        ServerStatus::Discovered => "🆕",
        ServerStatus::PendingSetup => "🕓",
        ServerStatus::Provisioning => "⚙️",
        ServerStatus::ForceRebuild => "♻️",
        ServerStatus::Ready => "🟢",
        ServerStatus::InUse => "🔵",
        ServerStatus::Error => "🔴",
        ServerStatus::Maintenance => "🛠",
        ServerStatus::Reserved => "🔒",
        ServerStatus::Decommissioned => "⚫",
    }
}

/// A status in words.
pub fn status(lang: Lang, status: ServerStatus) -> String {
    lang.say(&format!("server-status-{}", status.to_string().replace('_', "-")), &[])
}

/// One page of the list.
pub fn list(reader: &Reader, from: u32, page: &PageOf<Server>) -> Message {
    if page.items.is_empty() {
        return Message::new(say!(reader.lang, "servers-none"));
    }
    let mut html = say!(reader.lang, "servers-title");
    for server in &page.items {
        html.push('\n');
        html.push_str(&line(reader, server));
    }
    let mut buttons = rows(page.items.iter().map(open).collect());
    buttons.push(pager(from, page.next.is_some(), Want::Servers));
    Message { html, buttons: without_empty(buttons), ..Message::default() }
}

/// The choice of a server for an action. `more` servers fit than are shown.
pub fn choice(reader: &Reader, action: Action, from: u32, servers: &[Server], more: bool) -> Message {
    let command = action.command().replace('_', "-");
    if servers.is_empty() {
        let html = say!(reader.lang, &format!("choose-none-{command}"));
        return Message::new(html).row([(plain!(reader.lang, "button-servers"), Want::Servers(0).data())]);
    }
    let label = |server: &Server| format!("{} {}", icon(server.status), server.handle);
    let button = |server: &Server| named(&label(server), &Want::Act(action, server.id));
    let mut buttons = rows(servers.iter().map(button).collect());
    buttons.push(pager(from, more, |from| Want::Choose(action, from)));
    let html = say!(reader.lang, &format!("choose-{command}"));
    Message { html, buttons: without_empty(buttons), ..Message::default() }
}

/// All that is known of a server, with what can be done to it now by whoever reads.
pub fn card(reader: &Reader, view: &ServerView) -> Message {
    let (lang, server) = (reader.lang, &view.server);
    let mut lines = vec![format!(
        "{} <b>{}</b> · {}",
        icon(server.status),
        say!(lang, "as-is", text = &server.handle),
        status(lang, server.status)
    )];
    lines.push(match server.untouchable() {
        Some(why) => say!(lang, "server-untouchable", why = why),
        None => say!(lang, "server-managed"),
    });
    if let Some(address) = server.address {
        lines.push(say!(lang, "server-address", address = address.to_string()));
    }
    let provider = say!(lang, "server-provider", provider = &server.provider, id = &server.provider_id);
    let about: Vec<String> = [&server.size, &server.os, &server.label]
        .into_iter()
        .filter(|text| !text.is_empty())
        .map(|text| say!(lang, "as-is", text = text))
        .collect();
    lines.push([vec![provider], about].concat().join(" · "));
    if !server.labels.is_empty() {
        lines.push(say!(lang, "server-labels", labels = labels(server)));
    }
    if let Some(at) = server.last_verified_at {
        lines.push(say!(lang, "server-verified", at = moment(at, reader.now)));
    }
    if server.provisioning_attempts > 0 {
        let (attempts, of) = (server.provisioning_attempts, view.attempts_allowed);
        lines.push(say!(lang, "server-attempts", attempts = attempts, of = of));
    }
    if let Some(since) = server.missing_since {
        lines.push(say!(lang, "server-missing", at = moment(since, reader.now)));
    }
    lines.extend(view.incidents.iter().map(|incident| incident_line(reader, incident)));
    if let Some(job) = &view.job {
        lines.push(say!(lang, "server-job", state = job::state(lang, job.status)));
    }
    Message { html: lines.join("\n"), buttons: buttons(reader, view), ..Message::default() }
}

/// Whether an action fits a server as it is, whoever asks.
pub fn fits(action: Action, server: &Server, attempts_allowed: i64) -> bool {
    let can = |event| server.status.after(event).is_ok();
    let touchable = server.untouchable().is_none();
    let has_attempts = server.provisioning_attempts < attempts_allowed;
    match action {
        Action::Manage => !server.managed && can(ServerEvent::Manage),
        Action::Unmanage => server.managed && can(ServerEvent::Unmanage),
        Action::Reserve => can(ServerEvent::Reserve),
        Action::Release => can(ServerEvent::Release),
        Action::Provision => {
            touchable && has_attempts && can(ServerEvent::Start) && server.status != ServerStatus::ForceRebuild
        }
        Action::Rebuild => touchable && has_attempts && can(ServerEvent::Start),
        Action::ForceRebuild => touchable && has_attempts && can(ServerEvent::ForceRebuild),
        Action::ResetAttempts => touchable && server.provisioning_attempts > 0,
    }
}

/// Opens a server's card.
pub fn open(server: &Server) -> Button {
    named(&format!("{} {}", icon(server.status), server.handle), &Want::Server(server.id))
}

fn line(reader: &Reader, server: &Server) -> String {
    let address = server.address.map(|address| address.to_string()).unwrap_or_default();
    let state = status(reader.lang, server.status);
    format!("{} {}", icon(server.status), say!(reader.lang, "servers-line", handle = &server.handle, address = address))
        + &say!(reader.lang, "servers-line-status", status = state)
        + &tags(reader.lang, server)
}

fn tags(lang: Lang, server: &Server) -> String {
    let shown = |server: &Server| say!(lang, "servers-line-labels", labels = labels(server));
    Some(server).filter(|server| !server.labels.is_empty()).map_or_else(String::new, shown)
}

fn labels(server: &Server) -> String {
    let pairs: Vec<String> = server.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(", ")
}

fn incident_line(reader: &Reader, incident: &Incident) -> String {
    let kind = incident.kind.to_string().replace('_', "-");
    let at = moment(incident.detected_at, reader.now);
    say!(reader.lang, "server-incident", what = plain!(reader.lang, &format!("incident-{kind}")), at = at)
}

fn buttons(reader: &Reader, view: &ServerView) -> Vec<Vec<Button>> {
    let (lang, server) = (reader.lang, &view.server);
    let mut all = Vec::new();
    if let Some(job) = &view.job {
        all.push(button(lang, "button-job", &Want::Job(job.id)));
    }
    let actions = [
        Action::Manage,
        Action::Provision,
        Action::Rebuild,
        Action::ResetAttempts,
        Action::Release,
        Action::Reserve,
        Action::Unmanage,
    ];
    for action in actions {
        // While a job has the server, or will, nothing else may.
        let free = view.job.is_none();
        if free && reader.may(action.operation()) && fits(action, server, view.attempts_allowed) {
            let key = format!("button-{}", action.command().replace('_', "-"));
            all.push(button(lang, &key, &Want::Act(action, server.id)));
        }
    }
    all.push(button(lang, "button-history", &Want::Jobs(Some(server.id), 0)));
    all.push(button(lang, "button-servers", &Want::Servers(0)));
    rows(all)
}

pub(super) fn without_empty(buttons: Vec<Vec<Button>>) -> Vec<Vec<Button>> {
    buttons.into_iter().filter(|row| !row.is_empty()).collect()
}
