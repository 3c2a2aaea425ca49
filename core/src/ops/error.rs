//! Why an operation was not done.

use std::time::Duration;

use super::NodeFault;
use crate::{
    fault::{Fault, FaultKind},
    ids::JobId,
    keyring::KeyringError,
    model::{Reason, Role},
    states::IllegalMove,
    store::StoreError,
};

/// Why an operation was not done. Nothing of it happened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpError {
    /// No operation has this name.
    #[error("there is no operation {0:?}")]
    UnknownOperation(String),
    /// The input is not what the operation takes.
    #[error("{path}: {message}")]
    BadInput {
        /// Which field.
        path: String,
        /// What is wrong with it, and what was expected.
        message: String,
    },
    /// The actor's role is too low.
    #[error("this needs the role {needs}; {who} is {has}")]
    Forbidden {
        /// Who asked.
        who: String,
        /// The role needed.
        needs: Role,
        /// The role they have.
        has: Role,
    },
    /// Only people may do this.
    #[error("only a person may do this")]
    PeopleOnly,
    /// The one who asked may not be the one who allows.
    #[error("somebody else has to approve this: whoever asks may not approve")]
    OwnRequest,
    /// A question is taken back by nobody but the one who asked it.
    #[error("{asker} asked for this, and nobody else takes it back: an admin can refuse it in the chat")]
    NotAsker {
        /// Who asked, as the audit names them.
        asker: String,
    },
    /// Admins are made, changed and unmade by people alone.
    #[error("only a person may make somebody an admin, or change one")]
    AdminsByPeople,
    /// What it names does not exist.
    #[error("there is no {what} {name:?}")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// The name that was given.
        name: String,
    },
    /// More than one thing has this short name.
    #[error("{name:?} fits more than one {what}: give more of it")]
    Ambiguous {
        /// What kind of thing.
        what: &'static str,
        /// The name that was given.
        name: String,
    },
    /// The server is not to be touched.
    #[error("{handle} is {why}: nothing may touch it")]
    Untouchable {
        /// Which server.
        handle: String,
        /// `unmanaged`, `reserved` or `decommissioned`.
        why: &'static str,
    },
    /// The attempts of this episode are spent.
    #[error("{handle} failed {attempts} times in a row: a person has to look at it before it is tried again")]
    AttemptsSpent {
        /// Which server.
        handle: String,
        /// How many.
        attempts: i64,
    },
    /// Another job has the server.
    #[error("{handle} is busy with job {job}")]
    Busy {
        /// Which server.
        handle: String,
        /// Which job.
        job: JobId,
    },
    /// The yes to wiping a disk was given too long ago, or never.
    #[error("job {job} would wipe a disk, and the approval of that is too old or missing: cancel it and ask anew")]
    ApprovalOver {
        /// Which job.
        job: JobId,
    },
    /// The server has no address yet.
    #[error("{0} has no address yet: the provider is still making it")]
    NoAddress(String),
    /// The server waits for its rebuild.
    #[error("{0} waits for its rebuild: release it first, if it is to be set up as it is")]
    RebuildWished(String),
    /// The invite is worth nothing.
    #[error("this code is unknown, used or too old")]
    BadCode,
    /// The last admin would go.
    #[error("this is the last admin: make another one first")]
    LastAdmin,
    /// The thing's state has no such move.
    #[error(transparent)]
    Illegal(IllegalMove),
    /// The same key came with another input.
    #[error("this request's key was used for another request")]
    KeyReused,
    /// What the caller saw is no longer so.
    #[error("it has changed since it was read: read it again, and decide anew")]
    NotAsSeen,
    /// It is not done to a node of Ironic's.
    #[error(transparent)]
    Node(#[from] NodeFault),
    /// An operation that destroys has no plan: ours to mend.
    #[error("this operation has no plan to approve")]
    NoPlan,
    /// An operation's mark and its deed do not fit: ours to mend.
    #[error("this operation does nothing where its mark says that it does")]
    NoDeed,
    /// This process stopped in the middle of it.
    #[error("this process stops: ask again, with the same key")]
    Stopping,
    /// The database took longer than whoever asked could wait.
    #[error("it took too long to look: ask again")]
    TooSlow,
    /// An answer cannot be written as JSON: ours to mend.
    #[error("the answer cannot be written")]
    Answer(#[source] serde_json::Error),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
    /// The keys failed.
    #[error("the keyring failed")]
    Keyring(#[from] KeyringError),
}

impl From<StoreError> for OpError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Illegal(illegal) => Self::Illegal(illegal),
            error => Self::Store(error),
        }
    }
}

impl Fault for OpError {
    fn kind(&self) -> FaultKind {
        match self {
            Self::BadInput { .. } | Self::Ambiguous { .. } | Self::BadCode => FaultKind::Invalid,
            Self::UnknownOperation(_) | Self::NotFound { .. } => FaultKind::NotFound,
            Self::Forbidden { .. }
            | Self::PeopleOnly
            | Self::AdminsByPeople
            | Self::OwnRequest
            | Self::NotAsker { .. }
            | Self::Untouchable { .. } => FaultKind::Forbidden,
            Self::AttemptsSpent { .. } | Self::ApprovalOver { .. } => FaultKind::NeedsPerson,
            Self::Busy { .. }
            | Self::NoAddress(_)
            | Self::RebuildWished(_)
            | Self::LastAdmin
            | Self::Illegal(_)
            | Self::NotAsSeen
            | Self::KeyReused => FaultKind::Conflict,
            Self::Store(error) => error.kind(),
            Self::Node(fault) => fault.kind(),
            Self::Stopping | Self::TooSlow => FaultKind::Unavailable,
            Self::NoPlan | Self::NoDeed | Self::Answer(_) | Self::Keyring(_) => FaultKind::Bug,
        }
    }
}

impl OpError {
    /// When the same request may go better, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Node(fault) => fault.retry_after(),
            Self::Store(error) if error.is_race() => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// Which field of the input is at fault, and why, where one is.
    pub fn field(&self) -> Option<(&str, String)> {
        match self {
            Self::BadInput { path, message } => Some((path, message.clone())),
            Self::Node(fault) => fault.field(),
            _ => None,
        }
    }

    /// The error as a code with facts, for a door to word in the reader's language.
    pub fn reason(&self) -> Reason {
        let reason = |code: &str| Reason::new(code, crate::fault::chain(self));
        match self {
            Self::UnknownOperation(name) => reason("unknown-operation").with("name", name),
            Self::BadInput { path, message } => reason("bad-input").with("path", path).with("message", message),
            Self::Forbidden { needs, has, .. } => reason("forbidden").with("needs", needs).with("has", has),
            Self::PeopleOnly => reason("people-only"),
            Self::OwnRequest => reason("own-request"),
            Self::NotAsker { asker } => reason("not-asker").with("asker", asker),
            Self::AdminsByPeople => reason("admins-by-people"),
            Self::NotFound { what, name } => reason("not-found").with("what", what).with("name", name),
            Self::Ambiguous { what, name } => reason("ambiguous").with("what", what).with("name", name),
            Self::Untouchable { handle, why } => reason("untouchable").with("handle", handle).with("why", why),
            Self::AttemptsSpent { handle, attempts } => {
                reason("attempts-spent").with("handle", handle).with("attempts", attempts)
            }
            Self::Busy { handle, job } => reason("busy").with("handle", handle).with("job", job.short()),
            Self::ApprovalOver { job } => reason("approval-over").with("job", job.short()),
            Self::NoAddress(handle) => reason("no-address").with("handle", handle),
            Self::RebuildWished(handle) => reason("rebuild-wished").with("handle", handle),
            Self::BadCode => reason("bad-code"),
            Self::LastAdmin => reason("last-admin"),
            Self::Illegal(illegal) => reason("illegal").with("machine", illegal.machine).with("from", &illegal.from),
            Self::NotAsSeen => reason("not-as-seen"),
            Self::KeyReused => reason("key-reused"),
            Self::Node(fault) => fault.reason(),
            Self::Store(_) | Self::Stopping | Self::TooSlow => reason("store"),
            Self::NoPlan | Self::NoDeed | Self::Answer(_) | Self::Keyring(_) => reason("bug"),
        }
    }
}
