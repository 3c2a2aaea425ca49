//! Ansible, as a child process: one playbook on one server, with its progress as it happens.
//!
//! What it is and its limits: `ansible-playbook` of ansible-core 2.19 (ansible/requirements.txt) on this machine, with
//! the system's OpenSSH. It speaks through events (ansible/README.md), exit codes and a log for people. Facts about it:
//!
//! * Its workers, and ssh's kept connections, leave its process group: `supervise.sh` finds them by the run's private
//!   directory, and ends them with the run, also when Rackhand itself is killed or stands still.
//! * 2.19 logs in with a password by `SSH_ASKPASS`, and needs no sshpass. The password is in a file of the private
//!   directory, never in an argument, a variable of the environment, or a log.
//! * Exit code 2 is a failed task, 4 an unreachable server, but a mistake in a playbook's text, too. A host key other
//!   than the pinned one can come as either.
//!
//! A run is never tried again here: that is for the job to decide.

mod child;
mod error;
mod events;
mod private;
mod text;
pub mod tree;

use std::{
    ffi::OsStr,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Map, Value};
use tokio::{select, sync::mpsc::Sender};

pub use self::error::AnsibleError;
use self::{
    child::{Ended, Guarded},
    events::{Events, Seen},
    private::PrivateDir,
    text::Redactor,
};
use crate::{clients::calls::Call, secret::Secret};

/// How long `ansible-playbook --version` may take; the first start of a fresh installation compiles it.
const VERSION_LIMIT: Duration = Duration::from_mins(1);

/// A playbook that Rackhand carries. ansible/README.md says what each does and which variables it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Playbook {
    /// From root's password to our key only.
    Access,
    /// From a reachable server to one that is ready for services.
    Base,
    /// Looks, and changes nothing.
    HealthCheck,
}

impl Playbook {
    /// Its file, below the tree of playbooks.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Access => "playbooks/access.yml",
            Self::Base => "playbooks/base.yml",
            Self::HealthCheck => "playbooks/health_check.yml",
        }
    }
}

/// How root gets in.
#[derive(Clone, Debug)]
pub enum Login {
    /// By password.
    Password(Secret),
    /// By the private key in this file (mode 0600), which `OpenSSH` reads.
    Key(PathBuf),
}

/// One run of a playbook on one server.
#[derive(Clone, Debug)]
pub struct PlaybookRun {
    /// Which one.
    pub playbook: Playbook,
    /// The server's name in the inventory.
    pub handle: String,
    /// Where it is.
    pub address: IpAddr,
    /// The port of its sshd.
    pub port: u16,
    /// Its pinned host key: one line as `OpenSSH` writes it, `ssh-ed25519 AAAA…`. Any other is refused.
    pub host_key: String,
    /// How root gets in.
    pub login: Login,
    /// The playbook's variables. Texts are taken as they are, also with `{{` in them.
    pub vars: Map<String, Value>,
    /// What else is not to be told, such as secrets among the variables.
    pub secrets: Vec<Secret>,
    /// How long it may take. Stopping one that takes longer takes up to some seconds more.
    pub limit: Duration,
    /// How long this process may stand still before the run is stopped without it, in whole seconds; less than 2 count
    /// as 2. A job gives half of its lease, so that no run goes on beside its successor's.
    pub patience: Duration,
}

/// What happens in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaybookEvent {
    /// A task begins.
    TaskStarted {
        /// Which of the tasks, from 1.
        number: u32,
        /// How many there are, where that is known.
        total: Option<u32>,
        /// Its name.
        name: String,
    },
    /// A task ended well, or was not needed.
    TaskDone {
        /// Its name.
        name: String,
        /// Whether it changed something.
        changed: bool,
        /// How long it took, in milliseconds.
        ms: Option<i64>,
    },
    /// A task failed.
    TaskFailed {
        /// Its name.
        name: String,
        /// What it said, at most about 1000 characters.
        message: String,
        /// Whether the playbook goes on regardless.
        ignored: bool,
    },
}

/// The end of a run that went well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recap {
    /// Tasks that went well.
    pub ok: u32,
    /// Those of them that changed something.
    pub changed: u32,
    /// The health check's report: a list of `{name, ok, detail}`.
    pub health: Option<Value>,
}

/// Runs playbooks.
#[derive(Clone, Debug)]
pub struct Ansible {
    bin: Option<PathBuf>,
    tree: PathBuf,
    scratch: PathBuf,
}

impl Ansible {
    /// With the program `bin` (else the first `ansible-playbook` in PATH) and the playbooks in `tree` (see
    /// [`tree::unpack`]). Each run has a private directory below `scratch`, which only we use; in a path of up to 40
    /// characters, ssh can keep its connection from task to task.
    pub fn new(bin: Option<PathBuf>, tree: PathBuf, scratch: PathBuf) -> Self {
        Self { bin, tree, scratch }
    }

    /// Runs a playbook to its end. Events go to `events` as they happen. A run never waits for its listener: where that
    /// one lags, it later gets every failure, and of the progress the newest, also after the end of the run.
    ///
    /// A health check that finds something wrong is a run that went well: its report says what.
    ///
    /// When the future is dropped, the run is stopped and everything that belongs to it is ended.
    pub async fn run(&self, run: PlaybookRun, events: Sender<PlaybookEvent>) -> Result<Recap, AnsibleError> {
        Call::of("ansible").ended(self.played(run, events).await)
    }

    async fn played(&self, run: PlaybookRun, events: Sender<PlaybookEvent>) -> Result<Recap, AnsibleError> {
        let bin = child::find(self.bin.as_deref())?;
        let dir = PrivateDir::create(&self.scratch)?;
        let redactor = Redactor::new(run.secrets.iter().chain(match &run.login {
            Login::Password(password) => Some(password),
            Login::Key(_) => None,
        }));
        let playbook = self.tree_file(run.playbook.file())?;
        let mut events =
            Events::open(&dir.events(), &redactor, events).map_err(AnsibleError::io("open ansible's events"))?;
        let args = ["-i", "inventory.json", "-e", "@vars.json"].map(OsStr::new);
        let args = [&args[..], &[playbook.as_os_str()]].concat();
        let config = self.tree_file("ansible.cfg")?;
        let child = Guarded::new(dir.path(), &config, &bin, &args, run.patience)?;
        // Only now is somebody there who deletes secrets if we cannot.
        dir.fill(&run)?;
        let ended = select! {
            ended = child.run(run.limit) => ended,
            error = events.follow() => Err(AnsibleError::io("read ansible's events")(error)),
        };
        let seen = events.finish().map_err(AnsibleError::io("read ansible's events"));
        tell(&run, &bin, &ended?, seen?, &redactor)
    }

    /// The first line of what `ansible-playbook --version` says, such as `ansible-playbook [core 2.19.14]`.
    pub async fn version(&self) -> Result<String, AnsibleError> {
        let bin = child::find(self.bin.as_deref())?;
        let dir = PrivateDir::create(&self.scratch)?;
        let config = self.tree_file("ansible.cfg")?;
        let args = [OsStr::new("--version")];
        let ended = Guarded::new(dir.path(), &config, &bin, &args, VERSION_LIMIT)?.run(VERSION_LIMIT).await?;
        let text = ended.output.last_lines();
        match ended.output.first_line() {
            Some(line) if ended.status.is_some_and(|status| status.success()) => Ok(line),
            _ => Err(AnsibleError::Broken { what: Redactor::new([]).message(&text) }),
        }
    }

    /// Ends what is left of runs whose owner was killed, and deletes their private directories. Those of living
    /// processes stay. Returns how many there were.
    pub async fn sweep(&self) -> Result<usize, AnsibleError> {
        let found =
            private::abandoned(&self.scratch).map_err(AnsibleError::io("look for abandoned runs of ansible"))?;
        for dir in &found {
            child::clear(dir).await.map_err(AnsibleError::io("clear up an abandoned run of ansible"))?;
        }
        Ok(found.len())
    }

    fn tree_file(&self, name: &str) -> Result<PathBuf, AnsibleError> {
        std::path::absolute(self.tree.join(name)).map_err(AnsibleError::io("find the playbooks"))
    }
}

/// What the end of a run means.
fn tell(run: &PlaybookRun, bin: &Path, ended: &Ended, seen: Seen, redactor: &Redactor) -> Result<Recap, AnsibleError> {
    let Some(status) = ended.status else {
        return Err(AnsibleError::TimedOut { after: run.limit, task: seen.task });
    };
    let code = status.code();
    let reported = run.playbook == Playbook::HealthCheck && seen.health.is_some();
    if code == Some(0) || (code == Some(2) && reported) {
        return Ok(Recap { ok: seen.ok, changed: seen.changed, health: seen.health });
    }
    let message = seen.unreachable.as_ref().or(seen.failure.as_ref().map(|(_, message)| message));
    if let Some(message) = message.filter(|message| is_host_key(message)) {
        return Err(AnsibleError::HostKeyChanged { message: message.clone() });
    }
    Err(match (code, seen.unreachable, seen.failure) {
        (Some(4), Some(message), _) => AnsibleError::Unreachable { message },
        (Some(2), _, Some((task, message))) => AnsibleError::TaskFailed { task, message },
        // What a shell says of a program that it cannot start.
        (Some(126 | 127), ..) if seen.task.is_none() => AnsibleError::Missing { bin: bin.display().to_string() },
        _ => AnsibleError::Broken { what: redactor.message(&format!("{status}: {}", ended.output.last_lines())) },
    })
}

/// Whether ssh refused the server for its host key. Ansible turns that into a failed task with a text of its own.
fn is_host_key(message: &str) -> bool {
    ["Host key verification failed", "Host Key checking is enabled", "REMOTE HOST IDENTIFICATION HAS CHANGED"]
        .iter()
        .any(|words| message.contains(words))
}
