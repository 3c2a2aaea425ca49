//! The SSH client and the playbook runner together on a real Debian host, as a rented one arrives: root's password, and
//! nothing set up. What Ansible says is checked by our own look.

use std::{net::IpAddr, path::Path, time::Duration};

use rackhand_core::{
    clients::{
        ansible::{Ansible, AnsibleError, Login, Playbook, PlaybookRun, Recap, tree},
        ssh::{self, Auth, HostFacts, HostKey, OrchestratorKey, SshError, Target},
    },
    secret::Secret,
};
use rackhand_tests::{host::Host, real_host::RealHost};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::harness::{Peer, SOON, need};

const NAME: &str = "clients";
const OCTET: u8 = 77;
const HANDLE: &str = "vps-77";

struct Runner {
    ansible: Ansible,
    address: IpAddr,
    key: OrchestratorKey,
    host_key: HostKey,
}

impl Runner {
    fn new(dir: &Path, program: String, host: &RealHost, key: &OrchestratorKey, host_key: HostKey) -> Self {
        let ansible = Ansible::new(Some(program.into()), tree::unpack(dir).unwrap(), dir.join("run"));
        Self { ansible, address: host.address(), key: key.clone(), host_key }
    }

    async fn run(&self, playbook: Playbook, login: Login) -> Result<Recap, AnsibleError> {
        let vars = json!({
            "rackhand_public_key": self.key.public_line(),
            "rackhand_private_key_file": self.key.path(),
            "rackhand_hostname": HANDLE,
        });
        let run = PlaybookRun {
            playbook,
            handle: HANDLE.into(),
            address: self.address,
            port: 22,
            host_key: self.host_key.to_string(),
            login,
            vars: vars.as_object().unwrap().clone(),
            secrets: Vec::new(),
            limit: Duration::from_mins(5),
            patience: Duration::from_secs(15),
        };
        // Nobody reads: a run must not wait for its listener.
        let (events, _unread) = mpsc::channel(1);
        self.ansible.run(run, events).await
    }

    fn our_key(&self) -> Login {
        Login::Key(self.key.path().to_owned())
    }
}

/// What a host has to be when the playbooks are through.
fn assert_set_up(facts: &HostFacts) {
    assert!(
        facts.docker_ok && facts.docker_version.is_some() && facts.fail2ban_ok && !facts.password_login,
        "{facts:?}"
    );
    assert!(facts.ufw_active && facts.ufw_ports == [22, 80, 443] && facts.ufw_other.is_empty(), "{facts:?}");
    assert_eq!((facts.hostname.as_str(), facts.timezone.as_str(), facts.os_id.as_str()), (HANDLE, "Etc/UTC", "debian"));
    assert!(facts.disk_total_mib >= facts.disk_free_mib && facts.disk_free_mib > 0, "{facts:?}");
}

async fn password_of(host: &RealHost) -> Secret {
    Secret::new(host.run("password", &[]).await.unwrap().trim().to_owned())
}

#[tokio::test]
async fn a_host_is_taken_from_its_password_to_ready_and_a_second_time_nothing_changes() {
    let (Some(scripts), Some(program)) = (need(Peer::Hosts), need(Peer::Ansible)) else { return };
    let host = RealHost::up(Path::new(&scripts), "bookworm", NAME, OCTET).await.unwrap();
    let dir = TempDir::new().unwrap();
    let key = OrchestratorKey::load_or_generate(&dir.path().join("key")).unwrap();
    let unpinned = Target { address: host.address(), port: 22, pinned: None };
    assert!(ssh::banner(&unpinned, SOON).await.unwrap().starts_with("SSH-2.0-OpenSSH"));

    // As it arrives.
    let password = password_of(&host).await;
    let session = ssh::login(&unpinned, "root", Auth::Password(&password), SOON).await.unwrap();
    let fresh = HostFacts::gather(&session, SOON).await.unwrap();
    assert!(!fresh.docker_ok && !fresh.ufw_active && !fresh.fail2ban_ok && fresh.password_login, "{fresh:?}");
    let pinned = Target { pinned: Some(session.host_key().clone()), ..unpinned.clone() };
    assert!(!ssh::password_refused(&pinned, "root", SOON).await.unwrap());
    let runner = Runner::new(dir.path(), program, &host, &key, session.host_key().clone());
    drop(session);

    // The two playbooks, and what came of them.
    runner.run(Playbook::Access, Login::Password(password.clone())).await.unwrap();
    assert!(ssh::password_refused(&pinned, "root", SOON).await.unwrap());
    let refused = ssh::login(&pinned, "root", Auth::Password(&password), SOON).await.unwrap_err();
    assert!(matches!(refused, SshError::AuthRefused), "{refused:?}");
    runner.run(Playbook::Base, runner.our_key()).await.unwrap();
    let session = ssh::login(&pinned, "root", Auth::Key(&key), SOON).await.unwrap();
    assert_set_up(&HostFacts::gather(&session, SOON).await.unwrap());
    drop(session);

    // Again, and the deep check.
    for playbook in [Playbook::Access, Playbook::Base] {
        let again = runner.run(playbook, runner.our_key()).await.unwrap();
        assert_eq!(again.changed, 0, "{playbook:?} changed something the second time");
    }
    let health = runner.run(Playbook::HealthCheck, runner.our_key()).await.unwrap().health.unwrap();
    assert!(health.as_array().unwrap().iter().all(|check| check["ok"] == true), "{health}");

    // Reinstalled, it is another host: nobody tells it anything before its new key is pinned.
    host.run("reinstall", &[]).await.unwrap();
    let changed = ssh::host_key(&pinned, SOON).await.unwrap_err();
    assert!(matches!(changed, SshError::HostKeyChanged { .. }), "{changed:?}");
    let refused = runner.run(Playbook::Access, Login::Password(password_of(&host).await)).await.unwrap_err();
    assert!(refused.to_string().contains("host key is not the pinned one"), "{refused}");
    // No run left a file behind.
    assert_eq!(std::fs::read_dir(dir.path().join("run")).map_or(0, Iterator::count), 0);
}
