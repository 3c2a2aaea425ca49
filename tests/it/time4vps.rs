//! Our Time4VPS client against recorded answers, and against the simulated provider with its faults.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod actions;
mod answers;
mod failures;

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use rackhand_core::{
    clients::{
        http::{self, Limits},
        time4vps::{Task, TaskId, Time4vps},
    },
    clock::{Manual, ManualClock, SharedClock},
    secret::Secret,
    units::Timestamp,
};
use rackhand_tests::{
    host::MemoryHost,
    time4vps::{ServerSpec, Time4VpsSim},
};

/// The server of these tests.
const ID: i64 = 267_179;
/// The template that it can be installed from.
const OS: &str = "kvm-ubuntu-24.04-gpt-x86_64";

/// A provider with one server, and a client of it, on one clock that is turned by hand.
struct Scene {
    clock: Arc<ManualClock>,
    sim: Time4VpsSim,
    host: Arc<MemoryHost>,
    client: Time4vps,
}

impl Scene {
    async fn new() -> Self {
        let clock = ManualClock::new(Timestamp(1_800_000_000_000));
        let shared: SharedClock = Arc::new(Manual(clock.clone()));
        let sim = Time4VpsSim::start(shared.clone()).await.unwrap();
        let host = Arc::new(MemoryHost::new(Ipv4Addr::new(10, 0, 0, 7).into(), shared.clone()));
        sim.add_server(ServerSpec::new(ID), host.clone());
        let client = client(sim.url(), sim.username(), sim.password(), shared);
        Self { clock, sim, host, client }
    }

    async fn task(&self, task: TaskId) -> Task {
        self.client.task(ID, task).await.unwrap()
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn client(url: &str, username: &str, password: &str, clock: SharedClock) -> Time4vps {
    Time4vps::new(impatient(), url, username, Secret::new(password), clock).unwrap()
}

/// Gives up early, so that a provider that hangs costs a test little.
fn impatient() -> reqwest::Client {
    crate::harness::init();
    let limits = Limits { connect: Duration::from_secs(2), request: Duration::from_millis(1500) };
    http::client(limits).unwrap()
}
