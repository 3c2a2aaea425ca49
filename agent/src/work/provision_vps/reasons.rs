//! Why a provisioning job waits, fails or is parked: codes with facts; `bot/texts` words them in both languages.

use rackhand_core::{
    clients::{ansible::AnsibleError, ssh::SshError, time4vps::Time4vpsError},
    fault::{Fault, FaultKind, chain},
    model::Reason,
};

/// The code of an identity that is not what it was when the job was allowed.
pub(super) const IDENTITY: &str = "identity-mismatch";

/// One fact of the identity is not what it was.
pub(super) fn identity(what: &str, known: &str, seen: &str) -> Reason {
    let text = format!("{what} was {known} when this was allowed and is {seen} now: nothing was sent to the server");
    Reason::new(IDENTITY, text).with("what", what).with("known", known).with("seen", seen)
}

/// Nobody approved what the job would wipe.
pub(super) fn not_approved() -> Reason {
    Reason::new("not-approved", "no person approved that this job wipes this server: nothing was sent to it")
}

/// Nothing may touch the server.
pub(super) fn untouchable(why: &str) -> Reason {
    Reason::new("untouchable-server", format!("the server is {why}: nothing may touch it")).with("why", why)
}

/// The attempts of the episode are spent.
pub(super) fn attempts_spent(attempts: i64) -> Reason {
    Reason::new("too-many-attempts", format!("{attempts} attempts failed in a row")).with("attempts", attempts)
}

/// The provider answered with an error.
pub(super) fn provider(error: &Time4vpsError) -> Reason {
    let code = match error {
        Time4vpsError::RateLimited { .. } => "provider-rate-limited",
        Time4vpsError::AddressNotAllowed => "provider-address",
        Time4vpsError::WrongLogin | Time4vpsError::BadBaseUrl => "provider-login",
        Time4vpsError::NotFound => "provider-unknown-server",
        Time4vpsError::Busy { .. } => "provider-busy",
        Time4vpsError::Refused { .. } => "provider-refused",
        Time4vpsError::Unavailable { .. } | Time4vpsError::Timeout | Time4vpsError::Garbage { .. } => "provider-away",
    };
    Reason::new(code, chain(error)).with("detail", chain(error))
}

/// The host could not be reached, or refused us.
pub(super) fn ssh(error: &SshError) -> Reason {
    let code = match error.kind() {
        FaultKind::Unauthenticated => "ssh-refused",
        _ => "ssh-away",
    };
    Reason::new(code, chain(error)).with("detail", chain(error))
}

/// A playbook did not end well.
pub(super) fn playbook(error: &AnsibleError) -> Reason {
    let reason = |code: &str| Reason::new(code, chain(error));
    match error {
        AnsibleError::Missing { .. } => reason("ansible-missing").with("detail", chain(error)),
        AnsibleError::Unreachable { message } => reason("ansible-unreachable").with("detail", message),
        AnsibleError::TaskFailed { task, message } => {
            reason("ansible-task-failed").with("task", task).with("detail", message)
        }
        AnsibleError::TimedOut { after, task } => {
            reason("ansible-timed-out").with("seconds", after.as_secs()).with("task", task.as_deref().unwrap_or("-"))
        }
        _ => reason("ansible-broken").with("detail", chain(error)),
    }
}
