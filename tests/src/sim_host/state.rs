//! What a simulated machine is like, and what a provider does to it.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write,
    time::Duration,
};

use rackhand_core::{clients::ssh::HostKey, units::Timestamp};
use russh::keys::{Algorithm, PrivateKey, key::safe_rng};

/// A simulated machine's state.
#[derive(Clone, Debug)]
pub struct State {
    /// Root's password.
    pub password: String,
    /// The password before, and until when it works.
    pub old_password: Option<(String, Timestamp)>,
    /// Whether root may log in by password at all.
    pub password_login: bool,
    /// The keys that root may log in with.
    pub authorized_keys: Vec<HostKey>,
    /// Its name.
    pub hostname: String,
    /// Its time zone.
    pub timezone: String,
    /// Whether Docker runs.
    pub docker: bool,
    /// The TCP ports that UFW lets in; none while UFW is off.
    pub ufw: Option<Vec<u16>>,
    /// Whether fail2ban watches sshd.
    pub fail2ban: bool,
    /// What is free on its disk of 40 GiB, in MiB.
    pub disk_free_mib: u64,
    /// The template that it was installed from; empty for the first installation.
    pub os: String,
    /// How often it was installed again.
    pub reinstalls: u32,
    /// How often it was restarted.
    pub reboots: u32,
    /// The logins that its SSH server saw, over all installations.
    pub logins: Logins,
    /// How many tasks of each playbook ran here, over all installations.
    pub tasks: BTreeMap<String, u32>,
    /// How often its facts were asked for.
    pub facts_read: u32,
    pub(super) faults: BTreeMap<String, VecDeque<Fault>>,
    pub(super) linger: Duration,
    pub(super) downtime: Duration,
    pub(super) pair: PrivateKey,
}

/// How often somebody logged in, or tried to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Logins {
    /// By password.
    pub password: u32,
    /// By key.
    pub key: u32,
    /// Refused, by password or key. Asking what is offered does not count.
    pub refused: u32,
}

/// What goes wrong in a playbook's run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The task that it goes wrong at, from 1.
    pub at_task: u32,
    /// How it goes wrong.
    pub kind: FaultKind,
}

/// How a playbook goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The task fails with this message, on one line.
    Failed(String),
    /// The host cannot be reached.
    Unreachable,
    /// The task never ends.
    Hang,
}

impl State {
    /// A VPS as it is handed over.
    pub(super) fn fresh(password: &str) -> Self {
        Self {
            password: password.to_owned(),
            old_password: None,
            password_login: true,
            authorized_keys: Vec::new(),
            hostname: "fresh-vps".to_owned(),
            timezone: "Etc/GMT+5".to_owned(),
            docker: false,
            ufw: None,
            fail2ban: false,
            disk_free_mib: 35 * 1024,
            os: String::new(),
            reinstalls: 0,
            reboots: 0,
            logins: Logins::default(),
            tasks: BTreeMap::new(),
            facts_read: 0,
            faults: BTreeMap::new(),
            linger: Duration::ZERO,
            downtime: Duration::from_millis(100),
            pair: new_pair(),
        }
    }

    /// What was on the disk is gone; what tests counted and planned stays.
    pub(super) fn reinstall(&mut self, os: &str, ssh_key: Option<&str>, password: &str) {
        let fresh = Self::fresh(password);
        let old = std::mem::replace(self, fresh);
        os.clone_into(&mut self.os);
        self.authorized_keys = ssh_key.and_then(|line| line.parse().ok()).into_iter().collect();
        self.reinstalls = old.reinstalls + 1;
        (self.reboots, self.logins, self.tasks) = (old.reboots, old.logins, old.tasks);
        (self.faults, self.downtime, self.facts_read) = (old.faults, old.downtime, old.facts_read);
    }

    pub(super) fn set_password(&mut self, password: &str, now: Timestamp) {
        let old = std::mem::replace(&mut self.password, password.to_owned());
        let until = now.plus(std::mem::take(&mut self.linger));
        self.old_password = Some((old, until));
    }

    /// Whether root gets in with `password` at the moment `now`.
    pub fn lets_in(&self, password: &str, now: Timestamp) -> bool {
        let old = self.old_password.as_ref().is_some_and(|(old, until)| now < *until && old == password);
        self.password_login && (old || self.password == password)
    }

    /// The key that its SSH server shows.
    pub fn host_key(&self) -> HostKey {
        public(self.pair.public_key())
    }

    pub(super) fn change_host_key(&mut self) {
        self.pair = new_pair();
    }

    /// The answer to the verify script.
    pub(super) fn facts(&self) -> String {
        let yes = |yes: bool| if yes { "yes" } else { "no" };
        let mut text = String::new();
        let mut say = |key: &str, value: &str| {
            let _ = writeln!(text, "{key}={value}");
        };
        say("hostname", &self.hostname);
        say("timezone", &self.timezone);
        say("docker_ok", yes(self.docker));
        if self.docker {
            say("docker_version", "26.1.5");
        }
        say("ufw_active", yes(self.ufw.is_some()));
        if self.ufw.is_some() {
            say("ufw_default", "deny");
        }
        for port in self.ufw.iter().flatten() {
            say("ufw_rule", &format!("{port}/tcp                     ALLOW IN    Anywhere"));
            say("ufw_rule", &format!("{port}/tcp (v6)                ALLOW IN    Anywhere (v6)"));
        }
        say("fail2ban_ok", yes(self.fail2ban));
        say("disk_total_mib", &(40 * 1024).to_string());
        say("disk_free_mib", &self.disk_free_mib.to_string());
        say("password_login", yes(self.password_login));
        say("os_id", "debian");
        say("os_version", "12");
        say("end", "ok");
        text
    }
}

/// A public key as the product's type.
pub(super) fn public(key: &russh::keys::PublicKey) -> HostKey {
    let line = key.to_openssh().unwrap_or_default();
    line.parse().unwrap_or_else(|_| unreachable!("a public key has a line"))
}

fn new_pair() -> PrivateKey {
    PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap_or_else(|_| unreachable!("any seed makes a key"))
}
