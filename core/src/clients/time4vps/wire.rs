//! What Time4VPS answers, read with all patience: every field may be missing, null, or a number in quotes.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    oddities::{
        address_may_be_missing, addresses_may_be_one_text, date_may_be_zeros, identity_has_two_names,
        list_may_be_a_map, number_may_be_in_quotes, text_may_be_missing,
    },
    password::{completed_may_mean_failed, password_hides_in_html, showable},
};
use crate::{secret::Secret, units::Timestamp};

/// The most tasks of one server that are read.
const TASKS_MOST: usize = 100;

/// A task at the provider, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(pub i64);

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a task does to its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskKind {
    /// A new password for root.
    ResetPassword,
    /// A new disk with a fresh operating system.
    Reinstall,
    /// A restart.
    Reboot,
}

impl TaskKind {
    /// The provider's name for it, as its own WHMCS module uses them (github time4vps/whmcs).
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::ResetPassword => "server_reset_password",
            Self::Reinstall => "server_recreate",
            Self::Reboot => "server_reboot",
        }
    }
}

/// A server in the account's list. The list has active servers only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedServer {
    /// The provider's number for it: the one thing that never changes.
    pub id: i64,
    /// Its host name.
    pub domain: Option<String>,
    /// Its main address.
    pub address: Option<IpAddr>,
    /// The name that the customer gave it.
    pub label: Option<String>,
    /// The provider's `type`: the product's line or size.
    pub size: Option<String>,
}

/// One server, as the provider knows it. Its number is not in the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerDetails {
    /// `Active`, `Suspended`, … as the provider writes it.
    pub status: Option<String>,
    /// Its main address.
    pub address: Option<IpAddr>,
    /// Its further addresses.
    pub additional_addresses: Vec<IpAddr>,
    /// Its host name.
    pub domain: Option<String>,
    /// The name that the customer gave it.
    pub label: Option<String>,
    /// The template that it was installed from.
    pub os: Option<String>,
    /// Processor cores.
    pub cpu_cores: Option<i64>,
    /// Memory; the provider's "MB" are taken as MiB.
    pub ram_mib: Option<i64>,
    /// Disk; the provider's "MB" are taken as MiB.
    pub disk_mib: Option<i64>,
    /// The action that the server is busy with. While there is one, another is refused.
    pub active_task: Option<TaskRef>,
    /// Actions of late, in the provider's order.
    pub last_tasks: Vec<TaskRef>,
}

impl ServerDetails {
    /// Whether the provider has stopped the server, say for an unpaid bill: nothing that we do will bring it up.
    pub fn is_suspended(&self) -> bool {
        self.status.as_deref().is_some_and(|status| status.to_lowercase().contains("suspend"))
    }
}

/// A task as a server's details mention it. Its results, which may hold a password, are not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskRef {
    /// Its number, where the provider tells it.
    pub id: Option<TaskId>,
    /// Its name, such as `server_reboot`; blank when it was not told.
    pub name: String,
    /// When it was asked for, as the provider writes it (ISO 8601).
    pub activated: Option<String>,
    /// Whether it has ended.
    pub completed: bool,
}

impl TaskRef {
    /// [`Self::activated`] as a moment, when it says its offset from UTC; to the second.
    pub fn activated_at(&self) -> Option<Timestamp> {
        moment(self.activated.as_deref())
    }
}

/// One task of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its name, such as `server_reset_password`; blank when it was not told.
    pub name: String,
    /// When it was asked for, as the provider writes it (ISO 8601).
    pub activated: Option<String>,
    /// Whether it has ended. A task that ended may have failed.
    pub completed: bool,
    /// Whether it ended and its results tell of a failure.
    pub failed: bool,
    /// The new root password, when it ended and its results hold one.
    pub password: Option<Secret>,
    /// What its results say, without tags and passwords, at most 200 characters; for errors.
    pub said: Option<String>,
}

impl Task {
    /// [`Self::activated`] as a moment, when it says its offset from UTC; to the second.
    pub fn activated_at(&self) -> Option<Timestamp> {
        moment(self.activated.as_deref())
    }
}

/// A template that a server can be installed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OsTemplate {
    /// What a reinstall takes, such as `kvm-ubuntu-24.04-gpt-x86_64`.
    pub os: String,
    /// What people read.
    pub title: String,
}

/// The account's list. None when it is no list or has an entry without identity: a list that cannot be read whole must
/// not make servers look as if they had vanished.
pub(super) fn servers(answer: &Value) -> Option<Vec<ListedServer>> {
    if !answer.is_array() && !answer.is_object() {
        return None;
    }
    list_may_be_a_map(answer, &["server_id", "id", "domain", "ip"])
        .into_iter()
        .map(|(_, entry)| listed(entry))
        .collect()
}

/// A server's details. None when the answer is no object, or one without any field of a server.
pub(super) fn server(answer: &Value) -> Option<ServerDetails> {
    let fields =
        answer.as_object().filter(|fields| ["status", "ip", "domain"].iter().any(|k| fields.contains_key(*k)))?;
    let text = |name| text_may_be_missing(fields.get(name));
    let number = |name| number_may_be_in_quotes(fields.get(name));
    Some(ServerDetails {
        status: text("status"),
        address: address_may_be_missing(fields.get("ip")),
        additional_addresses: addresses_may_be_one_text(fields.get("additional_ip")),
        domain: text("domain"),
        label: text("label"),
        os: text("os"),
        cpu_cores: number("cpu_cores"),
        ram_mib: number("ram_limit"),
        disk_mib: number("disk_limit"),
        active_task: fields.get("active_task").and_then(active_task_has_many_shapes),
        last_tasks: fields.get("last_tasks").map(last_tasks_have_many_shapes).unwrap_or_default(),
    })
}

/// A task. None when the answer is no object, or one without any field of a task.
pub(super) fn task(answer: &Value) -> Option<Task> {
    let fields = answer.as_object().filter(|fields| {
        ["name", "activated", "assigned", "completed", "results"].iter().any(|key| fields.contains_key(*key))
    })?;
    let name = text_may_be_missing(fields.get("name")).unwrap_or_default();
    let results = fields.get("results").and_then(Value::as_str).unwrap_or_default();
    let password = password_hides_in_html(results);
    // Results are blank until the end, so a password in them tells of the end also where the date is missing.
    let completed = password.is_some() || date_may_be_zeros(fields.get("completed")).is_some();
    Some(Task {
        activated: date_may_be_zeros(fields.get("activated")),
        completed,
        failed: completed && completed_may_mean_failed(results),
        password,
        said: showable(results, name != TaskKind::Reboot.wire_name()),
        name,
    })
}

/// The templates on offer. None when the answer is no list.
pub(super) fn oses(answer: &Value) -> Option<Vec<OsTemplate>> {
    if !answer.is_array() && !answer.is_object() {
        return None;
    }
    let entries = list_may_be_a_map(answer, &["os", "title"]);
    Some(entries.into_iter().filter_map(|(_, entry)| template(entry.as_object()?)).collect())
}

/// The number of the task that an action made.
pub(super) fn task_id(answer: &Value) -> Option<TaskId> {
    number_may_be_in_quotes(answer.get("task_id")).filter(|id| *id > 0).map(TaskId)
}

/// `active_task` is null, `""`, false, `[]` or `{}` when there is none; else a name, a number, a task, or a list of one.
fn active_task_has_many_shapes(value: &Value) -> Option<TaskRef> {
    match value {
        Value::Object(_) | Value::Array(_) => last_tasks_have_many_shapes(value).into_iter().next(),
        Value::Bool(true) => Some(TaskRef::default()),
        Value::Number(_) => number_may_be_in_quotes(Some(value)).filter(|id| *id > 0).map(numbered),
        _ => text_may_be_missing(Some(value)).filter(|name| name != "0").map(named),
    }
}

/// `last_tasks` is null, `""` or `[]` when there are none; else a list, or a map keyed by number, of tasks or names.
fn last_tasks_have_many_shapes(value: &Value) -> Vec<TaskRef> {
    let entries = list_may_be_a_map(value, &["name", "activated", "assigned", "completed", "results", "task_id"]);
    entries.into_iter().take(TASKS_MOST).filter_map(|(key, entry)| task_ref(key, entry)).collect()
}

fn task_ref(key: Option<&str>, entry: &Value) -> Option<TaskRef> {
    let Value::Object(fields) = entry else { return text_may_be_missing(Some(entry)).map(named) };
    let own = number_may_be_in_quotes(fields.get("task_id")).or_else(|| number_may_be_in_quotes(fields.get("id")));
    // A map that is numbered from 0 is a list in disguise; a task's number has more digits.
    let keyed = key.and_then(|key| key.parse().ok()).filter(|id| *id >= 1000);
    Some(TaskRef {
        id: own.or(keyed).filter(|id| *id > 0).map(TaskId),
        name: text_may_be_missing(fields.get("name")).unwrap_or_default(),
        activated: date_may_be_zeros(fields.get("activated")),
        completed: date_may_be_zeros(fields.get("completed")).is_some(),
    })
}

fn named(name: String) -> TaskRef {
    TaskRef { name, ..TaskRef::default() }
}

fn numbered(id: i64) -> TaskRef {
    TaskRef { id: Some(TaskId(id)), ..TaskRef::default() }
}

fn listed(entry: &Value) -> Option<ListedServer> {
    let fields = entry.as_object()?;
    Some(ListedServer {
        id: identity_has_two_names(fields).filter(|id| *id > 0)?,
        domain: text_may_be_missing(fields.get("domain")),
        address: address_may_be_missing(fields.get("ip")),
        label: text_may_be_missing(fields.get("label")),
        size: text_may_be_missing(fields.get("type")),
    })
}

fn template(fields: &Map<String, Value>) -> Option<OsTemplate> {
    let os = text_may_be_missing(fields.get("os"))?;
    let title = text_may_be_missing(fields.get("title")).unwrap_or_else(|| os.clone());
    Some(OsTemplate { os, title })
}

/// A date with an offset; one without could be in any zone, so it is no moment.
fn moment(text: Option<&str>) -> Option<Timestamp> {
    text?.parse::<jiff::Timestamp>().ok().map(|at| Timestamp(at.as_millisecond()))
}
