//! The SSH client, against the simulated host and against the real OpenSSH server.

mod facts;
mod hosts;
mod openssh;
mod rude;

use std::{net::IpAddr, path::Path, sync::Arc, time::Duration};

use rackhand_core::{
    clients::ssh::{Auth, HostKey, Session, SshError, Target, login},
    secret::Secret,
};
use rackhand_tests::sim_host::SimHost;

/// Where the tests' hosts are.
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
/// Long enough on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// For what is expected not to come.
const SHORT: Duration = Duration::from_millis(300);
/// More than any answer of these tests.
const PLENTY: usize = 64 * 1024;

fn host() -> Arc<SimHost> {
    SimHost::start(HERE, 0, "Welcome-1").unwrap()
}

fn target(host: &SimHost, pinned: Option<HostKey>) -> Target {
    Target { address: HERE, port: host.port(), pinned }
}

async fn by_password(target: &Target, password: &str) -> Result<Session, SshError> {
    login(target, "root", Auth::Password(&Secret::new(password)), PATIENCE).await
}

/// What a command printed that ended well.
async fn said(session: &Session, command: &str) -> String {
    let output = session.run(command, None, PATIENCE, PLENTY).await.unwrap();
    assert_eq!((output.status, output.stderr.as_str()), (0, ""), "{command}");
    output.stdout
}

/// A directory of the test's own, gone at its end.
fn private_dir() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ssh");
    (dir, path)
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
