//! What can go wrong with a run of a playbook.

use std::{io, time::Duration};

use crate::fault::{Fault, FaultKind};

/// Why a playbook did not do its work. No text in it holds the run's password.
#[derive(Debug, thiserror::Error)]
pub enum AnsibleError {
    /// There is no such program on this machine. Debian's own Python takes no packages from pip, hence the venv.
    #[error(
        "{bin} is not on this machine; install it with: apt install python3-venv && python3 -m venv /opt/ansible && \
         /opt/ansible/bin/pip install 'ansible-core>=2.19,<2.20', then set ansible.bin = \
         \"/opt/ansible/bin/ansible-playbook\""
    )]
    Missing {
        /// The program that was looked for.
        bin: String,
    },
    /// The server cannot be logged in to: no answer, or a wrong password or key.
    #[error("the server is out of reach: {message}")]
    Unreachable {
        /// What ssh said, at most about 1000 characters.
        message: String,
    },
    /// The server shows another host key than the pinned one: it was installed anew, or it is not our server.
    #[error("the server's SSH host key is not the pinned one: {message}")]
    HostKeyChanged {
        /// What ssh said, at most about 1000 characters.
        message: String,
    },
    /// A task failed on the server.
    #[error("task \"{task}\" failed: {message}")]
    TaskFailed {
        /// The task's name, as the playbook has it.
        task: String,
        /// What the task said, at most about 1000 characters.
        message: String,
    },
    /// The run had not ended at its time limit, and was stopped.
    #[error("stopped after {} s, in task \"{}\"", after.as_secs(), task.as_deref().unwrap_or("(none yet)"))]
    TimedOut {
        /// The limit.
        after: Duration,
        /// The task that was under way.
        task: Option<String>,
    },
    /// `ansible-playbook` itself did not work, or was called wrongly, or we stood still for longer than the run's
    /// patience.
    #[error("ansible-playbook broke: {what}")]
    Broken {
        /// What is known of it, at most about 1000 characters.
        what: String,
    },
    /// This machine could not do what a run needs.
    #[error("cannot {what}")]
    Io {
        /// What was to be done.
        what: &'static str,
        /// Why it could not.
        source: io::Error,
    },
}

impl AnsibleError {
    pub(super) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}

impl Fault for AnsibleError {
    fn kind(&self) -> FaultKind {
        match self {
            Self::Missing { .. } | Self::HostKeyChanged { .. } => FaultKind::NeedsPerson,
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Io { .. } => FaultKind::Unavailable,
            Self::TaskFailed { .. } => FaultKind::Conflict,
            Self::Broken { .. } => FaultKind::Bug,
        }
    }
}
