//! Why something is not done to a node.

use std::time::Duration;

use crate::{
    clients::ironic::IronicError,
    fault::{Fault, FaultKind},
    ids::JobId,
    model::Reason,
};

/// When whoever met a busy node may come again.
const COME_AGAIN: Duration = Duration::from_secs(10);

/// Why something is not done to a node. `id` is the name or the UUID that was asked for, `why` Ironic's own words.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeFault {
    /// No Ironic is configured.
    #[error("no OpenStack Ironic is configured")]
    NoIronic,
    /// There is no such node.
    #[error("Server {id} not found")]
    NotFound {
        /// Which.
        id: String,
    },
    /// The node is used, kept out of use, or in another state.
    #[error("Server {id} is not available for provisioning")]
    NotAvailable {
        /// Which.
        id: String,
    },
    /// No node is free.
    #[error("No available servers matching criteria")]
    NoneMatches,
    /// The image cannot be found, or not be downloaded.
    #[error("Image {id} not found")]
    NoImage {
        /// Which image.
        id: String,
        /// What Ironic said of it.
        #[source]
        why: IronicError,
    },
    /// The node has nothing on it that could be taken down.
    #[error("Server {id} is not in a provisionable state")]
    NotProvisioned {
        /// Which.
        id: String,
    },
    /// Asked how the provisioning goes of a node that is not being provisioned, and never was.
    #[error("Server {id} is {state}: nothing provisions it")]
    NotProvisioning {
        /// Which.
        id: String,
        /// Where it is.
        state: String,
    },
    /// Asked how the unprovisioning goes of a node that is in use, or that never was.
    #[error("Server {id} is {state}: nothing unprovisions it")]
    NotUnprovisioning {
        /// Which.
        id: String,
        /// Where it is.
        state: String,
    },
    /// A conductor is at work on the node, and did not let go in time.
    #[error("Server {id} is busy")]
    Busy {
        /// Which.
        id: String,
    },
    /// Ironic takes the node down already: nothing here stops that.
    #[error(
        "Ironic takes server {id} down already, and Rackhand cannot stop that: job {job} follows it to its end. \
         `abort` in Ironic stops a cleaning"
    )]
    PastCallingOff {
        /// Which.
        id: String,
        /// The job that follows it.
        job: JobId,
    },
    /// The node is protected in Ironic.
    #[error("Server {id} is protected: {why}")]
    Protected {
        /// Which.
        id: String,
        /// Ironic's words.
        why: String,
    },
    /// What the node was given does not do.
    #[error("Server {id} cannot be provisioned: {why}")]
    Unfit {
        /// Which.
        id: String,
        /// Ironic's words.
        why: String,
    },
    /// There is such a node already.
    #[error("there is a server {id} already")]
    Taken {
        /// Which.
        id: String,
    },
    /// The node's state does not allow it.
    #[error("Server {id} is not in a state for this: {why}")]
    WrongState {
        /// Which.
        id: String,
        /// Ironic's words.
        why: String,
    },
    /// Ironic does not take what it was given.
    #[error("Ironic refused it: {why}")]
    Refused {
        /// Ironic's words.
        why: String,
    },
    /// Ironic is out of reach, broke down, refuses our login, or has no conductor for the node.
    #[error("Failed to communicate with Ironic")]
    Away(#[source] IronicError),
}

impl NodeFault {
    /// What a failed call means for the node that was asked for as `id`.
    pub fn of(id: &str, error: IronicError) -> Self {
        let id: String = id.chars().take(64).collect();
        match error {
            IronicError::NotFound { .. } => Self::NotFound { id },
            IronicError::Locked { .. } => Self::Busy { id },
            IronicError::Protected { message } => Self::Protected { id, why: message },
            IronicError::Duplicate { .. } => Self::Taken { id },
            IronicError::NoImage { message } | IronicError::NotValid { message } => Self::Unfit { id, why: message },
            IronicError::InvalidState { message }
            | IronicError::InMaintenance { message }
            | IronicError::Associated { message }
            | IronicError::Conflict { message } => Self::WrongState { id, why: message },
            IronicError::Refused { message } => Self::Refused { why: message },
            error => Self::Away(error),
        }
    }

    /// Which field of the request is at fault, and why, where one is.
    pub fn field(&self) -> Option<(&str, String)> {
        match self {
            Self::NoImage { why, .. } => Some(("image_id", why.to_string())),
            _ => None,
        }
    }

    /// When the same request may go better, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        matches!(self, Self::Busy { .. }).then_some(COME_AGAIN)
    }

    /// The fault as a code with facts.
    pub fn reason(&self) -> Reason {
        let reason = |code: &str| Reason::new(code, crate::fault::chain(self));
        match self {
            Self::NoIronic => reason("ironic-none"),
            Self::NotFound { id } => reason("node-unknown").with("name", id),
            Self::NotAvailable { id } => reason("node-not-available").with("name", id),
            Self::NoneMatches => reason("node-none-matches"),
            Self::NoImage { id, why } => reason("image-unknown").with("name", id).with("detail", why),
            Self::NotProvisioned { id } => reason("node-not-provisioned").with("name", id),
            Self::NotProvisioning { id, state } => reason("node-not-provisioning").with("name", id).with("seen", state),
            Self::NotUnprovisioning { id, state } => {
                reason("node-not-unprovisioning").with("name", id).with("seen", state)
            }
            Self::Busy { id } => reason("node-busy").with("name", id),
            Self::PastCallingOff { id, job } => {
                reason("node-past-calling-off").with("name", id).with("job", job.short())
            }
            Self::Protected { id, why } => reason("node-protected").with("name", id).with("detail", why),
            Self::Unfit { id, why } => reason("node-unfit").with("name", id).with("detail", why),
            Self::Taken { id } => reason("node-taken").with("name", id),
            Self::WrongState { id, why } => reason("node-wrong-state").with("name", id).with("detail", why),
            Self::Refused { why } => reason("ironic-refused").with("detail", why),
            Self::Away(error) => reason("ironic-away").with("detail", crate::fault::chain(error)),
        }
    }
}

impl Fault for NodeFault {
    fn kind(&self) -> FaultKind {
        match self {
            Self::NotFound { .. } | Self::NoneMatches => FaultKind::NotFound,
            Self::NoImage { .. } | Self::Refused { .. } => FaultKind::Invalid,
            Self::NotAvailable { .. }
            | Self::NotProvisioned { .. }
            | Self::NotProvisioning { .. }
            | Self::NotUnprovisioning { .. }
            | Self::Busy { .. }
            | Self::PastCallingOff { .. }
            | Self::Protected { .. }
            | Self::Unfit { .. }
            | Self::Taken { .. }
            | Self::WrongState { .. } => FaultKind::Conflict,
            Self::NoIronic => FaultKind::NeedsPerson,
            Self::Away(_) => FaultKind::Unavailable,
        }
    }
}
