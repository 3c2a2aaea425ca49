//! A real Debian behind a simulated provider: systemd-nspawn, by the scripts of `tests/peers/hosts`.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::host::Host;

/// Longest time of one script.
const DEADLINE: Duration = Duration::from_mins(2);

/// One booted host. Dropped, it is powered off and wiped.
#[derive(Debug)]
pub struct RealHost {
    scripts: PathBuf,
    name: String,
    suite: String,
    address: IpAddr,
}

impl RealHost {
    /// Boots a fresh host of a Debian suite (`bookworm`, `trixie`) at the last octet `octet` of the hosts' network; its
    /// base image is made first where there is none. Returns when its sshd answers.
    pub async fn up(scripts: &Path, suite: &str, name: &str, octet: u8) -> io::Result<Arc<Self>> {
        let address = IpAddr::V4(Ipv4Addr::new(10, 203, 3, octet));
        let host = Self { scripts: scripts.to_owned(), name: name.to_owned(), suite: suite.to_owned(), address };
        // What an earlier run may have left behind.
        host.script("target.sh", &["down", name], "").await?;
        host.script("target.sh", &["up", name, &octet.to_string()], "").await?;
        Ok(Arc::new(host))
    }

    /// Runs one verb of `target.sh` on this host: `cut`, `start`, `freeze`, `exec`, …; answers what it printed.
    pub async fn run(&self, verb: &str, args: &[&str]) -> io::Result<String> {
        let mut all = vec![verb, self.name.as_str()];
        all.extend(args);
        self.script("target.sh", &all, "").await
    }

    async fn script(&self, script: &str, args: &[&str], input: &str) -> io::Result<String> {
        let mut child = Command::new(self.scripts.join(script))
            .args(args)
            .env("HOSTS_SUITE", &self.suite)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes()).await?;
        }
        let output = tokio::time::timeout(DEADLINE, child.wait_with_output()).await??;
        if !output.status.success() {
            return Err(io::Error::other(format!("{script} {}: {}", args.join(" "), output.status)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// A host that fails to do as the provider says is told loudly; the provider's answer cannot carry it.
    async fn must(&self, args: &[&str], input: &str) {
        if let Err(error) = self.script("target.sh", args, input).await {
            tracing::error!(host = self.name, %error, "the host did not do it");
        }
    }
}

#[async_trait]
impl Host for RealHost {
    fn address(&self) -> IpAddr {
        self.address
    }

    async fn set_root_password(&self, password: &str) {
        self.must(&["setpw", &self.name], password).await;
    }

    async fn reinstall(&self, _os: &str, _ssh_key: Option<&str>, password: &str) {
        self.must(&["reinstall", &self.name], "").await;
        self.must(&["setpw", &self.name], password).await;
    }

    async fn reboot(&self) {
        self.must(&["reboot", &self.name], "").await;
    }
}

impl Drop for RealHost {
    fn drop(&mut self) {
        let _ = std::process::Command::new(self.scripts.join("target.sh")).args(["down", &self.name]).status();
    }
}
