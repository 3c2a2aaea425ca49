//! The provider's servers and tasks, and what has really been done to the machines.

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use rackhand_core::{
    clients::time4vps::{TaskId, TaskKind},
    units::Timestamp,
};
use rand::RngExt;

use super::{
    faults::{Faults, Route, TaskFault},
    render::{Dialect, PasswordForm},
};
use crate::host::Host;

/// A server as the provider sells it.
#[derive(Clone, Debug)]
pub struct ServerSpec {
    /// The provider's number for it.
    pub id: i64,
    /// Its host name.
    pub domain: String,
    /// The customer's name for it.
    pub label: String,
    /// The product's line or size (`type` on the wire).
    pub size: String,
    /// The template it was installed from.
    pub os: String,
    /// The templates on offer.
    pub oses: Vec<String>,
    /// `Active`, `Suspended`, …
    pub status: String,
    /// Addresses beside the main one.
    pub additional: Vec<IpAddr>,
}

impl ServerSpec {
    /// An ordinary active server.
    pub fn new(id: i64) -> Self {
        let os = "kvm-ubuntu-24.04-gpt-x86_64".to_owned();
        Self {
            id,
            domain: format!("vps-{id}.example.net"),
            label: String::new(),
            size: "Linux 8".to_owned(),
            oses: vec![os.clone(), "kvm-debian-12-x86_64".to_owned()],
            os,
            status: "Active".to_owned(),
            additional: Vec::new(),
        }
    }
}

/// What really took effect on a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The provider's number of the server.
    pub server: i64,
    /// What was done.
    pub kind: TaskKind,
    /// By which task.
    pub task: TaskId,
    /// When.
    pub at: Timestamp,
}

/// A call that arrived, whatever became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What was called.
    pub route: Route,
    /// On which server.
    pub server: Option<i64>,
    /// When.
    pub at: Timestamp,
}

/// How long a kind of task takes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delays {
    /// From the call until somebody takes the task.
    pub taken: Duration,
    /// From then until it takes effect and is completed.
    pub completed: Duration,
}

#[derive(Clone)]
pub(super) struct Server {
    pub(super) spec: ServerSpec,
    pub(super) address: IpAddr,
    pub(super) host: Arc<dyn Host>,
    pub(super) task_faults: VecDeque<TaskFault>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Open,
    /// Its effect is under way.
    Working,
    Completed(Timestamp),
}

#[derive(Clone)]
pub(super) struct Task {
    pub(super) id: i64,
    pub(super) server: i64,
    pub(super) kind: TaskKind,
    pub(super) activated: Timestamp,
    pub(super) taken: Timestamp,
    pub(super) due: Timestamp,
    pub(super) stage: Stage,
    pub(super) fault: Option<TaskFault>,
    pub(super) password: String,
    pub(super) form: PasswordForm,
    pub(super) os: String,
    pub(super) ssh_key: Option<String>,
}

#[derive(Default)]
pub(super) struct World {
    pub(super) servers: BTreeMap<i64, Server>,
    pub(super) tasks: Vec<Task>,
    pub(super) effects: Vec<Effect>,
    pub(super) calls: Vec<Call>,
    pub(super) passwords: Vec<String>,
    pub(super) faults: Faults,
    pub(super) delays: BTreeMap<&'static str, Delays>,
    pub(super) dialect: Dialect,
    pub(super) linger: Duration,
    pub(super) pace: Option<Duration>,
    pub(super) last_action: Option<Timestamp>,
}

/// Why the provider refuses an action.
pub(super) enum Refusal {
    NoServer,
    NoOs,
    Busy,
    TooSoon(u64),
}

impl World {
    /// Files a task, or says why not.
    pub(super) fn ask(
        &mut self,
        server: i64,
        kind: TaskKind,
        os: Option<&str>,
        ssh_key: Option<&str>,
        now: Timestamp,
    ) -> Result<i64, Refusal> {
        self.keep_pace(now)?;
        let busy = self.active(server).is_some();
        let form = self.dialect.next_form();
        let found = self.servers.get_mut(&server).ok_or(Refusal::NoServer)?;
        if kind == TaskKind::Reinstall && !os.is_some_and(|os| found.spec.oses.iter().any(|one| one == os)) {
            return Err(Refusal::NoOs);
        }
        if busy {
            return Err(Refusal::Busy);
        }
        let delays = self.delays.get(kind.wire_name()).copied().unwrap_or_default();
        let id = 4_948_000 + i64::try_from(self.tasks.len()).unwrap_or_default();
        self.tasks.push(Task {
            id,
            server,
            kind,
            activated: now,
            taken: now.plus(delays.taken),
            due: now.plus(delays.taken).plus(delays.completed),
            stage: Stage::Open,
            fault: found.task_faults.pop_front(),
            password: random_password(),
            form,
            os: os.unwrap_or(&found.spec.os).to_owned(),
            ssh_key: ssh_key.map(str::to_owned),
        });
        self.last_action = Some(now);
        Ok(id)
    }

    /// The task that keeps a server busy.
    pub(super) fn active(&self, server: i64) -> Option<&Task> {
        self.tasks.iter().find(|task| task.server == server && !matches!(task.stage, Stage::Completed(_)))
    }

    /// Takes the next task whose time has come; it counts as under way from then on.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<(Task, Server)> {
        let due = |task: &&mut Task| {
            task.stage == Stage::Open && task.due <= now && !matches!(task.fault, Some(TaskFault::NeverCompletes))
        };
        let task = self.tasks.iter_mut().filter(due).min_by_key(|task| task.due)?;
        task.stage = Stage::Working;
        let task = task.clone();
        let server = self.servers.get(&task.server)?.clone();
        Some((task, server))
    }

    /// Notes that a task has ended, and what it did.
    pub(super) fn complete(&mut self, done: &Task, at: Timestamp) {
        if let Some(task) = self.tasks.iter_mut().find(|task| task.id == done.id) {
            task.stage = Stage::Completed(at);
        }
        if matches!(done.fault, Some(TaskFault::Fails(_))) {
            return;
        }
        self.effects.push(Effect { server: done.server, kind: done.kind, task: TaskId(done.id), at });
        if done.kind == TaskKind::Reinstall
            && let Some(server) = self.servers.get_mut(&done.server)
        {
            server.spec.os.clone_from(&done.os);
        }
    }

    fn keep_pace(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let (Some(pace), Some(last)) = (self.pace, self.last_action) else { return Ok(()) };
        let left = last.plus(pace).since(now);
        let seconds = u64::try_from(left.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
        if left.is_zero() { Ok(()) } else { Err(Refusal::TooSoon(seconds)) }
    }
}

/// A password that is like no other, so that a search for it proves that it leaked. Some hold what HTML, scripts and
/// shells stumble over.
pub(super) fn random_password() -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
    const TRAPS: [&str; 8] = ["", "&", "<", ">", "\"", "'", "$", "<&>"];
    let mut rng = rand::rng();
    let mut letters =
        |count| -> String { (0..count).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())])).collect() };
    let (head, tail) = (letters(10), letters(10));
    format!("{head}{}{tail}", TRAPS[rng.random_range(0..TRAPS.len())])
}
