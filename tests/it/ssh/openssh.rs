//! The SSH client against the real OpenSSH server.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rackhand_core::{
    clients::ssh::{
        Auth, HostFacts, HostKey, OrchestratorKey, Session, SshError, Target, banner, host_key, login, password_refused,
    },
    secret::Secret,
};

use super::{HERE, PATIENCE, PLENTY, SHORT, private_dir, said};
use crate::harness::{Peer, need};

/// An OpenSSH server of the test's own: host keys ed25519 and ECDSA, and logins by one key.
struct Sshd {
    process: Child,
    dir: PathBuf,
    port: u16,
    user: String,
    key: OrchestratorKey,
    _dir: tempfile::TempDir,
}

impl Sshd {
    /// Starts it with `settings` beside its own; `None` where this run has no OpenSSH server.
    fn start(settings: &str) -> Option<Self> {
        let program = need(Peer::Sshd)?;
        let (guard, dir) = private_dir();
        let key = OrchestratorKey::load_or_generate(&dir.join("id_ed25519")).unwrap();
        fs::write(dir.join("authorized_keys"), key.public_line()).unwrap();
        for kind in ["ed25519", "ecdsa"] {
            run("ssh-keygen", &["-q", "-N", "", "-t", kind, "-f", dir.join(kind).to_str().unwrap()]);
        }
        let user = run("id", &["-un"]);
        // Where the server, started by root, keeps its unprivileged half.
        let _ = fs::create_dir_all("/run/sshd");
        let port = TcpListener::bind(SocketAddr::new(HERE, 0)).unwrap().local_addr().unwrap().port();
        let at = dir.display();
        let config = format!(
            "{settings}\nListenAddress {HERE}:{port}\nHostKey {at}/ed25519\nHostKey {at}/ecdsa\nPidFile none\n\
             AuthorizedKeysFile {at}/authorized_keys\nStrictModes no\nPermitRootLogin yes\nUsePAM no\n"
        );
        fs::write(dir.join("config"), config).unwrap();
        let mut command = Command::new(program);
        command.args(["-D", "-e", "-f"]).arg(dir.join("config")).stderr(Stdio::piped()).stdin(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        assert!(log.any(|line| line.starts_with("Server listening")), "sshd did not start");
        // Nobody reads the rest, and the server must not stop for it.
        std::thread::spawn(move || log.for_each(drop));
        Some(Self { process, dir, port, user, key, _dir: guard })
    }

    fn target(&self, pinned: Option<HostKey>) -> Target {
        Target { address: HERE, port: self.port, pinned }
    }

    fn public(&self, kind: &str) -> HostKey {
        fs::read_to_string(self.dir.join(format!("{kind}.pub"))).unwrap().parse().unwrap()
    }

    async fn login(&self) -> Session {
        login(&self.target(None), &self.user, Auth::Key(&self.key), PATIENCE).await.unwrap()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn keys_pins_and_refusals() {
    let Some(sshd) = Sshd::start("PasswordAuthentication no\nKbdInteractiveAuthentication no") else { return };
    let (any, user) = (sshd.target(None), sshd.user.as_str());
    assert!(banner(&any, PATIENCE).await.unwrap().starts_with("SSH-2.0-OpenSSH_"));
    assert_eq!(host_key(&any, PATIENCE).await.unwrap(), sshd.public("ed25519"));
    // The kind of key that was pinned is the one that is asked for.
    let pinned = sshd.target(Some(sshd.public("ecdsa")));
    login(&pinned, user, Auth::Key(&sshd.key), PATIENCE).await.unwrap();
    let stranger = sshd.target(Some(sshd.key.public_line().parse().unwrap()));
    let changed = login(&stranger, user, Auth::Key(&sshd.key), PATIENCE).await;
    assert!(matches!(changed, Err(SshError::HostKeyChanged { .. })), "{changed:?}");

    let other = OrchestratorKey::load_or_generate(&sshd.dir.join("other")).unwrap();
    let refused = login(&any, user, Auth::Key(&other), PATIENCE).await;
    assert!(matches!(refused, Err(SshError::AuthRefused)), "{refused:?}");
    assert!(password_refused(&any, user, PATIENCE).await.unwrap());
    assert_eq!(ssh_keygen_reads(sshd.key.path()), sshd.key.public_line());
}

fn ssh_keygen_reads(key: &Path) -> String {
    run("ssh-keygen", &["-y", "-f", key.to_str().unwrap()])
}

#[tokio::test]
async fn an_offer_of_passwords_is_seen() {
    let Some(sshd) = Sshd::start("PasswordAuthentication yes") else { return };
    assert!(!password_refused(&sshd.target(None), &sshd.user, PATIENCE).await.unwrap());
    let wrong = login(&sshd.target(None), &sshd.user, Auth::Password(&Secret::new("wrong")), PATIENCE).await;
    assert!(matches!(wrong, Err(SshError::AuthRefused)), "{wrong:?}");
}

#[tokio::test]
async fn commands_answer_as_in_a_shell() {
    let Some(sshd) = Sshd::start("") else { return };
    let session = sshd.login().await;
    assert_eq!(said(&session, "echo one; echo 2 | tr 2 3").await, "one\n3\n");
    let failed = session.run("cat; echo sorry >&2; exit 7", Some(b"fed"), PATIENCE, PLENTY).await.unwrap();
    assert_eq!((failed.status, failed.stdout.as_str(), failed.stderr.as_str()), (7, "fed", "sorry\n"));
    let killed = session.run("kill -TERM $$", None, PATIENCE, PLENTY).await.unwrap();
    assert_eq!(killed.status, 143);
    // More than any window: it must be read while it is written.
    let much = vec![b'x'; 5 * 1024 * 1024];
    let echoed = session.run("cat", Some(&much), PATIENCE, much.len()).await.unwrap();
    assert_eq!(echoed.stdout.len(), much.len());
    // A command that does not read what it is given.
    assert_eq!(session.run("exit 3", Some(&much), PATIENCE, PLENTY).await.unwrap().status, 3);

    let endless = session.run("yes", None, PATIENCE, PLENTY).await;
    assert!(matches!(endless, Err(SshError::TooMuchOutput)), "{endless:?}");
    let slow = session.run("sleep 60", None, SHORT, PLENTY).await;
    assert!(matches!(slow, Err(SshError::Timeout { .. })), "{slow:?}");
    assert_eq!(said(&session, "echo still here").await, "still here\n");
}

#[tokio::test]
async fn facts_of_a_machine_without_the_tools_are_honest() {
    let Some(sshd) = Sshd::start("") else { return };
    let facts = HostFacts::gather(&sshd.login().await, Duration::from_secs(30)).await.unwrap();
    assert_eq!(facts.hostname, fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim());
    assert!(facts.disk_total_mib > 0 && facts.disk_free_mib > 0 && !facts.os_id.is_empty(), "{facts:?}");
    assert!(facts.ufw_active || facts.ufw_ports.is_empty(), "{facts:?}");
}
