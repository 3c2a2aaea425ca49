//! The private directory of a run: what `ansible-playbook` has to read, by nobody else, and not for longer than the run.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    net::IpAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, Mode, mkfifoat};
use serde_json::{Map, Value, json};

use super::{AnsibleError, Login, PlaybookRun};

/// Every run's directory begins with this.
const PREFIX: &str = "run-";

/// A directory with mode 0700, deleted when this is dropped. It is locked for as long as its owner lives.
#[derive(Debug)]
pub(super) struct PrivateDir {
    path: PathBuf,
    _lock: File,
}

impl PrivateDir {
    /// Makes one in `scratch`.
    pub(super) fn create(scratch: &Path) -> Result<Self, AnsibleError> {
        let make = || {
            DirBuilder::new().recursive(true).mode(0o700).create(scratch)?;
            let path = scratch.canonicalize()?.join(format!("{PREFIX}{:016x}", rand::random::<u64>()));
            DirBuilder::new().mode(0o700).create(&path)?;
            let lock = File::open(&path)?;
            lock.try_lock().map_err(io::Error::from)?;
            let dir = Self { path, _lock: lock };
            for inner in ["tmp", "cp", "home"] {
                DirBuilder::new().mode(0o700).create(dir.path.join(inner))?;
            }
            mkfifoat(CWD, dir.events(), Mode::RUSR | Mode::WUSR)?;
            Ok(dir)
        };
        let dir = make().map_err(AnsibleError::io("make a private directory for ansible"))?;
        // ssh and the playbooks split options at white space, and ssh reads %, quotes and $ in paths.
        let plain = |c: char| c.is_alphanumeric() || "/._-+".contains(c);
        match dir.path.to_str() {
            Some(text) if text.chars().all(plain) => Ok(dir),
            _ => Err(AnsibleError::Broken { what: format!("{} is no path that ssh can take", scratch.display()) }),
        }
    }

    /// Where it is: absolute, without links.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The FIFO of events.
    pub(super) fn events(&self) -> PathBuf {
        self.path.join("events")
    }

    /// Writes what a run needs: inventory.json, vars.json and `known_hosts`.
    pub(super) fn fill(&self, run: &PlaybookRun) -> Result<(), AnsibleError> {
        let known = known_hosts(run)?;
        let files = [
            ("known_hosts", known),
            ("inventory.json", self.inventory(run).to_string()),
            ("vars.json", Value::Object(plain_values(&run.vars)).to_string()),
        ];
        let mut write = files.iter().map(|(name, text)| write_private(&self.path.join(name), text));
        write.try_for_each(|done| done).map_err(AnsibleError::io("write ansible's inventory"))
    }

    fn inventory(&self, run: &PlaybookRun) -> Value {
        let known = self.path.join("known_hosts");
        let mut host = json!({
            "ansible_host": run.address.to_string(),
            "ansible_port": run.port,
            "ansible_user": "root",
            // No configuration of this machine's users changes what a run does, and only the pinned key is right.
            "ansible_ssh_common_args": format!(
                "-F none -o UserKnownHostsFile={} -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes",
                known.display()
            ),
        });
        // For this login only: access.yml proves the key with the common ones.
        match &run.login {
            Login::Password(password) => {
                host["ansible_password"] = json!(password.expose());
                host["ansible_ssh_extra_args"] = json!("-o PreferredAuthentications=password,keyboard-interactive");
            }
            Login::Key(key) => {
                host["ansible_ssh_private_key_file"] = json!(key);
                host["ansible_ssh_extra_args"] = json!("-o IdentitiesOnly=yes");
            }
        }
        json!({"all": {"hosts": {run.handle.as_str(): plain_value(&host)}}})
    }
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        // The supervisor deletes it, too; what is left over now goes with the next sweep.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The directories in `scratch` whose owners are dead.
pub(super) fn abandoned(scratch: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(scratch) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && entry.file_type()?.is_dir() {
            match File::open(entry.path()).map(|dir| dir.try_lock()) {
                Ok(Ok(())) => found.push(entry.path()),
                // Its owner lives, or has just deleted it.
                Ok(Err(TryLockError::WouldBlock)) | Err(_) => {}
                Ok(Err(TryLockError::Error(error))) => return Err(error),
            }
        }
    }
    Ok(found)
}

/// The one line of `known_hosts`: the pinned key.
fn known_hosts(run: &PlaybookRun) -> Result<String, AnsibleError> {
    let mut words = run.host_key.split_whitespace();
    let (Some(kind), Some(key)) = (words.next(), words.next()) else {
        return Err(AnsibleError::Broken { what: format!("the pinned host key of {} is not a key", run.handle) });
    };
    Ok(format!("{} {kind} {key}\n", host_of(run.address, run.port)))
}

fn host_of(address: IpAddr, port: u16) -> String {
    if port == 22 { address.to_string() } else { format!("[{address}]:{port}") }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

fn plain_values(values: &Map<String, Value>) -> Map<String, Value> {
    values.iter().map(|(name, value)| (name.clone(), plain_value(value))).collect()
}

/// Texts as texts: without the mark `__ansible_unsafe`, ansible would take `{{ … }}` in a password or name for a
/// template.
fn plain_value(value: &Value) -> Value {
    match value {
        Value::String(text) => json!({"__ansible_unsafe": text}),
        Value::Array(items) => items.iter().map(plain_value).collect(),
        Value::Object(items) => Value::Object(plain_values(items)),
        other => other.clone(),
    }
}
