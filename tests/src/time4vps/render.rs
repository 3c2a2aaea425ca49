//! How the provider writes what it knows, with the moods that its answers were seen to have.

use rackhand_core::{clients::time4vps::TaskKind, units::Timestamp};
use serde_json::{Map, Value, json};

use super::{
    faults::TaskFault,
    world::{Server, Stage, Task, World},
};

/// The forms in which a password was seen in a task's results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PasswordForm {
    /// Behind a link's script.
    #[default]
    Html,
    /// `New password: X`.
    New,
    /// `Root password: X`.
    Root,
}

/// What becomes of fields that may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gaps {
    /// All are there.
    #[default]
    None,
    /// They are null.
    Null,
    /// They are not there.
    Missing,
}

/// The provider's way of writing.
#[derive(Clone, Debug, Default)]
pub(super) struct Dialect {
    pub(super) quoted_numbers: bool,
    pub(super) gaps: Gaps,
    /// Always this form; else one after the other.
    pub(super) form: Option<PasswordForm>,
    forms_used: usize,
}

impl Dialect {
    pub(super) fn next_form(&mut self) -> PasswordForm {
        self.forms_used += 1;
        let cycle = [PasswordForm::Html, PasswordForm::New, PasswordForm::Root];
        self.form.unwrap_or(cycle[(self.forms_used - 1) % cycle.len()])
    }

    /// `answer` with this mood's numbers and gaps. What the product cannot do without stays.
    pub(super) fn apply(&self, answer: Value) -> Value {
        const KEPT: [&str; 9] =
            ["server_id", "ip", "task_id", "completed", "results", "status", "error", "os", "active_task"];
        match answer {
            Value::Object(fields) => {
                let mut written = Map::new();
                for (name, value) in fields {
                    match self.gaps {
                        Gaps::Missing if !KEPT.contains(&name.as_str()) => {}
                        Gaps::Null if !KEPT.contains(&name.as_str()) => drop(written.insert(name, Value::Null)),
                        _ => drop(written.insert(name, self.apply(value))),
                    }
                }
                Value::Object(written)
            }
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.apply(item)).collect()),
            Value::Number(number) if self.quoted_numbers => Value::String(number.to_string()),
            other => other,
        }
    }
}

pub(super) fn servers(world: &World) -> Value {
    let listed = world.servers.values().filter(|server| server.spec.status == "Active");
    Value::Array(listed.map(listing).collect())
}

pub(super) fn server(world: &World, server: &Server) -> Value {
    let spec = &server.spec;
    let last = world.tasks.iter().rev().filter(|t| t.server == spec.id && matches!(t.stage, Stage::Completed(_)));
    json!({
        "synch_date": "2026-11-20T10:00:00+00:00",
        "package_id": 11,
        "domain": spec.domain,
        "label": spec.label,
        "status": spec.status,
        "cpu_frequency": 2333,
        "cpu_cores": 4,
        "ram_limit": 8192,
        "ram_used": 561,
        "disk_limit": 81920,
        "disk_usage": 4859,
        "bw_limit": 16_000_000,
        "bw_in": 372,
        "bw_out": 336,
        "os": spec.os,
        "ip": server.address.to_string(),
        "additional_ip": spec.additional.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "dns_servers": null,
        "components": [{ "id": 123, "name": "Daily and weekly backups", "selected": false }],
        "active_task": world.active(spec.id).map(|active| task(active, active.activated)),
        "last_tasks": last.take(5).map(|done| task(done, done.due)).collect::<Vec<_>>(),
    })
}

pub(super) fn oses(server: &Server) -> Value {
    Value::Array(server.spec.oses.iter().map(|os| json!({ "os": os, "title": os.replace('-', " ") })).collect())
}

pub(super) fn task(task: &Task, now: Timestamp) -> Value {
    let completed = match task.stage {
        Stage::Completed(at) => date(at),
        _ => String::new(),
    };
    json!({
        "name": task.kind.wire_name(),
        "activated": date(task.activated),
        "assigned": if task.taken <= now { date(task.taken) } else { String::new() },
        "results": if completed.is_empty() { String::new() } else { results(task) },
        "completed": completed,
    })
}

fn results(task: &Task) -> String {
    match (&task.fault, task.kind) {
        (Some(TaskFault::Fails(words)), _) => words.clone(),
        (Some(TaskFault::NoPassword), _) => "Done".to_owned(),
        (_, TaskKind::Reboot) => "VM rebooted successfully".to_owned(),
        _ => match task.form {
            PasswordForm::Html => format!(
                "Login: root\r\nPassword: \t<a onclick='this.onclick = null; this.innerHTML = \"{}\"'>Click to show</a>",
                escaped(&task.password)
            ),
            PasswordForm::New => format!("New password: {}", task.password),
            PasswordForm::Root => format!("Server is ready.\r\nRoot password: {} \r\n", task.password),
        },
    }
}

/// A password inside a script inside an attribute.
fn escaped(password: &str) -> String {
    password
        .replace('\\', "\\\\")
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "\\\"")
        .replace('\'', "\\x27")
}

fn listing(server: &Server) -> Value {
    let spec = &server.spec;
    json!({
        "server_id": spec.id,
        "domain": spec.domain,
        "ip": server.address.to_string(),
        "date_created": "2026-01-31",
        "synch_date": "2026-11-20 10:00:00",
        "label": spec.label,
        "type": spec.size,
    })
}

fn date(at: Timestamp) -> String {
    at.to_string().replace('Z', "+00:00")
}
