//! What the runner tells `ansible-playbook`: its arguments, and the files that they name.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use rackhand_core::{
    clients::ssh::{HostKey, Target},
    secret::Secret,
};
use serde_json::{Map, Value};

const TASK_MS: u64 = 40;

/// One run, as it was asked for.
pub(super) struct Input {
    pub(super) playbook: PathBuf,
    /// `access`, `base` or `health_check`.
    pub(super) name: String,
    /// The server's name in the inventory.
    pub(super) host: String,
    pub(super) target: Target,
    pub(super) login: Login,
    pub(super) vars: Map<String, Value>,
    pub(super) task_time: Duration,
}

pub(super) enum Login {
    Password(Secret),
    Key(PathBuf),
}

impl Input {
    pub(super) fn read(args: &[String]) -> Result<Self, String> {
        let (mut inventory, mut vars, mut playbook) = (None, None, None);
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            match arg.as_str() {
                "-i" => inventory = rest.next(),
                "-e" => vars = rest.next().and_then(|file| file.strip_prefix('@')),
                option if option.starts_with('-') => return Err(format!("unrecognized arguments: {option}")),
                _ => playbook = Some(PathBuf::from(arg)),
            }
        }
        let inventory = json(inventory.ok_or("no inventory")?)?;
        let vars = vars.map_or_else(|| Ok(Value::Null), json)?;
        let playbook = playbook.ok_or("no playbook")?;
        let hosts = inventory["all"]["hosts"].as_object().ok_or("the inventory has no hosts")?;
        let [(host, about)] = hosts.iter().collect::<Vec<_>>()[..] else {
            return Err("a run has one host".to_owned());
        };
        let text = |name: &str| about.get(name).and_then(Value::as_str);
        let login = match (text("ansible_password"), text("ansible_ssh_private_key_file")) {
            (Some(password), None) => Login::Password(Secret::new(password)),
            (None, Some(key)) => Login::Key(key.into()),
            _ => return Err("the inventory must have either a password or a key".to_owned()),
        };
        let task_ms = [&vars, about].into_iter().find_map(|from| from["rackhand_sim_task_ms"].as_u64());
        Ok(Self {
            name: playbook.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            playbook,
            host: host.clone(),
            target: target(about)?,
            login,
            vars: vars.as_object().cloned().unwrap_or_default(),
            task_time: Duration::from_millis(task_ms.unwrap_or(TASK_MS)),
        })
    }
}

/// Where the server is, and the one key that it may have: any other is refused.
fn target(about: &Value) -> Result<Target, String> {
    let address: IpAddr =
        about["ansible_host"].as_str().and_then(|text| text.parse().ok()).ok_or("ansible_host is no address")?;
    let port = about["ansible_port"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or(22);
    let args = about["ansible_ssh_common_args"].as_str().unwrap_or_default();
    let known = args.split_whitespace().find_map(|arg| arg.strip_prefix("UserKnownHostsFile="));
    let known = known.ok_or("no UserKnownHostsFile")?;
    let name = if port == 22 { address.to_string() } else { format!("[{address}]:{port}") };
    let lines = fs::read_to_string(known).map_err(|error| format!("{known}: {error}"))?;
    let pinned: Option<HostKey> =
        lines.lines().filter_map(|line| line.strip_prefix(&name)).find_map(|key| key.trim().parse().ok());
    Ok(Target { address, port, pinned: Some(pinned.ok_or_else(|| format!("{known} has no key of {name}"))?) })
}

fn json(file: impl AsRef<Path>) -> Result<Value, String> {
    let file = file.as_ref();
    let text = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    serde_json::from_slice(&text).map(plain).map_err(|error| format!("{}: {error}", file.display()))
}

/// A text that is no template comes as an object with this one key.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(mut fields) => match fields.remove("__ansible_unsafe") {
            Some(text) => text,
            None => Value::Object(fields.into_iter().map(|(name, value)| (name, plain(value))).collect()),
        },
        Value::Array(items) => items.into_iter().map(plain).collect(),
        other => other,
    }
}
