//! A stand-in for `ansible-playbook`, for servers that are simulated: no package is ever installed on those.
//!
//! It takes the arguments and files that the product's runner gives to the real one, logs in to the server over real
//! SSH with what it finds there (password or key, pinned host key), tells the same events in the same order for the
//! tasks that the real playbook has, and ends with the same exit codes. What the playbook would do to a server, it asks
//! the simulated server to do to itself, by commands over that login:
//!
//! | command | answer |
//! | --- | --- |
//! | `rackhand-sim fault access` (or `base`, `health_check`), once after the login | `none`, `failed N MESSAGE`, `unreachable N`, `hang N`: what happens at task N |
//! | `rackhand-sim apply access BASE64`, of the line of our public key | `changed=N`; 0 when there was nothing to do |
//! | `rackhand-sim apply base HOSTNAME` | `changed=N` |
//! | `rackhand-sim task base N`, in each task | anything; no answer within 15 s makes the server unreachable |
//!
//! The effect comes with the last task: a run that ends before has none. Each task takes 40 ms, or what the variable
//! `rackhand_sim_task_ms` says.

mod events;
mod input;
mod tasks;

use std::{
    fs,
    future::pending,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rackhand_core::{
    clients::ssh::{Auth, OrchestratorKey, Session, SshError, login},
    clock::{Clock, SystemClock},
};
use serde_json::{Value, json};

use self::{
    events::Events,
    input::{Input, Login},
    tasks::{Play, Task},
};

/// What `--version` says.
pub const VERSION: &str = "ansible-playbook [core 2.19.0-simulated]";

/// As long as `ansible.cfg` gives a server for its login.
const PATIENCE: Duration = Duration::from_secs(15);
const OUTPUT_MAX: usize = 16 * 1024;

/// Does what `ansible-playbook` with these arguments (without the program's name) would, and gives its exit code.
pub async fn simulated_playbook(args: Vec<String>) -> i32 {
    if args.iter().any(|arg| arg == "--version") {
        say(VERSION);
        return 0;
    }
    let started = Input::read(&args).and_then(|input| {
        let play = tasks::read(&input.playbook, &input.vars)?;
        Ok(Run { events: Events::open()?, input, play })
    });
    match started {
        Ok(mut run) => run.whole().await,
        Err(error) => {
            say(&format!("ERROR! {error}"));
            1
        }
    }
}

/// Writes an executable to `dir` that runs `program` with `subcommand` and then its own arguments, to be used as
/// `ansible.bin`; says where it is.
pub fn write_wrapper(dir: &Path, program: &Path, subcommand: &str) -> io::Result<PathBuf> {
    let wrapper = dir.join("ansible-playbook");
    let quoted = program.display().to_string().replace('\'', r"'\''");
    fs::write(&wrapper, format!("#!/bin/sh\nexec '{quoted}' {subcommand} \"$@\"\n"))?;
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))?;
    Ok(wrapper)
}

struct Run {
    input: Input,
    play: Play,
    events: Events,
}

/// What the server wants to happen.
enum Fault {
    None,
    Failed(usize, String),
    Unreachable(usize),
    Hang(usize),
}

/// How a task ended that did not end well.
enum Trouble {
    Failed(String),
    Unreachable(String),
}

impl From<SshError> for Trouble {
    fn from(error: SshError) -> Self {
        Self::Unreachable(words_of_ssh(&error))
    }
}

impl Run {
    async fn whole(&mut self) -> i32 {
        self.events.emit("playbook_start", &json!({"playbook": format!("{}.yml", self.input.name)}));
        self.events.emit("play_start", &json!({"play": self.play.name, "tasks": self.play.tasks.len()}));
        let mut changed = 0;
        let mut session = None;
        for number in 1..=self.play.tasks.len() {
            let task = self.play.tasks[number - 1].clone();
            let of = self.play.tasks.len();
            self.tell("task_start", &task, &json!({"n": number, "of": of}));
            match self.task(number, &mut session).await {
                Ok(count) => changed += count,
                Err(trouble) => return self.give_up(number, &task, changed, trouble),
            }
        }
        self.stats(self.play.tasks.len(), changed, 0, 0);
        0
    }

    /// One task; how many changes it made.
    async fn task(&mut self, number: usize, session: &mut Option<(Session, Fault)>) -> Result<usize, Trouble> {
        if session.is_none() {
            let opened = self.log_in().await?;
            let fault = self.fault(&opened).await?;
            *session = Some((opened, fault));
        }
        SystemClock.sleep(self.input.task_time).await;
        let Some((session, fault)) = session else { return Ok(0) };
        let done = format!("rackhand-sim task {} {number}", self.input.name);
        session.run(&done, None, PATIENCE, OUTPUT_MAX).await?;
        let (task, last) = (self.play.tasks[number - 1].clone(), number == self.play.tasks.len());
        let health = self.input.name == "health_check";
        match fault {
            Fault::Failed(at, message) if *at == number && !health => return Err(Trouble::Failed(message.clone())),
            Fault::Failed(..) if last && health => return Err(Trouble::Failed("Not healthy: disk".to_owned())),
            Fault::Unreachable(at) if *at == number => {
                let words = "Failed to connect to the host via ssh: Timeout, server not responding.";
                return Err(Trouble::Unreachable(words.to_owned()));
            }
            Fault::Hang(at) if *at == number => pending().await,
            _ => {}
        }
        let changed = if last { self.apply(session).await? } else { 0 };
        let event = if changed > 0 { "changed" } else { "ok" };
        self.result(event, &task, &json!({}), &json!({"changed": changed > 0}));
        if health && number + 1 == self.play.tasks.len() {
            let wrong = if let Fault::Failed(_, message) = fault { Some(message.as_str()) } else { None };
            self.events.emit("health", &json!({"host": self.input.host, "checks": checks(wrong)}));
        }
        Ok(changed)
    }

    async fn log_in(&self) -> Result<Session, Trouble> {
        let target = &self.input.target;
        match &self.input.login {
            Login::Password(password) => Ok(login(target, "root", Auth::Password(password), PATIENCE).await?),
            Login::Key(path) if path.is_file() => {
                let key = OrchestratorKey::load_or_generate(path)?;
                Ok(login(target, "root", Auth::Key(&key), PATIENCE).await?)
            }
            Login::Key(_) => Err(SshError::AuthRefused.into()),
        }
    }

    async fn fault(&self, session: &Session) -> Result<Fault, Trouble> {
        let command = format!("rackhand-sim fault {}", self.input.name);
        let said = session.run(&command, None, PATIENCE, OUTPUT_MAX).await?.stdout;
        let mut words = said.trim().splitn(3, ' ');
        let kind = words.next().unwrap_or_default().to_owned();
        let at = words.next().and_then(|number| number.parse().ok()).unwrap_or(1).clamp(1, self.play.tasks.len());
        let message = words.next().unwrap_or("it was told to fail").to_owned();
        match kind.as_str() {
            "none" => Ok(Fault::None),
            "failed" => Ok(Fault::Failed(at, message)),
            "unreachable" => Ok(Fault::Unreachable(at)),
            "hang" => Ok(Fault::Hang(at)),
            _ => Err(Trouble::Failed(format!("this is no simulated server: {command} says {said:?}"))),
        }
    }

    async fn apply(&self, session: &Session) -> Result<usize, Trouble> {
        let variable = |name: &str| self.input.vars.get(name).and_then(Value::as_str).map(str::trim);
        let what = match self.input.name.as_str() {
            "access" => variable("rackhand_public_key").map(|line| STANDARD.encode(line)),
            "base" => variable("rackhand_hostname").map(str::to_owned),
            _ => return Ok(0),
        };
        let Some(what) = what else {
            return Err(Trouble::Failed(format!("{} lacks a variable that it requires", self.input.name)));
        };
        let command = format!("rackhand-sim apply {} {what}", self.input.name);
        let said = session.run(&command, None, PATIENCE, OUTPUT_MAX).await?;
        let changed = said.stdout.trim().strip_prefix("changed=").and_then(|count| count.parse().ok());
        changed.filter(|_| said.status == 0).ok_or_else(|| Trouble::Failed(format!("{}{}", said.stdout, said.stderr)))
    }

    fn give_up(&mut self, number: usize, task: &Task, changed: usize, trouble: Trouble) -> i32 {
        let (event, message, code) = match trouble {
            Trouble::Failed(message) => ("failed", message, 2),
            Trouble::Unreachable(message) => ("unreachable", message, 4),
        };
        let more = if code == 2 { json!({"changed": false, "ignored": false}) } else { json!({"changed": false}) };
        self.result(event, task, &json!({"msg": message}), &more);
        self.stats(number - 1, changed, usize::from(code == 2), usize::from(code == 4));
        code
    }

    fn result(&mut self, event: &str, task: &Task, result: &Value, more: &Value) {
        let mut fields = json!({
            "host": self.input.host, "ms": u64::try_from(self.input.task_time.as_millis()).unwrap_or(0), "result": result,
        });
        events::merge(&mut fields, more);
        self.tell(event, task, &fields);
        say(&format!("{event}: [{}]", self.input.host));
    }

    fn tell(&mut self, event: &str, task: &Task, fields: &Value) {
        let mut all = json!({"task": task.name, "role": task.role, "task_id": task.id});
        events::merge(&mut all, fields);
        self.events.emit(event, &all);
        if event == "task_start" {
            say(&format!("\nTASK [{}] ****", task.name));
        }
    }

    fn stats(&mut self, ok: usize, changed: usize, failures: usize, unreachable: usize) {
        let host = json!({
            "ok": ok, "changed": changed, "failures": failures, "unreachable": unreachable,
            "skipped": 0, "rescued": 0, "ignored": 0,
        });
        self.events.emit("stats", &json!({"hosts": {self.input.host.as_str(): host}}));
    }
}

/// The report of a server that is well but for `wrong`, which is its disk.
fn checks(wrong: Option<&str>) -> Value {
    let check = |name: &str| {
        let detail = wrong.filter(|_| name == "disk");
        json!({"name": name, "ok": detail.is_none(), "detail": detail.unwrap_or("as it should be")})
    };
    ["ssh", "docker", "disk", "memory", "firewall", "fail2ban", "packages"].map(check).into()
}

/// What ansible passes on of the words of OpenSSH.
fn words_of_ssh(error: &SshError) -> String {
    let words = match error {
        SshError::Unreachable { address, source } => {
            let why = match source.kind() {
                io::ErrorKind::ConnectionRefused => "Connection refused",
                io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "No route to host",
                _ => "Connection timed out",
            };
            format!("ssh: connect to host {} port {}: {why}", address.ip(), address.port())
        }
        SshError::NoBanner | SshError::Timeout { .. } => "Connection timed out during banner exchange".to_owned(),
        SshError::HostKeyChanged { seen, .. } => format!(
            "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nThe fingerprint for the key sent by the remote \
             host is\n{}.\nHost key verification failed.",
            seen.fingerprint()
        ),
        SshError::AuthRefused => {
            return "Invalid/incorrect credentials: root: Permission denied (publickey).".to_owned();
        }
        SshError::Dropped => "kex_exchange_identification: Connection closed by remote host".to_owned(),
        other => other.to_string(),
    };
    format!("Failed to connect to the host via ssh: {words}")
}

/// The log for people. Nobody needs to read it.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
