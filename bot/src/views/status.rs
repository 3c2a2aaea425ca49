//! How it all is, on one screen.

use std::collections::BTreeMap;

use rackhand_core::{ids::ServerId, ops::Status};

use super::{Reader, button, job, rows, server};
use crate::{
    messenger::Message,
    texts::{moment, plain, say},
    want::Want,
};

/// The screen. `names` are the handles of the servers that something is wrong with.
pub fn screen(reader: &Reader, status: &Status, names: &BTreeMap<ServerId, String>) -> Message {
    let lang = reader.lang;
    let calm = status.incidents.is_empty();
    let mut lines = vec![say!(lang, if calm { "status-calm" } else { "status-trouble" })];
    for incident in status.incidents.iter().take(10) {
        let kind = incident.kind.to_string().replace('_', "-");
        let what = plain!(lang, &format!("incident-{kind}"));
        let at = moment(incident.detected_at, reader.now);
        let about = incident.server.and_then(|id| names.get(&id)).cloned();
        let about = about.unwrap_or_else(|| plain!(lang, "incident-platform"));
        lines.push(say!(lang, "status-incident", about = about, what = what, details = &incident.details, at = at));
    }
    lines.push(String::new());
    if status.servers.is_empty() {
        lines.push(say!(lang, "servers-none"));
    } else {
        let words = status
            .servers
            .iter()
            .map(|(state, n)| format!("{} {n} {}", server::icon(*state), server::status(lang, *state)));
        lines.push(say!(lang, "status-servers"));
        lines.extend(words);
    }
    let open = status
        .jobs
        .iter()
        .filter(|(state, _)| !matches!(state.to_string().as_str(), "succeeded" | "failed" | "cancelled"));
    let jobs: Vec<String> =
        open.map(|(state, n)| format!("{} {n} {}", job::icon(*state), job::state(lang, *state))).collect();
    if !jobs.is_empty() {
        lines.push(String::new());
        lines.push(say!(lang, "status-jobs"));
        lines.extend(jobs);
    }
    lines.push(String::new());
    if status.approvals > 0 {
        lines.push(say!(lang, "status-approvals", count = status.approvals));
    }
    if let (1.., Some(since)) = (status.outbox, status.outbox_since) {
        lines.push(say!(lang, "status-outbox", count = status.outbox, at = moment(since, reader.now)));
    }
    lines.push(say!(lang, "status-version", version = &status.version));
    let mut all =
        vec![button(lang, "button-servers", &Want::Servers(0)), button(lang, "button-jobs", &Want::Jobs(None, 0))];
    if status.approvals > 0 {
        all.push(button(lang, "button-approvals", &Want::Approvals(0)));
    }
    all.push(button(lang, "button-refresh", &Want::Status));
    Message { html: lines.join("\n"), buttons: rows(all), ..Message::default() }
}
