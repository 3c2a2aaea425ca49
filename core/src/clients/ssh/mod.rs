//! SSH to the hosts that Rackhand runs: probes, proofs of identity and small commands, in this process, so that
//! thousands of hosts can be asked at once. Ansible keeps the system's OpenSSH.
//!
//! A pinned host key is always checked, before anything is sent that only the host may know; where none is pinned yet,
//! the caller gets the key that was seen and decides. Each call keeps one deadline, from the first packet to the last.
//!
//! What servers are known to do: OpenSSH from 9.8 on (Debian 13) shuts out, for at least 15 s, an address that
//! gathered 15 s of penalties: 5 s for each refused login, 1 s for each connection without one (`PerSourcePenalties` in
//! `sshd_config(5)`). A shut-out address is dropped before the banner, which is [`SshError::Dropped`].

mod connect;
mod error;
mod facts;
mod keys;
mod session;

use std::{fmt::Write, net::IpAddr, time::Duration};

use rand::{TryRng, rngs::SysRng};
use russh::{MethodKind, MethodSet, client::AuthResult, keys::PrivateKeyWithHashAlg};
use tokio::{io::AsyncReadExt, net::TcpStream};

use self::connect::{Connection, Deadline, dial, open};
pub use self::{
    error::SshError,
    facts::{HostFacts, VERIFY_SCRIPT},
    keys::{HostKey, NotAHostKey, OrchestratorKey},
    session::{Output, Session},
};
use crate::{clients::calls::Call, secret::Secret};

/// What its calls are counted as.
const SYSTEM: &str = "ssh";
/// The most that a host may say before its banner ends, in bytes.
const BANNER_LIMIT: usize = 4096;

/// A host to talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its address.
    pub address: IpAddr,
    /// The TCP port of its SSH server.
    pub port: u16,
    /// The key that it must have; none before it was seen for the first time.
    pub pinned: Option<HostKey>,
}

/// What to log in with.
#[derive(Clone, Copy, Debug)]
pub enum Auth<'a> {
    /// A password, by the method `password` (not `keyboard-interactive`).
    Password(&'a Secret),
    /// Rackhand's own key.
    Key(&'a OrchestratorKey),
}

/// The line that the SSH server greets with, such as `SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10`: the cheapest sign of
/// life. Proves nothing about who answers: the pinned key is not looked at.
pub async fn banner(target: &Target, deadline: Duration) -> Result<String, SshError> {
    Call::of(SYSTEM).ended(greeting(target, Deadline::after(deadline)).await)
}

/// The host's key, without a login; [`SshError::HostKeyChanged`] when it is not the pinned one.
pub async fn host_key(target: &Target, deadline: Duration) -> Result<HostKey, SshError> {
    let opened = Call::of(SYSTEM).ended(open(target, &mut Deadline::after(deadline)).await);
    Ok(opened?.key)
}

/// Logs in as `user`.
pub async fn login(target: &Target, user: &str, auth: Auth<'_>, deadline: Duration) -> Result<Session, SshError> {
    Call::of(SYSTEM).ended(logged_in(target, user, auth, Deadline::after(deadline)).await)
}

/// Whether the host lets nobody in by password: it offers neither `password` nor `keyboard-interactive` to `user`, and
/// refuses a password all the same when it is sent a random one.
pub async fn password_refused(target: &Target, user: &str, deadline: Duration) -> Result<bool, SshError> {
    Call::of(SYSTEM).ended(lets_nobody_in_by_password(target, user, deadline).await)
}

async fn greeting(target: &Target, mut deadline: Deadline) -> Result<String, SshError> {
    let stream = dial(target, &mut deadline).await?;
    deadline.keep(read_banner(stream)).await.ok_or(SshError::NoBanner)?
}

async fn logged_in(target: &Target, user: &str, auth: Auth<'_>, mut deadline: Deadline) -> Result<Session, SshError> {
    let mut connection = open(target, &mut deadline).await?;
    match deadline.within("the login", authenticate(&mut connection, user, auth)).await?? {
        Answer::Welcome => Ok(Session { connection }),
        Answer::Refused { .. } => Err(SshError::AuthRefused),
    }
}

async fn lets_nobody_in_by_password(target: &Target, user: &str, deadline: Duration) -> Result<bool, SshError> {
    let mut deadline = Deadline::after(deadline);
    let mut connection = open(target, &mut deadline).await?;
    let offered = async {
        let result = connection.handle.authenticate_none(user).await?;
        answer(&connection, result)
    };
    let Answer::Refused { offered } = deadline.within("the login", offered).await?? else { return Ok(false) };
    if offered.contains(&MethodKind::Password) || offered.contains(&MethodKind::KeyboardInteractive) {
        return Ok(false);
    }
    let wrong = wrong_password()?;
    let tried = authenticate(&mut connection, user, Auth::Password(&wrong));
    Ok(matches!(deadline.within("the login", tried).await??, Answer::Refused { .. }))
}

enum Answer {
    Welcome,
    Refused { offered: MethodSet },
}

async fn authenticate(connection: &mut Connection, user: &str, auth: Auth<'_>) -> Result<Answer, SshError> {
    let handle = &mut connection.handle;
    let result = match auth {
        Auth::Password(password) => handle.authenticate_password(user, password.expose()).await?,
        Auth::Key(key) => handle.authenticate_publickey(user, PrivateKeyWithHashAlg::new(key.pair(), None)).await?,
    };
    answer(connection, result)
}

/// russh says of a connection that broke that it refused, and offers nothing else.
fn answer(connection: &Connection, result: AuthResult) -> Result<Answer, SshError> {
    match result {
        AuthResult::Success => Ok(Answer::Welcome),
        AuthResult::Failure { remaining_methods, .. }
            if remaining_methods.is_empty() && connection.handle.is_closed() =>
        {
            Err(SshError::Dropped)
        }
        AuthResult::Failure { remaining_methods, .. } => Ok(Answer::Refused { offered: remaining_methods }),
    }
}

fn wrong_password() -> Result<Secret, SshError> {
    let mut bytes = [0_u8; 16];
    let random = SysRng.try_fill_bytes(&mut bytes);
    random.map_err(|error| SshError::Protocol { what: format!("no random numbers to ask it with: {error}") })?;
    Ok(Secret::new(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })))
}

/// Reads past the lines that a server may say before its banner (RFC 4253, 4.2).
async fn read_banner(mut stream: TcpStream) -> Result<String, SshError> {
    let mut said = Vec::new();
    loop {
        let mut part = [0_u8; 256];
        let length = stream.read(&mut part).await.map_err(|_| SshError::Dropped)?;
        said.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&said);
        let banner = text.split_inclusive('\n').find(|line| line.starts_with("SSH-") && line.ends_with('\n'));
        match banner {
            Some(line) => return Ok(line.trim_end().to_owned()),
            None if length == 0 => return Err(SshError::Dropped),
            None if said.len() > BANNER_LIMIT => {
                return Err(SshError::Protocol { what: "it does not greet as SSH does".to_owned() });
            }
            None => {}
        }
    }
}
