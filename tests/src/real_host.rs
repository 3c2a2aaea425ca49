//! A real Debian behind a simulated provider: systemd-nspawn, by the scripts of `tests/peers/hosts`.

use std::{
    fs::File,
    io,
    net::IpAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
    time::timeout,
};

use crate::host::Host;

/// Longest time of one verb.
const DEADLINE: Duration = Duration::from_mins(2);
/// Longest time until everything that a host needs is there; making an image takes half a minute on a calm machine.
const PREPARED: Duration = Duration::from_mins(10);

/// One booted host. Dropped, it is powered off and wiped.
#[derive(Debug)]
pub struct RealHost {
    scripts: PathBuf,
    name: String,
    image: PathBuf,
    address: IpAddr,
    /// Runs of the tests that happen at the same time take turns with a host of one name.
    _turn: File,
}

impl RealHost {
    /// Boots a fresh host of a Debian suite (`bookworm`, `trixie`) at the last octet `octet` of the hosts' network;
    /// network and base image are made first where there are none. Returns when its sshd answers.
    ///
    /// The network stays: who started the run takes it down (`tests/peers/with.sh` does).
    pub async fn up(scripts: &Path, suite: &str, name: &str, octet: u8) -> io::Result<Arc<Self>> {
        let config = format!(". {}/config.sh; printf '%s %s' $HOSTS_HOME $HOSTS_NET", scripts.display());
        let config = output(Command::new("bash").args(["-c", &config]), DEADLINE).await?;
        let (home, net) = config.split_once(' ').ok_or_else(|| io::Error::other(config.clone()))?;
        let address = format!("{net}.{octet}").parse().map_err(io::Error::other)?;
        output(Command::new(scripts.join("lab.sh")).arg("up"), PREPARED).await?;
        let image = Path::new(home).join("base").join(suite);
        output(Command::new(scripts.join("mkbase.sh")).arg(suite).arg(&image), PREPARED).await?;
        let turn = File::create(Path::new(home).join(format!("{name}.lock")))?;
        // flock(1) locks what we have open as well, so it is ours until we close it; and it can be told when to give up.
        let limit = PREPARED.as_secs().to_string();
        let mut flock = Command::new("flock");
        output(flock.args(["--timeout", &limit, "0"]).stdin(turn.try_clone()?), PREPARED).await?;
        let host = Self { scripts: scripts.to_owned(), name: name.into(), image, address, _turn: turn };
        // What a run that was killed has left behind.
        host.run("down", &[]).await?;
        host.run("up", &[&octet.to_string()]).await?;
        Ok(Arc::new(host))
    }

    /// Runs one verb of `target.sh` on this host: `cut`, `start`, `freeze`, `exec`, …; answers what it printed.
    pub async fn run(&self, verb: &str, args: &[&str]) -> io::Result<String> {
        output(self.target(verb).args(args), DEADLINE).await
    }

    fn target(&self, verb: &str) -> Command {
        let mut command = Command::new(self.scripts.join("target.sh"));
        command.args([verb, &self.name]).env("HOSTS_BASE", &self.image).stdin(Stdio::null());
        command
    }

    async fn set_password(&self, password: &str) -> io::Result<()> {
        let mut child = started(self.target("setpw").stdin(Stdio::piped()))?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(format!("{password}\n").as_bytes()).await?;
        }
        ended(child, DEADLINE).await.map(drop)
    }

    /// A host that fails to do as the provider says is told loudly; the provider's answer cannot carry it.
    fn must<T>(&self, done: &io::Result<T>) {
        if let Err(error) = done {
            eprintln!("{} did not do as the provider said: {error}", self.name);
        }
    }
}

#[async_trait]
impl Host for RealHost {
    fn address(&self) -> IpAddr {
        self.address
    }

    async fn set_root_password(&self, password: &str) {
        self.must(&self.set_password(password).await);
    }

    async fn reinstall(&self, _os: &str, _ssh_key: Option<&str>, password: &str) {
        self.must(&self.run("reinstall", &[]).await);
        self.must(&self.set_password(password).await);
    }

    async fn reboot(&self) {
        self.must(&self.run("reboot", &[]).await);
    }
}

impl Drop for RealHost {
    fn drop(&mut self) {
        let mut down = std::process::Command::new(self.scripts.join("target.sh"));
        let _ = down.args(["down", &self.name]).stdin(Stdio::null()).status();
    }
}

/// What a command prints; an error with the end of its complaints when it fails.
async fn output(command: &mut Command, limit: Duration) -> io::Result<String> {
    ended(started(command)?, limit).await
}

fn started(command: &mut Command) -> io::Result<Child> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()
}

async fn ended(child: Child, limit: Duration) -> io::Result<String> {
    let output = timeout(limit, child.wait_with_output()).await??;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(io::Error::other(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim())))
}
