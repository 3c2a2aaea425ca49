//! `ansible-playbook` as a child process that leaves nothing behind, whatever happens to it or to us.

use std::{
    ffi::{OsStr, OsString},
    io,
    path::{Path, PathBuf},
    pin::pin,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt,
    process::{ChildStdin, Command},
    select,
    time::timeout,
};

use super::{AnsibleError, text::Tail};

/// What stands between us and ansible.
const SUPERVISOR: &str = include_str!("supervise.sh");
/// How long a run that was asked to stop has for it.
const GRACE: Duration = Duration::from_secs(4);
/// How long the supervisor has for killing what is left.
const LAST: Duration = Duration::from_secs(5);
/// How long the rest of the output may take.
const REST: Duration = Duration::from_millis(500);

/// How a child ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit status; `None` when it had to be stopped.
    pub(super) status: Option<ExitStatus>,
    /// The end of what it wrote.
    pub(super) output: Tail,
}

/// Runs `program` in `dir`, for `limit` at most, and everything that it started ends with it. So it does when this
/// future is dropped, and when this process dies.
pub(super) async fn run(
    dir: &Path,
    config: &Path,
    program: &Path,
    args: &[&OsStr],
    limit: Duration,
) -> Result<Ended, AnsibleError> {
    let mut command = supervisor(dir).map_err(AnsibleError::io("write what watches ansible"))?;
    command.arg(program).args(args).env("ANSIBLE_CONFIG", config);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(AnsibleError::io("start the shell that watches ansible"))?;
    // The pipe's end tells the supervisor that nobody waits any more.
    let (leash, mut out) = (child.stdin.take(), child.stdout.take());
    let mut output = Tail::default();
    let ended = {
        let mut work = pin!(async {
            let status = loop {
                select! {
                    status = child.wait() => break status,
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
            Err(_) => stop(leash, work).await.map(|()| None),
        }
    };
    let status = ended.map_err(AnsibleError::io("wait for ansible"))?;
    if status.is_none_or(|status| status.code().is_none()) {
        clear(dir).await.map_err(AnsibleError::io("clear up after ansible"))?;
    }
    Ok(Ended { status, output })
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

/// First the polite way, then by force.
async fn stop(
    leash: Option<ChildStdin>,
    mut work: impl Future<Output = io::Result<ExitStatus>> + Unpin,
) -> io::Result<()> {
    let mut leash = leash;
    if let Some(leash) = &mut leash {
        // It may have ended by itself just now.
        let _ = leash.write_all(b"stop\n").await;
    }
    if timeout(GRACE, &mut work).await.is_ok() {
        return Ok(());
    }
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
