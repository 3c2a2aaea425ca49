//! A rented Debian VPS, as far as Rackhand looks: a real SSH server on a loopback address whose machine is nothing but
//! its state.
//!
//! It knows the commands `true` and `sh -s` (with exactly [`VERIFY_SCRIPT`] as input; any other script ends with 127),
//! and a protocol of its own for the simulated `ansible-playbook`, which runs over the same SSH, so that it needs the
//! same logins as the real one: `rackhand-sim ...`, see `control.rs`.
//!
//! [`VERIFY_SCRIPT`]: rackhand_core::clients::ssh::VERIFY_SCRIPT

mod control;
mod power;
mod server;
mod state;

use std::{
    io,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use rackhand_core::{
    clients::ssh::HostKey,
    clock::{SharedClock, SystemClock},
};

use self::power::Power;
pub use self::state::{Fault, FaultKind, Logins, State};
use crate::host::Host;

/// A simulated machine. It is up from the start, and down for good when it is dropped.
#[derive(Debug)]
pub struct SimHost {
    machine: Arc<Machine>,
    power: tokio::sync::Mutex<Power>,
}

/// What the SSH server of a machine works on.
#[derive(Debug)]
struct Machine {
    address: IpAddr,
    port: u16,
    clock: SharedClock,
    state: Mutex<State>,
}

impl Machine {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimHost {
    /// A fresh machine that listens on `address` and `port`; with port 0, on any free port. Fails when it is taken.
    pub fn start(address: IpAddr, port: u16, root_password: &str) -> io::Result<Arc<Self>> {
        Self::start_with(address, port, root_password, Arc::new(SystemClock))
    }

    /// The same, with the times of its restarts and old passwords on `clock`.
    pub fn start_with(address: IpAddr, port: u16, root_password: &str, clock: SharedClock) -> io::Result<Arc<Self>> {
        let (listener, port) = power::listen(address, port)?;
        let machine = Machine { address, port, clock, state: Mutex::new(State::fresh(root_password)) };
        let machine = Arc::new(machine);
        let power = tokio::sync::Mutex::new(Power::on(listener, &machine)?);
        Ok(Arc::new(Self { machine, power }))
    }

    /// The TCP port of its SSH server.
    pub fn port(&self) -> u16 {
        self.machine.port
    }

    /// What it is like now.
    pub fn state(&self) -> State {
        self.machine.lock().clone()
    }

    /// Changes anything about it that needs no restart.
    pub fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.machine.lock());
    }

    /// The key that its SSH server shows.
    pub fn host_key(&self) -> HostKey {
        self.machine.lock().host_key()
    }

    /// A new key, for connections from now on.
    pub fn change_host_key(&self) {
        self.machine.lock().change_host_key();
    }

    /// Forgets all keys that were let in.
    pub fn lose_key(&self) {
        self.machine.lock().authorized_keys.clear();
    }

    /// The next run of `playbook` meets `fault`.
    pub fn fail_playbook(&self, playbook: &str, fault: Fault) {
        self.fail_playbook_times(playbook, fault, 1);
    }

    /// The next `times` runs of `playbook` meet `fault`.
    pub fn fail_playbook_times(&self, playbook: &str, fault: Fault, times: usize) {
        let faults = std::iter::repeat_n(fault, times);
        self.machine.lock().faults.entry(playbook.to_owned()).or_default().extend(faults);
    }

    /// How long restarts and reinstallations take; 100 ms at first.
    pub fn set_downtime(&self, span: Duration) {
        self.machine.lock().downtime = span;
    }

    /// Cuts all connections and refuses new ones, from the moment that this returns.
    pub async fn down(&self) {
        self.power.lock().await.off().await;
    }

    /// Listens again. Does nothing when it does already; fails when the port was taken meanwhile.
    pub async fn up(&self) -> io::Result<()> {
        self.power.lock().await.up(&self.machine).await
    }

    /// Still takes connections, and says nothing any more on any.
    pub async fn freeze(&self) {
        self.power.lock().await.freeze();
    }

    /// Goes on where it froze.
    pub async fn thaw(&self) {
        self.power.lock().await.thaw();
    }

    /// Down now, and up again after its downtime, unless somebody turns it on or off before.
    async fn restart(&self) {
        let mut power = self.power.lock().await;
        power.off().await;
        power.up_later(&self.machine);
    }
}

#[async_trait]
impl Host for SimHost {
    fn address(&self) -> IpAddr {
        self.machine.address
    }

    async fn set_root_password(&self, password: &str) {
        let now = self.machine.clock.now();
        self.machine.lock().set_password(password, now);
    }

    async fn keep_old_password(&self, span: Duration) {
        self.machine.lock().linger = span;
    }

    async fn reinstall(&self, os: &str, ssh_key: Option<&str>, password: &str) {
        self.power.lock().await.off().await;
        self.machine.lock().reinstall(os, ssh_key, password);
        self.restart().await;
    }

    async fn reboot(&self) {
        self.machine.lock().reboots += 1;
        self.restart().await;
    }
}
