//! A login that runs commands.

use std::{pin::pin, time::Duration};

use futures::future::{Either, select};
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig, client::Msg};

use super::{
    HostKey, SYSTEM, SshError,
    connect::{Connection, Deadline},
};
use crate::clients::calls::Call;

/// How long a command that was given up may delay its caller, while the host is told.
const GOODBYE: Duration = Duration::from_secs(1);

/// A user's login on a host. Dropping it ends the connection.
pub struct Session {
    pub(super) connection: Connection,
}

/// What a command left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its exit status; 128 and the signal's number when a signal ended it, as shells say it.
    pub status: u32,
    /// What it printed. Bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("host_key", &self.connection.key).finish_non_exhaustive()
    }
}

impl Session {
    /// The key that the host showed.
    pub fn host_key(&self) -> &HostKey {
        &self.connection.key
    }

    /// Runs `command` in the user's shell with `stdin` (or nothing) as its input, until it ends. Several may run at
    /// once. `max_output` bounds both outputs together, in bytes; past it, and past the deadline, the command is left
    /// to itself.
    pub async fn run(
        &self,
        command: &str,
        stdin: Option<&[u8]>,
        deadline: Duration,
        max_output: usize,
    ) -> Result<Output, SshError> {
        Call::of(SYSTEM).ended(self.told(command, stdin, Deadline::after(deadline), max_output).await)
    }

    async fn told(
        &self,
        command: &str,
        stdin: Option<&[u8]>,
        mut deadline: Deadline,
        max_output: usize,
    ) -> Result<Output, SshError> {
        let channel = deadline.within("a command", self.connection.handle.channel_open_session()).await??;
        let (mut reading, writing) = channel.split();
        let ended = deadline.within("a command", talk(&mut reading, &writing, command, stdin, max_output)).await;
        if !matches!(ended, Ok(Ok(_))) {
            // The connection stays good for other commands.
            let _ = Deadline::after(GOODBYE).keep(writing.close()).await;
        }
        ended?
    }
}

/// Feeds and listens at once: a command may answer, or end, before it has read its input.
async fn talk(
    reading: &mut ChannelReadHalf,
    writing: &ChannelWriteHalf<Msg>,
    command: &str,
    stdin: Option<&[u8]>,
    max_output: usize,
) -> Result<Output, SshError> {
    let speak = async {
        writing.exec(true, command).await?;
        if let Some(input) = stdin {
            writing.data_bytes(input.to_vec()).await?;
        }
        writing.eof().await
    };
    match select(pin!(listen(reading, max_output)), pin!(speak)).await {
        Either::Left((heard, _)) => heard,
        // That the rest could not be sent is for the answer to explain.
        Either::Right((_, listening)) => listening.await,
    }
}

async fn listen(reading: &mut ChannelReadHalf, max_output: usize) -> Result<Output, SshError> {
    let (mut stdout, mut stderr, mut status) = (Vec::new(), Vec::new(), None);
    while let Some(message) = reading.wait().await {
        match message {
            ChannelMsg::Data { data } => stdout.extend_from_slice(&data),
            ChannelMsg::ExtendedData { data, .. } => stderr.extend_from_slice(&data),
            ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
            ChannelMsg::ExitSignal { signal_name, .. } => status = Some(128 + number(&signal_name)),
            ChannelMsg::Failure => return Err(SshError::Protocol { what: "it runs no commands".to_owned() }),
            ChannelMsg::Close => break,
            _ => {}
        }
        if stdout.len() + stderr.len() > max_output {
            return Err(SshError::TooMuchOutput);
        }
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    status.map(|status| Output { status, stdout: text(stdout), stderr: text(stderr) }).ok_or(SshError::Dropped)
}

fn number(signal: &Sig) -> u32 {
    match signal {
        Sig::HUP => 1,
        Sig::INT => 2,
        Sig::QUIT => 3,
        Sig::ILL => 4,
        Sig::ABRT => 6,
        Sig::FPE => 8,
        Sig::KILL => 9,
        Sig::USR1 => 10,
        Sig::SEGV => 11,
        Sig::PIPE => 13,
        Sig::ALRM => 14,
        Sig::TERM => 15,
        Sig::Custom(_) => 127,
    }
}
