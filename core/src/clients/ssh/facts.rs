//! What a host is like, by its own word: asked over SSH, not taken from Ansible.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use super::{Session, SshError};

/// The POSIX shell script that prints the facts: run as root by `sh -s`, with this text as input.
pub const VERIFY_SCRIPT: &str = include_str!("verify.sh");

/// The most that the script may print, in bytes.
const OUTPUT_LIMIT: usize = 64 * 1024;

/// What [`VERIFY_SCRIPT`] found. A tool that is missing makes a "no", never an error.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own, not a state")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostFacts {
    /// The host's name.
    pub hostname: String,
    /// Its time zone, such as `Etc/UTC`.
    pub timezone: String,
    /// Whether the Docker daemon answers.
    pub docker_ok: bool,
    /// The daemon's version.
    pub docker_version: Option<String>,
    /// Whether UFW filters.
    pub ufw_active: bool,
    /// The TCP ports that UFW lets in from anywhere (IPv4), sorted.
    pub ufw_ports: Vec<u16>,
    /// Every other rule of UFW, in its own words: other protocols, sources, actions and directions, ranges, ports for
    /// IPv6 alone; and `default: allow (incoming)` where what has no rule comes in.
    pub ufw_other: Vec<String>,
    /// Whether fail2ban runs and watches sshd.
    pub fail2ban_ok: bool,
    /// The size of the file system at `/`, in MiB.
    pub disk_total_mib: u64,
    /// What is free in it for anybody but root's reserve, in MiB.
    pub disk_free_mib: u64,
    /// Whether sshd takes passwords from root's address, by its own settings (`sshd -T`); true also where they could
    /// not be read.
    pub password_login: bool,
    /// `ID` of os-release, such as `debian`.
    pub os_id: String,
    /// `VERSION_ID` of os-release, such as `12`.
    pub os_version: String,
}

impl HostFacts {
    /// Asks the host. The session must be root's.
    pub async fn gather(session: &Session, deadline: Duration) -> Result<Self, SshError> {
        let output = session.run("sh -s", Some(VERIFY_SCRIPT.as_bytes()), deadline, OUTPUT_LIMIT).await?;
        Self::parse(&output.stdout)
    }

    /// Reads what the script printed. Fails when it did not come to its end, or a line is missing.
    pub fn parse(text: &str) -> Result<Self, SshError> {
        let lines: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('=')).collect();
        let one: BTreeMap<&str, &str> = lines.iter().copied().collect();
        if one.get("end") != Some(&"ok") {
            return Err(garbled("the facts end too early"));
        }
        let firewall = Firewall::read(&lines);
        Ok(Self {
            hostname: text_of(&one, "hostname")?,
            timezone: text_of(&one, "timezone")?,
            docker_ok: flag(&one, "docker_ok")?,
            docker_version: one.get("docker_version").map(|&version| version.to_owned()),
            ufw_active: flag(&one, "ufw_active")?,
            ufw_ports: firewall.ports,
            ufw_other: firewall.other,
            fail2ban_ok: flag(&one, "fail2ban_ok")?,
            disk_total_mib: number(&one, "disk_total_mib")?,
            disk_free_mib: number(&one, "disk_free_mib")?,
            password_login: flag(&one, "password_login")?,
            os_id: text_of(&one, "os_id")?,
            os_version: text_of(&one, "os_version")?,
        })
    }
}

/// UFW's rules as `ufw status verbose` prints them: `22/tcp   ALLOW IN   Anywhere   # comment`.
#[derive(Default)]
struct Firewall {
    ports: Vec<u16>,
    other: Vec<String>,
}

impl Firewall {
    fn read(lines: &[(&str, &str)]) -> Self {
        let mut found = Self::default();
        let mut ports_v6 = Vec::new();
        for (_, rule) in lines.iter().filter(|(key, _)| *key == "ufw_rule") {
            let words = words_of(rule);
            match tcp_from_anywhere(&words) {
                Some((ports, false)) => found.ports.extend(ports),
                Some((ports, true)) => ports_v6.push((ports, words)),
                None => found.other.push(words),
            }
        }
        found.ports.sort_unstable();
        found.ports.dedup();
        let alone = ports_v6.into_iter().filter(|(ports, _)| ports.iter().any(|port| !found.ports.contains(port)));
        let alone: Vec<String> = alone.map(|(_, words)| words).collect();
        found.other.extend(alone);
        let default = lines.iter().find(|(key, value)| *key == "ufw_default" && !["deny", "reject"].contains(value));
        found.other.extend(default.map(|(_, value)| format!("default: {value} (incoming)")));
        found
    }
}

/// The rule with single spaces and without its comment.
fn words_of(rule: &str) -> String {
    let rule = rule.split(" # ").next().unwrap_or(rule);
    rule.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The ports of a rule that lets TCP in from anywhere and nothing else, and whether it is one for IPv6. An application
/// profile's name stands behind its ports: `22/tcp (OpenSSH)`.
fn tcp_from_anywhere(words: &str) -> Option<(Vec<u16>, bool)> {
    let (to, from) = words.split_once(" ALLOW IN ")?;
    let v6 = match from {
        "Anywhere" => false,
        "Anywhere (v6)" => true,
        _ => return None,
    };
    let to = to.strip_suffix(" (v6)").unwrap_or(to);
    let (ports, rest) = to.split_once("/tcp")?;
    let profile = rest.starts_with(" (") && rest.ends_with(')');
    if !rest.is_empty() && !profile {
        return None;
    }
    let ports: Option<Vec<u16>> = ports.split(',').map(|port| port.parse().ok()).collect();
    ports.map(|ports| (ports, v6))
}

fn text_of(facts: &BTreeMap<&str, &str>, key: &str) -> Result<String, SshError> {
    facts.get(key).map(|&value| value.to_owned()).ok_or_else(|| garbled(&format!("no {key} among the facts")))
}

fn flag(facts: &BTreeMap<&str, &str>, key: &str) -> Result<bool, SshError> {
    match text_of(facts, key)?.as_str() {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(garbled(&format!("{key} is neither yes nor no"))),
    }
}

fn number<T: FromStr>(facts: &BTreeMap<&str, &str>, key: &str) -> Result<T, SshError> {
    text_of(facts, key)?.parse().map_err(|_| garbled(&format!("{key} is not a number")))
}

fn garbled(what: &str) -> SshError {
    SshError::Garbled { what: what.to_owned() }
}
