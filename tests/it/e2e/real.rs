//! The same journey on real Debian hosts, with real Ansible, seen with other eyes than Rackhand's: OpenSSH, a port that
//! is knocked at, the hosts themselves.

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
    process::Stdio,
    time::Duration,
};

use rackhand_core::{clients::time4vps::TaskKind, model::Server, states::ServerStatus};
use rackhand_tests::{host::Host, real_host::RealHost, telegram::Shown, time4vps::ServerSpec};
use tokio::{net::TcpStream, process::Command, time::timeout};

use super::{canary::ProcessWatch, world::World};
use crate::harness::{Peer, need};

/// Setting one host up takes a minute on a small machine; two at once, and other tests beside them, some more.
const LONG: Duration = Duration::from_mins(15);
/// As long as a host may take to answer, or a firewall to say nothing.
const ANSWER: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn real_hosts_are_set_up_and_rebuilt() {
    let (Some(scripts), Some(ansible)) = (need(Peer::Hosts), need(Peer::Ansible)) else { return };
    let scripts = Path::new(&scripts);
    let world = World::new().await;
    world.set_for_real_hosts(Path::new(&ansible));
    let bookworm = RealHost::up(scripts, "bookworm", "it-book", 51).await.expect("a host");
    let trixie = RealHost::up(scripts, "trixie", "it-trix", 52).await.expect("a host");
    // The look that later sees that no password works does see one that works.
    assert!(password_works(&bookworm).await && password_works(&trixie).await);
    // Its power went in the middle of an installation: apt refuses to work.
    trixie.run("dpkg-break", &[]).await.expect("a broken dpkg");
    world.provider.add_server(ServerSpec::new(51), bookworm.clone());
    world.provider.add_server(ServerSpec::new(52), trixie.clone());
    let running = world.start();
    world.first_admin(&running).await;
    let watch = ProcessWatch::start();

    for server in ["vps-51", "vps-52"] {
        world.manage(server).await;
        let running = |m: &Shown| m.text.contains(server) && m.button("Cancel").is_some();
        world.wait("the job's message", |shown| shown.iter().any(running)).await;
    }
    for (host, name, version) in [(&bookworm, "vps-51", "12"), (&trixie, "vps-52", "13")] {
        ready(&world, name, 1).await;
        assert_set_up(&world, host, name).await;
        assert_eq!(inside(host, ". /etc/os-release; echo $VERSION_ID").await, version);
    }
    assert!(!any_secret(&world).await, "the stored passwords are gone");
    // What a restart brings back is what was set up.
    trixie.reboot().await;
    assert_set_up(&world, &trixie, "vps-52").await;

    inside(&bookworm, "touch /root/marker").await;
    let before = server(&world, "vps-51").await;
    world.telegram.say(&world.admin, "/rebuild vps-51");
    world.tap("Approve").await;
    ready(&world, "vps-51", 2).await;
    assert_eq!(world.effects(51, TaskKind::Reinstall), 1);
    assert_eq!(inside(&bookworm, "ls /root/marker 2>/dev/null || echo gone").await, "gone");
    let after = server(&world, "vps-51").await;
    assert_ne!(before.host_key, after.host_key, "a new system has a new key");
    assert_eq!(known_key(&bookworm).await, after.host_key, "the key that is pinned is the host's");
    assert_set_up(&world, &bookworm, "vps-51").await;

    assert!(!any_secret(&world).await, "the stored password is gone");

    // A job is one message that is edited, and two messages that make a sound: it began, it ended.
    let shown = world.telegram.transcript(world.admin.id);
    let live: Vec<_> = shown.iter().filter(|m| m.edits > 5).collect();
    assert_eq!(live.len(), 3, "one for each job: {live:?}");
    watch.assert_unseen(&world.provider.passwords());
}

/// Waits until the chat said `times` times that the server is ready, or once that it is not.
async fn ready(world: &World, server: &str, times: usize) {
    let words = format!("{server} is ready");
    let said = |shown: &[Shown]| shown.iter().filter(|m| m.text.contains(&words)).count() >= times;
    let failed = |shown: &[Shown]| shown.iter().any(|m| m.text.starts_with('❌') && m.text.contains(server));
    world.wait_long(LONG, &words, |shown| said(shown) || failed(shown)).await;
    let shown = world.telegram.transcript(world.admin.id);
    assert!(said(&shown), "{}", shown.last().map_or("", |newest| &newest.text));
}

/// Everything that a host is to be, and what Rackhand says of it.
async fn assert_set_up(world: &World, host: &RealHost, name: &str) {
    assert!(!password_works(host).await, "the password still works");
    assert!(key_works(world, host).await, "the key does not work");
    assert_eq!(inside(host, "hostname; cat /etc/hostname").await, format!("{name}\n{name}"));
    assert_eq!(inside(host, "date +%Z; timedatectl show -p Timezone --value").await, "UTC\nEtc/UTC");
    assert_eq!(inside(host, "systemctl is-active docker fail2ban").await, "active\nactive");
    assert_eq!(inside(host, "systemctl is-enabled docker fail2ban ufw").await, "enabled\nenabled\nenabled");
    assert!(inside(host, "fail2ban-client status sshd").await.contains("Currently banned:\t0"));
    assert_eq!(inside(host, CONTAINER).await, "ran in a container");

    let rules = inside(host, "ufw status | awk '$2 == \"ALLOW\" {print $1}' | sort -u").await;
    assert_eq!(rules, "22/tcp\n443/tcp\n80/tcp");
    let other = inside(host, "ufw status verbose | grep -e ^Default -e DENY -e LIMIT -e REJECT").await;
    assert_eq!(other, "Default: deny (incoming), allow (outgoing), deny (routed)");
    for port in [80, 8081] {
        inside(host, &format!("systemd-run -q --unit port-{port} python3 -m http.server {port}")).await;
        let listening = format!("for i in $(seq 100); do ss -Hltn sport = {port} | grep -q . && exit; sleep 0.1; done");
        inside(host, &listening).await;
    }
    assert!(is_open(host.address(), 80).await && !is_open(host.address(), 8081).await);
    inside(host, "systemctl stop port-80 port-8081").await;

    let server = server(world, name).await;
    assert_eq!(server.status, ServerStatus::Ready);
}

/// An image without a registry: one program and what it needs.
const CONTAINER: &str = "tar -chC / bin/echo lib64/ld-linux-x86-64.so.2 lib/x86_64-linux-gnu/libc.so.6 |
    docker import - tiny >/dev/null && docker run --rm tiny /bin/echo ran in a container";

/// Whether OpenSSH is let in with the newest password that this host was given.
async fn password_works(host: &RealHost) -> bool {
    let password = host.run("password", &[]).await.expect("the password");
    let askpass = tempfile::tempdir().expect("a directory");
    let program = askpass.path().join("askpass");
    std::fs::write(&program, format!("#!/bin/sh\necho '{}'\n", password.trim())).expect("a script");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&program, executable).expect("a script");
    let only_passwords = ["-o", "PreferredAuthentications=password,keyboard-interactive"];
    let mut ssh = ssh(host, &only_passwords);
    logs_in(ssh.env("SSH_ASKPASS", program).env("SSH_ASKPASS_REQUIRE", "force")).await
}

/// Whether OpenSSH is let in with the product's key, by a host that shows the key that the product pinned.
async fn key_works(world: &World, host: &RealHost) -> bool {
    let key = world.dir.path().join("data/ssh/id_ed25519").display().to_string();
    logs_in(&mut ssh(host, &["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", &key])).await
}

fn ssh(host: &RealHost, options: &[&str]) -> Command {
    let mut ssh = Command::new("ssh");
    ssh.args(["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]);
    ssh.args(options).arg(format!("root@{}", host.address())).arg("true");
    ssh
}

async fn logs_in(ssh: &mut Command) -> bool {
    let output = ssh.stdin(Stdio::null()).output().await.expect("ssh");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || said.contains("Permission denied"), "neither let in nor refused: {said}");
    output.status.success()
}

async fn is_open(address: IpAddr, port: u16) -> bool {
    timeout(ANSWER, TcpStream::connect(SocketAddr::new(address, port))).await.is_ok_and(|dialled| dialled.is_ok())
}

/// The host's own word for its key.
async fn known_key(host: &RealHost) -> Option<String> {
    let line = inside(host, "cat /etc/ssh/ssh_host_ed25519_key.pub").await;
    Some(line.split(' ').take(2).collect::<Vec<_>>().join(" "))
}

async fn server(world: &World, name: &str) -> Server {
    let mut tx = world.store().await.read().await.expect("a look");
    tx.server_by_handle(name).await.expect("the store").expect("the server")
}

async fn any_secret(world: &World) -> bool {
    world.store().await.read().await.expect("a look").any_secret().await.expect("the store")
}

async fn inside(host: &RealHost, command: &str) -> String {
    host.run("exec", &["sh", "-c", command]).await.unwrap_or_else(|error| error.to_string()).trim().to_owned()
}
