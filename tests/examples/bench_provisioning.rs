//! How long it takes to set one host up: through Rackhand, by plain `ansible-playbook` with our own ansible.cfg, and by
//! plain `ansible-playbook` with Ansible's default settings; on a fresh real host each time, in turns.
//!
//! ```text
//! make build && tests/peers/with.sh cargo run -p rackhand-tests --example bench_provisioning [ROUNDS]
//! ```
//!
//! Rackhand's time is the whole job, from its claim until the server is ready: it also holds the password reset, the
//! first login and Rackhand's own checks after the playbooks. The simulated provider answers at once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench that cannot go on says so and ends"
)]
#![allow(clippy::print_stdout, reason = "its numbers are what it is for")]
#![allow(dead_code, reason = "tests use the rest of what is shared")]
#![allow(clippy::disallowed_methods, reason = "real time is what it measures")]

#[path = "../it/e2e/canary.rs"]
mod canary;
#[path = "../it/databases.rs"]
mod databases;
#[allow(dead_code, reason = "shared with the tests")]
#[path = "../it/harness.rs"]
mod harness;
#[path = "../it/e2e/world.rs"]
mod world;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rackhand_core::{
    clients::ssh::OrchestratorKey,
    clock::{Clock, SystemClock},
    model::Job,
    store::{JobFilter, Slice},
};
use rackhand_tests::{host::Host, real_host::RealHost, telegram::Shown, time4vps::ServerSpec};
use serde_json::json;
use tokio::process::Command;

use crate::{
    harness::{Peer, need},
    world::{Running, World},
};

/// Longest time of one setup.
const LIMIT: Duration = Duration::from_mins(15);
/// Addresses of the hosts, from here on.
const FIRST_OCTET: u8 = 90;

/// What one setup took, in seconds.
struct Took {
    whole: f64,
    access: f64,
    base: f64,
}

struct Bench {
    scripts: PathBuf,
    ansible: PathBuf,
    world: World,
    _running: Running,
}

#[tokio::main]
async fn main() {
    let (Some(scripts), Some(ansible)) = (need(Peer::Hosts), need(Peer::Ansible)) else { return };
    let rounds: u8 = std::env::args().nth(1).map_or(2, |rounds| rounds.parse().expect("a number of rounds"));
    let bench = Bench::new(scripts.into(), ansible.into()).await;
    let ours = harness::root().join("ansible/ansible.cfg");
    let defaults = bench.world.dir.path().join("defaults.cfg");
    fs::write(&defaults, "").expect("an empty configuration");

    // Untimed: it fills the cache of packages.
    bench.plain(&ours).await;
    println!("{:<34}{:>8}{:>8}{:>8}", "seconds", "whole", "access", "base");
    let ways = ["Rackhand", "ansible-playbook, our ansible.cfg", "ansible-playbook, defaults"];
    let mut all: [Vec<Took>; 3] = Default::default();
    for round in 0..rounds {
        for (way, times) in ways.iter().zip(&mut all) {
            let took = match *way {
                "Rackhand" => bench.rackhand(round).await,
                "ansible-playbook, defaults" => bench.plain(&defaults).await,
                _ => bench.plain(&ours).await,
            };
            println!("{way:<34}{:>8.1}{:>8.1}{:>8.1}", took.whole, took.access, took.base);
            times.push(took);
        }
    }
    let [rackhand, ours, defaults] = all.map(|times| median(times.iter().map(|took| took.whole).collect()));
    println!("medians: {rackhand:.1} s, {ours:.1} s, {defaults:.1} s");
    println!("Rackhand / our ansible.cfg: {:.3} (at most 1.05)", rackhand / ours);
    println!("Rackhand / defaults: {:.3} (less than 1)", rackhand / defaults);
}

impl Bench {
    async fn new(scripts: PathBuf, ansible: PathBuf) -> Self {
        let world = World::new().await;
        world.set_for_real_hosts(&ansible);
        world.set("RACKHAND_LOG", "info");
        let running = world.start();
        world.first_admin(&running).await;
        Self { scripts, ansible, world, _running: running }
    }

    async fn fresh(&self, name: &str, octet: u8) -> Arc<RealHost> {
        RealHost::up(&self.scripts, "bookworm", name, octet).await.expect("a host")
    }

    /// Set up by a tap in the chat.
    async fn rackhand(&self, round: u8) -> Took {
        let (id, octet) = (i64::from(round) + 1, FIRST_OCTET + 1 + round);
        let host = self.fresh(&format!("bench-{id}"), octet).await;
        self.world.provider.add_server(ServerSpec::new(id), host.clone());
        let handle = format!("vps-{id}");
        let found = |m: &Shown| m.text.contains(&handle);
        self.world.wait("the new server", |shown| shown.iter().any(found)).await;
        self.world.manage(&handle).await;
        let ended = |m: &Shown| m.text.contains(&format!("{handle} is ready"));
        self.world.wait_long(LIMIT, "that it is ready", |shown| shown.iter().any(ended)).await;
        // The provider keeps it; it must not run beside the next one.
        host.run("cut", &[]).await.expect("a power cut");
        self.took().await
    }

    /// What the journal of the newest job says.
    async fn took(&self) -> Took {
        let mut tx = self.world.store().await.read().await.expect("a look");
        let job: Job = tx.jobs(&JobFilter::default(), &Slice::first(1)).await.expect("the store").remove(0);
        let steps = tx.steps(job.id).await.expect("its journal");
        let step = |name: &str| {
            let step = steps.iter().find(|step| step.name == name).expect("the step");
            step.ended_at.expect("its end").since(step.started_at).as_secs_f64()
        };
        let whole = job.finished_at.expect("an end").since(job.started_at.expect("a start"));
        Took { whole: whole.as_secs_f64(), access: step("access"), base: step("base") }
    }

    /// Set up by hand: the two playbooks, as in ansible/README.md.
    async fn plain(&self, config: &Path) -> Took {
        let host = self.fresh("bench", FIRST_OCTET).await;
        let dir = tempfile::tempdir().expect("a directory");
        let key = OrchestratorKey::load_or_generate(&dir.path().join("key")).expect("a key");
        let vars = json!({
            "rackhand_public_key": key.public_line(),
            "rackhand_private_key_file": key.path(),
            "rackhand_hostname": "bench",
        });
        fs::write(dir.path().join("vars.json"), vars.to_string()).expect("variables");
        let shown = host.run("exec", &["cat", "/etc/ssh/ssh_host_ed25519_key.pub"]).await.expect("its key");
        fs::write(dir.path().join("known_hosts"), format!("{} {shown}", host.address())).expect("its key");
        let password = host.run("password", &[]).await.expect("its password");

        let by_password = json!({ "ansible_password": password.trim() });
        let access = self.play(config, dir.path(), &host, &by_password, "access").await;
        let by_key = json!({ "ansible_ssh_private_key_file": key.path() });
        let base = self.play(config, dir.path(), &host, &by_key, "base").await;
        close_connections(&dir.path().join("cp")).await;
        Took { whole: access + base, access, base }
    }

    async fn play(&self, config: &Path, dir: &Path, host: &RealHost, login: &serde_json::Value, name: &str) -> f64 {
        let known = format!("-o UserKnownHostsFile={}", dir.join("known_hosts").display());
        let mut vars = json!({
            "ansible_host": host.address().to_string(),
            "ansible_user": "root",
            "ansible_ssh_common_args": known,
        });
        vars.as_object_mut().expect("an object").extend(login.as_object().expect("an object").clone());
        let inventory = json!({ "all": { "hosts": { "bench": vars } } });
        fs::write(dir.join("inventory.json"), inventory.to_string()).expect("an inventory");
        let tree = harness::root().join("ansible");
        let begun = SystemClock.now();
        let output = Command::new(&self.ansible)
            .current_dir(dir)
            .args(["-i", "inventory.json", "-e", "@vars.json"])
            .arg(tree.join(format!("playbooks/{name}.yml")))
            .env("ANSIBLE_CONFIG", config)
            .env("ANSIBLE_ROLES_PATH", tree.join("roles"))
            .env("ANSIBLE_SSH_CONTROL_PATH_DIR", dir.join("cp"))
            .output();
        let output = tokio::time::timeout(LIMIT, output).await.expect("in time").expect("ansible-playbook");
        assert!(output.status.success(), "{name}.yml failed:\n{}", String::from_utf8_lossy(&output.stdout));
        SystemClock.now().since(begun).as_secs_f64()
    }
}

/// ssh keeps them for a minute after the last task.
async fn close_connections(sockets: &Path) {
    for socket in fs::read_dir(sockets).into_iter().flatten().flatten() {
        let path = format!("ControlPath={}", socket.path().display());
        let _ = Command::new("ssh").args(["-o", &path, "-O", "exit", "any"]).output().await;
    }
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    let middle = of.len() / 2;
    if of.len() % 2 == 1 { of[middle] } else { f64::midpoint(of[middle - 1], of[middle]) }
}
