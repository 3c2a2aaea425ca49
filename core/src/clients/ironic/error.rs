//! Why a call to Ironic failed, and what that says about the effect.

use std::{fmt, time::Duration};

use super::oddities::{
    errors_come_in_three_shapes, family_is_locked, image_does_not_do, is_duplicate, is_in_maintenance, is_no_identity,
    is_not_valid, is_protected, is_taken, locked_by, no_conductor, no_image, node_is_moving, state_does_not_allow_it,
};
use crate::{
    clients::{
        excerpt::bounded_to,
        http::{self, BodyError},
    },
    fault::{Fault, FaultKind},
    secret::Secret,
};

/// The longest message that is kept, in characters: a driver's reason may be a paragraph.
const LONGEST: usize = 1000;

/// Who was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The service that drives the machines.
    Ironic,
    /// The service that gives out tokens.
    Keystone,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ironic => "Ironic",
            Self::Keystone => "Keystone",
        })
    }
}

/// Why a call to Ironic failed. `message` is what Ironic said, bounded; no text holds a password or a token of ours.
#[derive(Debug, thiserror::Error)]
pub enum IronicError {
    /// A configured address is not an http(s) URL, holds a login, or is missing.
    #[error("{setting} must be an http or https URL without a login in it")]
    BadUrl {
        /// Which setting.
        setting: &'static str,
    },
    /// The file of certificates cannot be used.
    #[error("ironic.ca_file {path}: {reason}")]
    BadCa {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS cannot be set up on this machine.
    #[error("TLS cannot be set up")]
    BadTls {
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// Keystone knows no address of Ironic. Nothing was done.
    #[error("Keystone's catalogue has no {interface} address of a baremetal service{}", InRegion(region.as_deref()))]
    NoEndpoint {
        /// The interface that was looked for.
        interface: String,
        /// The region that was looked in, where one is configured.
        region: Option<String>,
    },
    /// Ironic is older than what was asked of it. Nothing was done.
    #[error("Ironic speaks its interface up to 1.{speaks}, and 1.{needs} is needed")]
    TooOld {
        /// The newest minor version that it speaks.
        speaks: u32,
        /// The minor version that is needed.
        needs: u32,
    },
    /// Our login or token was refused, also when renewed. Nothing was done.
    #[error("{service} refused our login: {message}")]
    Unauthenticated {
        /// Who refused it.
        service: Service,
        /// Its words.
        message: String,
    },
    /// Our account may not do this. Nothing was done.
    #[error("Ironic forbids it: {message}")]
    Forbidden {
        /// Its words.
        message: String,
    },
    /// The node is protected. Nothing was done.
    #[error("{message}")]
    Protected {
        /// Its words.
        message: String,
    },
    /// There is no such node. Nothing was done.
    #[error("{message}")]
    NotFound {
        /// Its words.
        message: String,
    },
    /// The node's state does not allow it. Nothing was done.
    #[error("{message}")]
    InvalidState {
        /// Its words.
        message: String,
    },
    /// The node is kept out of use. Nothing was done.
    #[error("{message}")]
    InMaintenance {
        /// Its words.
        message: String,
    },
    /// A conductor is at work on the node; it takes a moment mostly. Nothing was done.
    #[error("{message}")]
    Locked {
        /// The conductor, where it is told.
        host: Option<String>,
        /// Its words.
        message: String,
    },
    /// The node has an instance, or the instance a node. Nothing was done.
    #[error("{message}")]
    Associated {
        /// Its words.
        message: String,
    },
    /// There is such a node already. Nothing was done.
    #[error("{message}")]
    Duplicate {
        /// Its words.
        message: String,
    },
    /// Any other conflict. Nothing was done.
    #[error("{message}")]
    Conflict {
        /// Its words.
        message: String,
    },
    /// The image cannot be found, or not be downloaded. Nothing was done.
    #[error("{message}")]
    NoImage {
        /// Its words.
        message: String,
    },
    /// What the node was given does not do, its image included, or is not enough. Nothing was done.
    #[error("{message}")]
    NotValid {
        /// Its words.
        message: String,
    },
    /// No conductor takes care of the node, or of the driver. Nothing was done.
    #[error("{message}")]
    NoConductor {
        /// Its words.
        message: String,
    },
    /// Ironic said no for another reason. Nothing was done.
    #[error("Ironic refused: {message}")]
    Refused {
        /// Its words.
        message: String,
    },
    /// Ironic has too much to do. Nothing was done.
    #[error("{service} is busy: {message}")]
    Busy {
        /// Who is.
        service: Service,
        /// When to come again, where it is told.
        retry_after: Option<Duration>,
        /// Its words.
        message: String,
    },
    /// It cannot be reached, or broke down.
    #[error("{service} is unavailable{}", Because(*status, message.as_deref()))]
    Unavailable {
        /// Who is.
        service: Service,
        /// The HTTP status, when there was an answer.
        status: Option<u16>,
        /// Its words, when there was an answer with any.
        message: Option<String>,
        /// Whether the request may have arrived.
        sent: bool,
        /// What the network said.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// No answer within the deadline.
    #[error("{service} did not answer in time")]
    Timeout {
        /// Who did not.
        service: Service,
    },
    /// An answer that makes no sense.
    #[error("{service} answered nonsense: {excerpt}")]
    Garbage {
        /// Who did.
        service: Service,
        /// What is wrong with it; never a piece of it.
        excerpt: String,
    },
}

impl IronicError {
    /// Whether a change that failed so may have taken effect all the same: the caller must look before it acts again.
    /// False means: certainly not done.
    pub fn effect_unknown(&self) -> bool {
        match self {
            Self::Unavailable { service, sent, .. } => *sent && *service == Service::Ironic,
            Self::Timeout { service } | Self::Garbage { service, .. } => *service == Service::Ironic,
            _ => false,
        }
    }

    /// What an admin can do about it, where only an admin can.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::BadUrl { .. } => Some("Set ironic.url, such as https://ironic.example.net:6385."),
            Self::BadCa { .. } => Some("Set ironic.ca_file to a file of certificates in PEM, or leave it out."),
            Self::NoEndpoint { .. } => Some("Check ironic.region and ironic.interface, or set ironic.url."),
            Self::TooOld { .. } => Some("Rackhand needs OpenStack Train or newer."),
            Self::Unauthenticated { .. } => Some("Check the login in the section ironic of the configuration."),
            Self::Forbidden { .. } => Some("Give our account a role that may manage nodes in Ironic."),
            Self::NoConductor { .. } => Some("Check that a conductor runs and serves the node's driver and group."),
            _ => None,
        }
    }

    /// This error with every text of it free of `secret`.
    #[must_use]
    pub(super) fn without(mut self, secret: &Secret) -> Self {
        match &mut self {
            Self::Unauthenticated { message, .. }
            | Self::Forbidden { message }
            | Self::Protected { message }
            | Self::NotFound { message }
            | Self::InvalidState { message }
            | Self::InMaintenance { message }
            | Self::Locked { message, .. }
            | Self::Associated { message }
            | Self::Duplicate { message }
            | Self::Conflict { message }
            | Self::NoImage { message }
            | Self::NotValid { message }
            | Self::NoConductor { message }
            | Self::Refused { message }
            | Self::Busy { message, .. }
            | Self::Unavailable { message: Some(message), .. } => *message = secret.redact(message),
            Self::BadUrl { .. }
            | Self::BadCa { .. }
            | Self::BadTls { .. }
            | Self::NoEndpoint { .. }
            | Self::TooOld { .. }
            | Self::Unavailable { message: None, .. }
            | Self::Timeout { .. }
            | Self::Garbage { .. } => {}
        }
        self
    }

    /// A request that got no answer.
    pub(super) fn unanswered(service: Service, error: reqwest::Error) -> Self {
        let away = |sent| move |source| Self::Unavailable { service, status: None, message: None, sent, source };
        if http::never_sent(&error) {
            away(false)(Some(error.without_url()))
        } else if error.is_timeout() {
            Self::Timeout { service }
        } else {
            away(true)(Some(error.without_url()))
        }
    }

    /// An answer that broke off.
    pub(super) fn cut(service: Service, error: BodyError) -> Self {
        match error {
            BodyError::Broken(error) => Self::unanswered(service, error),
            BodyError::TooLong { .. } => Self::Garbage { service, excerpt: error.to_string() },
        }
    }

    /// An answer without what was asked for.
    pub(super) fn misses(service: Service, what: &str) -> Self {
        Self::Garbage { service, excerpt: format!("an answer without {what}") }
    }
}

impl Fault for IronicError {
    fn kind(&self) -> FaultKind {
        match self {
            Self::NotFound { .. } => FaultKind::NotFound,
            Self::Protected { .. }
            | Self::InvalidState { .. }
            | Self::InMaintenance { .. }
            | Self::Locked { .. }
            | Self::Associated { .. }
            | Self::Duplicate { .. }
            | Self::Conflict { .. } => FaultKind::Conflict,
            Self::BadUrl { .. } | Self::NoImage { .. } | Self::NotValid { .. } | Self::Refused { .. } => {
                FaultKind::Invalid
            }
            Self::Unauthenticated { .. } => FaultKind::Unauthenticated,
            Self::BadCa { .. }
            | Self::BadTls { .. }
            | Self::NoEndpoint { .. }
            | Self::TooOld { .. }
            | Self::Forbidden { .. } => FaultKind::NeedsPerson,
            Self::NoConductor { .. }
            | Self::Busy { .. }
            | Self::Unavailable { .. }
            | Self::Timeout { .. }
            | Self::Garbage { .. } => FaultKind::Unavailable,
        }
    }
}

/// Why Ironic did not do what it was asked: `status` is none of 2xx.
pub(super) fn refusal(status: u16, retry_after: Option<Duration>, body: &[u8]) -> IronicError {
    let said = errors_come_in_three_shapes(body).map(|words| bounded_to(&words, LONGEST));
    let service = Service::Ironic;
    if let (500, Some(error)) = (status, said.as_deref().and_then(of_the_image)) {
        return error;
    }
    if status >= 500 && status != 503 || status < 400 {
        return IronicError::Unavailable { service, status: Some(status), message: said, sent: true, source: None };
    }
    let message = said.unwrap_or_else(|| format!("HTTP {status}"));
    match status {
        401 => IronicError::Unauthenticated { service, message },
        429 | 503 => IronicError::Busy { service, retry_after, message },
        _ if no_conductor(&message) => IronicError::NoConductor { message },
        408 => IronicError::Timeout { service },
        _ if no_image(&message) => IronicError::NoImage { message },
        403 if is_protected(&message) => IronicError::Protected { message },
        403 => IronicError::Forbidden { message },
        409 => conflict(message),
        404 => IronicError::NotFound { message },
        _ if is_no_identity(&message) => IronicError::NotFound { message },
        _ if state_does_not_allow_it(&message) => IronicError::InvalidState { message },
        _ if is_in_maintenance(&message) => IronicError::InMaintenance { message },
        _ if is_not_valid(&message) => IronicError::NotValid { message },
        _ => IronicError::Refused { message },
    }
}

/// Why a driver that gives these `reasons` cannot work with what its node was given.
pub(super) fn unfit(reasons: &str) -> IronicError {
    let message = bounded_to(reasons, LONGEST);
    of_the_image(&message).unwrap_or(IronicError::NotValid { message })
}

/// What is wrong with the image, where the words speak of that.
fn of_the_image(words: &str) -> Option<IronicError> {
    let message = words.to_owned();
    if no_image(words) {
        return Some(IronicError::NoImage { message });
    }
    image_does_not_do(words).then_some(IronicError::NotValid { message })
}

fn conflict(message: String) -> IronicError {
    match locked_by(&message).map(str::to_owned) {
        Some(host) => IronicError::Locked { host: Some(host), message },
        None if family_is_locked(&message) => IronicError::Locked { host: None, message },
        None if is_taken(&message) => IronicError::Associated { message },
        None if is_duplicate(&message) => IronicError::Duplicate { message },
        None if node_is_moving(&message) => IronicError::InvalidState { message },
        None => IronicError::Conflict { message },
    }
}

struct InRegion<'a>(Option<&'a str>);

impl fmt::Display for InRegion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |region| write!(f, " in region {region}"))
    }
}

struct Because<'a>(Option<u16>, Option<&'a str>);

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self(Some(status), Some(words)) => write!(f, " (HTTP {status}): {words}"),
            Self(Some(status), None) => write!(f, " (HTTP {status})"),
            Self(None, _) => Ok(()),
        }
    }
}
