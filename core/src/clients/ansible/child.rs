//! `ansible-playbook` as a child process that leaves nothing behind, whatever happens to it or to us.

use std::{
    ffi::{OsStr, OsString},
    io,
    path::{Path, PathBuf},
    pin::pin,
    process::{ExitStatus, Stdio},
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    net::unix::pipe,
    process::{Child, Command},
    select,
    time::timeout,
};

use super::{AnsibleError, text::Tail};
use crate::clock::{Clock, SystemClock};

/// What stands between us and ansible.
const SUPERVISOR: &str = include_str!("supervise.sh");
/// How long a run that was asked to stop has for it.
const GRACE: Duration = Duration::from_secs(4);
/// How long the supervisor has for killing what is left.
const LAST: Duration = Duration::from_secs(5);
/// How long the rest of the output may take.
const REST: Duration = Duration::from_millis(500);

/// How often the supervisor is told that we are alive.
const BEAT: Duration = Duration::from_secs(1);
/// The least time without a sign of life that means something.
const PATIENCE_MIN: u64 = 2;
/// How the supervisor ends when it heard nothing of us for too long. No program of ansible's ends so.
const SILENCE: i32 = 75;

/// A child that waits for its start, and then runs. Whatever happens to it, everything that it started ends with it. So
/// it does when this is dropped, when this process dies, and when it stands still for too long.
#[derive(Debug)]
pub(super) struct Guarded {
    dir: PathBuf,
    child: Child,
    leash: Arc<pipe::Sender>,
    patience: u64,
}

/// How a child ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit status; `None` when it had to be stopped.
    pub(super) status: Option<ExitStatus>,
    /// The end of what it wrote.
    pub(super) output: Tail,
}

impl Guarded {
    /// Starts what will run `program` in `dir`, and already now deletes `dir` when we are gone. `patience`, in whole
    /// seconds and at least two, is how long we may give no sign of life.
    pub(super) fn new(
        dir: &Path,
        config: &Path,
        program: &Path,
        args: &[&OsStr],
        patience: Duration,
    ) -> Result<Self, AnsibleError> {
        let patience = patience.as_secs().max(PATIENCE_MIN);
        let mut command = supervisor(dir).map_err(AnsibleError::io("write what watches ansible"))?;
        command.arg(patience.to_string()).arg(program).args(args).env("ANSIBLE_CONFIG", config);
        let mut start = || {
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
            let leash = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?.into_owned_fd()?;
            Ok((child, Arc::new(pipe::Sender::from_owned_fd(leash)?)))
        };
        let (child, leash) = start().map_err(AnsibleError::io("start the shell that watches ansible"))?;
        Ok(Self { dir: dir.to_owned(), child, leash, patience })
    }

    /// Runs it, for `limit` at most.
    pub(super) async fn run(mut self, limit: Duration) -> Result<Ended, AnsibleError> {
        let go = async { self.leash.writable().await.and_then(|()| self.leash.try_write(b".")) };
        go.await.map_err(AnsibleError::io("start ansible"))?;
        // A task of its own: a caller that is slow is not dead.
        tokio::spawn(beat(Arc::downgrade(&self.leash)));
        let mut out = self.child.stdout.take();
        let mut output = Tail::default();
        let ended = {
            let mut work = pin!(async {
                let status = loop {
                    select! {
                        status = self.child.wait() => break status,
                        () = output.read(&mut out) => {}
                    }
                };
                // Whatever could still write is ended by now, unless the supervisor was killed.
                let _ = timeout(REST, async {
                    while out.is_some() {
                        output.read(&mut out).await;
                    }
                })
                .await;
                status
            });
            match timeout(limit, &mut work).await {
                Ok(status) => status.map(Some),
                Err(_) => stop(self.leash, work).await.map(|()| None),
            }
        };
        let status = ended.map_err(AnsibleError::io("wait for ansible"))?;
        if status.is_none_or(|status| status.code().is_none()) {
            clear(&self.dir).await.map_err(AnsibleError::io("clear up after ansible"))?;
        }
        if status.and_then(|status| status.code()) == Some(SILENCE) {
            let what = format!("Rackhand stood still for more than {} s, so its run was stopped", self.patience);
            return Err(AnsibleError::Broken { what });
        }
        Ok(Ended { status, output })
    }
}

/// Ends what still runs of a run whose supervisor is gone, and deletes its directory.
pub(super) async fn clear(dir: &Path) -> io::Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    let mut command = supervisor(dir)?;
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    timeout(LAST, child.wait()).await?.map(drop)
}

/// Where `ansible-playbook` is: `bin`, or the first in PATH.
pub(super) fn find(bin: Option<&Path>) -> Result<PathBuf, AnsibleError> {
    const NAME: &str = "ansible-playbook";
    let path = path_of_programs();
    let found = match bin {
        Some(bin) => Some(bin.to_owned()),
        None => std::env::split_paths(&path).map(|dir| dir.join(NAME)).find(|file| file.is_file()),
    };
    let named = bin.map_or_else(|| NAME.to_owned(), |bin| bin.display().to_string());
    let missing = || AnsibleError::Missing { bin: named };
    found.and_then(|file| std::path::absolute(file).ok()).filter(|file| file.is_file()).ok_or_else(missing)
}

/// Tells the supervisor that we are alive, for as long as somebody holds the pipe.
async fn beat(leash: Weak<pipe::Sender>) {
    // A pipe that is full or broken is its reader's trouble.
    while leash.upgrade().map(|leash| leash.try_write(b".")).is_some() {
        SystemClock.sleep(BEAT).await;
    }
}

/// First the polite way, then by force.
async fn stop(
    leash: Arc<pipe::Sender>,
    mut work: impl Future<Output = io::Result<ExitStatus>> + Unpin,
) -> io::Result<()> {
    // It may have ended by itself just now.
    let _ = leash.try_write(b"s");
    if timeout(GRACE, &mut work).await.is_ok() {
        return Ok(());
    }
    // The pipe's end tells the supervisor that nobody waits any more.
    drop(leash);
    // If even that takes too long, a second supervisor does the work.
    let _ = timeout(LAST, work).await;
    Ok(())
}

/// The script, in a process group of its own, with `dir` neither in its environment nor in its command line.
fn supervisor(dir: &Path) -> io::Result<Command> {
    const NAME: &str = "supervise.sh";
    std::fs::write(dir.join(NAME), SUPERVISOR)?;
    let mut command = Command::new("/bin/sh");
    command
        .arg(NAME)
        .current_dir(dir)
        .process_group(0)
        .env_clear()
        .env("PATH", path_of_programs())
        .envs([("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8"), ("ANSIBLE_NOCOLOR", "1"), ("PYTHONDONTWRITEBYTECODE", "1")])
        .stderr(Stdio::null());
    Ok(command)
}

/// The one variable that a run takes over from our own environment: where ssh, python3 and the rest are.
fn path_of_programs() -> OsString {
    std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into())
}
