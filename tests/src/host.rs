//! A rented machine, as a provider's simulator works on it: one in memory here, real ones (systemd-nspawn) elsewhere.

use std::{
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use rackhand_core::{clock::SharedClock, units::Timestamp};

/// What a provider can do to a machine.
#[async_trait]
pub trait Host: Send + Sync {
    /// Where the machine can be reached.
    fn address(&self) -> IpAddr;

    /// From now on root logs in with `password`.
    async fn set_root_password(&self, password: &str);

    /// At the next change of root's password, the old one goes on working for `span`. A machine that cannot do so
    /// ignores it.
    async fn keep_old_password(&self, _span: Duration) {}

    /// A new disk with `os` on it: all data gone, a new host key, root's password as given, and `ssh_key` let in.
    async fn reinstall(&self, os: &str, ssh_key: Option<&str>, password: &str);

    /// A restart.
    async fn reboot(&self);
}

/// A machine that is nothing but its state.
#[derive(Debug)]
pub struct MemoryHost {
    address: IpAddr,
    clock: SharedClock,
    state: Mutex<MemoryState>,
}

/// What a [`MemoryHost`] is like.
#[derive(Clone, Debug, Default)]
pub struct MemoryState {
    /// Root's password; none before the first one was set.
    pub password: Option<String>,
    /// The password before, and until when it works.
    pub old_password: Option<(String, Timestamp)>,
    /// How often the machine was installed: stands for its host key.
    pub installation: u32,
    /// How often it was restarted.
    pub reboots: u32,
    /// The template that it was installed from last.
    pub os: Option<String>,
    /// The public key that was let in at the last installation.
    pub ssh_key: Option<String>,
    linger: Duration,
}

impl MemoryHost {
    /// A machine at `address`, whose time is `clock`'s.
    pub fn new(address: IpAddr, clock: SharedClock) -> Self {
        Self { address, clock, state: Mutex::default() }
    }

    /// What it is like now.
    pub fn state(&self) -> MemoryState {
        self.lock().clone()
    }

    /// Whether root gets in with `password` now.
    pub fn login(&self, password: &str) -> bool {
        let state = self.lock();
        let old = state.old_password.as_ref().filter(|(_, until)| self.clock.now() < *until);
        state.password.as_deref() == Some(password) || old.is_some_and(|(old, _)| old == password)
    }

    fn lock(&self) -> MutexGuard<'_, MemoryState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Host for MemoryHost {
    fn address(&self) -> IpAddr {
        self.address
    }

    async fn set_root_password(&self, password: &str) {
        let mut state = self.lock();
        let until = self.clock.now().plus(std::mem::take(&mut state.linger));
        state.old_password = state.password.replace(password.to_owned()).map(|old| (old, until));
    }

    async fn keep_old_password(&self, span: Duration) {
        self.lock().linger = span;
    }

    async fn reinstall(&self, os: &str, ssh_key: Option<&str>, password: &str) {
        let mut state = self.lock();
        *state = MemoryState {
            password: Some(password.to_owned()),
            installation: state.installation + 1,
            os: Some(os.to_owned()),
            ssh_key: ssh_key.map(str::to_owned),
            ..MemoryState::default()
        };
    }

    async fn reboot(&self) {
        self.lock().reboots += 1;
    }
}
