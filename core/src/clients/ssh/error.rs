//! Why a conversation over SSH failed. No text in it holds a password, a private key or a command.

use std::{io, net::SocketAddr, path::PathBuf};

use russh::Error;

use super::HostKey;
use crate::fault::{Fault, FaultKind};

/// Why a conversation over SSH failed.
#[derive(Debug, thiserror::Error)]
pub enum SshError {
    /// No TCP connection: refused, no route, or no answer within the deadline.
    #[error("{address} cannot be reached")]
    Unreachable {
        /// Where the host should be.
        address: SocketAddr,
        /// What the network said; `TimedOut` when it said nothing.
        #[source]
        source: io::Error,
    },
    /// The host takes the TCP connection and says nothing: its kernel lives, its programs do not.
    #[error("the host accepts connections, but its SSH server says nothing")]
    NoBanner,
    /// The host shows another key than the one that was pinned. Nothing was sent to it.
    #[error("the host key changed: pinned {}, seen {}", pinned.fingerprint(), seen.fingerprint())]
    HostKeyChanged {
        /// The key that the host must have.
        pinned: HostKey,
        /// The key that it showed.
        seen: HostKey,
    },
    /// The password or key does not let this user in.
    #[error("the host refused the login")]
    AuthRefused,
    /// The deadline came first.
    #[error("{what} took too long")]
    Timeout {
        /// The part of the conversation that was under way.
        what: &'static str,
    },
    /// The connection broke, or the host ended it.
    #[error("the SSH connection broke off")]
    Dropped,
    /// A command said more than its caller wanted to hear. It may still be running.
    #[error("the command printed more than was asked for")]
    TooMuchOutput,
    /// The host speaks an SSH that has nothing in common with ours, or would not run the command.
    #[error("the host's SSH server does not fit: {what}")]
    Protocol {
        /// What did not fit.
        what: String,
    },
    /// The host answered a question with something else.
    #[error("the host's answer makes no sense: {what}")]
    Garbled {
        /// What is wrong with it.
        what: String,
    },
    /// Our own key file cannot be used.
    #[error("the SSH key {}: {what}", path.display())]
    Key {
        /// The private key's file.
        path: PathBuf,
        /// What is wrong, and what to do where a person must.
        what: String,
    },
}

impl Fault for SshError {
    fn kind(&self) -> FaultKind {
        match self {
            Self::Unreachable { .. } | Self::NoBanner | Self::Timeout { .. } | Self::Dropped => FaultKind::Unavailable,
            Self::AuthRefused => FaultKind::Unauthenticated,
            Self::TooMuchOutput | Self::Protocol { .. } | Self::Garbled { .. } => FaultKind::Conflict,
            Self::HostKeyChanged { .. } | Self::Key { .. } => FaultKind::NeedsPerson,
        }
    }
}

impl From<Error> for SshError {
    fn from(error: Error) -> Self {
        match error {
            Error::IO(_)
            | Error::Disconnect
            | Error::HUP
            | Error::SendError
            | Error::RecvError
            | Error::ConnectionTimeout
            | Error::KeepaliveTimeout
            | Error::InactivityTimeout
            | Error::Join(_) => Self::Dropped,
            other => Self::Protocol { what: other.to_string() },
        }
    }
}
