//! The same journey on real Debian hosts, with real Ansible.

use std::time::Duration;

use rackhand_core::{clients::time4vps::TaskKind, states::ServerStatus};
use rackhand_tests::{real_host::RealHost, time4vps::ServerSpec};

use super::world::World;
use crate::harness::{Peer, need};

/// Setting one host up takes a minute on a small machine; two at once, and a rebuild after it, some more.
const LONG: Duration = Duration::from_mins(8);

#[tokio::test(flavor = "multi_thread")]
async fn real_hosts_are_set_up_and_rebuilt() {
    let (Some(scripts), Some(ansible)) = (need(Peer::Hosts), need(Peer::Ansible)) else { return };
    let scripts = std::path::Path::new(&scripts);
    let world = World::new().await;
    world.set("RACKHAND_SSH_PORT", "22");
    world.set("RACKHAND_ANSIBLE_BIN", ansible);
    let bookworm = RealHost::up(scripts, "bookworm", "it-book", 51).await.expect("a host");
    let trixie = RealHost::up(scripts, "trixie", "it-trix", 52).await.expect("a host");
    world.provider.add_server(ServerSpec::new(51), bookworm.clone());
    world.provider.add_server(ServerSpec::new(52), trixie.clone());
    let running = world.start();
    world.first_admin(&running).await;

    for server in ["vps-51", "vps-52"] {
        world.telegram.say(&world.admin, &format!("/server {server}"));
        world.tap("Manage").await;
        world.wait("the job's message", |shown| shown.iter().any(|m| m.button("Cancel").is_some())).await;
    }
    for server in ["vps-51", "vps-52"] {
        world
            .wait_long(LONG, "that it is ready", |shown| {
                shown.iter().any(|m| m.text.contains(&format!("{server} is ready")))
            })
            .await;
    }
    // Seen with other eyes than Rackhand's, inside the hosts.
    for (host, name) in [(&bookworm, "vps-51"), (&trixie, "vps-52")] {
        assert_eq!(inside(host, "hostname").await, name);
        assert_eq!(inside(host, "date +%Z").await, "UTC");
        assert_eq!(inside(host, "systemctl is-active docker fail2ban").await, "active\nactive");
        assert!(inside(host, "sshd -T").await.contains("passwordauthentication no"));
        let rules = inside(host, "ufw status | awk '$2 == \"ALLOW\" {print $1}' | sort -u").await;
        assert_eq!(rules, "22/tcp\n443/tcp\n80/tcp");
    }
    // One live message for each job, edited, not repeated.
    let cards = world.telegram.transcript(world.admin.id).into_iter().filter(|m| m.edits > 5).count();
    assert_eq!(cards, 2, "a job is one message that is edited");

    let marker = "touch /root/marker";
    inside(&bookworm, marker).await;
    world.telegram.say(&world.admin, "/rebuild vps-51");
    world.tap("Approve").await;
    world
        .wait_long(LONG, "the second end", |shown| {
            shown.iter().filter(|m| m.text.contains("vps-51 is ready")).count() >= 2
        })
        .await;
    assert_eq!(world.effects(51, TaskKind::Reinstall), 1);
    assert_eq!(inside(&bookworm, "ls /root/marker 2>/dev/null || echo gone").await, "gone");
    let mut tx = world.store().await.read().await.expect("a look");
    let server = tx.server_by_handle("vps-51").await.expect("the store").expect("the server");
    assert_eq!(server.status, ServerStatus::Ready);
}

async fn inside(host: &RealHost, command: &str) -> String {
    host.run("exec", &["sh", "-c", command]).await.unwrap_or_default().trim().to_owned()
}
