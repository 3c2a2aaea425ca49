//! Why a call to Time4VPS failed, and what that says about the effect.

use std::{fmt, time::Duration};

use serde_json::Value;

use super::{
    excerpt,
    oddities::{
        address_is_not_on_their_list, errors_come_with_any_status, login_is_wrong, one_action_at_a_time,
        rate_limit_is_an_error_word, unknown_ids_are_told_in_words,
    },
};
use crate::{
    clients::http::{self, BodyError},
    fault::{Fault, FaultKind},
    secret::Secret,
};

/// The wait after a 429, which the provider was never seen to send.
const WAIT_429: Duration = Duration::from_secs(30);

/// Why a call to Time4VPS failed. No text in it holds a password.
#[derive(Debug, thiserror::Error)]
pub enum Time4vpsError {
    /// The configured address is not an http(s) URL, or holds a login.
    #[error("time4vps.base_url must be an http or https URL without a login in it")]
    BadBaseUrl,
    /// The account asks too often. Nothing was done.
    #[error("Time4VPS asks to wait {} s before the next call", wait.as_millis().div_ceil(1000))]
    RateLimited {
        /// How long to wait.
        wait: Duration,
    },
    /// Our address is not on the account's list. Nothing was done.
    #[error("Time4VPS does not allow this machine's address")]
    AddressNotAllowed,
    /// The account's name or password is wrong. Nothing was done.
    #[error("Time4VPS refused the account's name or password")]
    WrongLogin,
    /// The provider knows no such server or task. Nothing was done.
    #[error("Time4VPS knows no such server or task")]
    NotFound,
    /// The server is busy with another action. Nothing was done.
    #[error("the server is busy at Time4VPS: {task}")]
    Busy {
        /// What the provider said of the action that is under way, bounded.
        task: String,
    },
    /// The provider said no, in its own words. Nothing was done.
    #[error("Time4VPS refused: {message}")]
    Refused {
        /// The provider's list of errors, bounded.
        message: String,
    },
    /// The provider cannot be reached, or broke down.
    #[error("Time4VPS is unavailable{}", Status(*status))]
    Unavailable {
        /// The HTTP status, when there was an answer.
        status: Option<u16>,
        /// Whether the request may have arrived.
        sent: bool,
        /// What the network said.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// No answer within the deadline.
    #[error("Time4VPS did not answer in time")]
    Timeout,
    /// An answer that makes no sense.
    #[error("Time4VPS answered nonsense: {excerpt}")]
    Garbage {
        /// A harmless piece of it, at most 200 characters.
        excerpt: String,
    },
}

impl Time4vpsError {
    /// Whether an action that failed so may have taken effect all the same: the caller must look before it acts again.
    /// False means: certainly not done.
    pub fn effect_unknown(&self) -> bool {
        match self {
            Self::Unavailable { sent, .. } => *sent,
            Self::Timeout | Self::Garbage { .. } => true,
            Self::BadBaseUrl
            | Self::RateLimited { .. }
            | Self::AddressNotAllowed
            | Self::WrongLogin
            | Self::NotFound
            | Self::Busy { .. }
            | Self::Refused { .. } => false,
        }
    }

    /// What an admin can do about it, where only an admin can.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::AddressNotAllowed => Some(
                "Add this machine's public address to the allowed addresses of API access in the Time4VPS client area.",
            ),
            Self::WrongLogin => Some(
                "Check TIME4VPS_USERNAME (the e-mail address of the client area) and TIME4VPS_PASSWORD, and whether the \
                 account's password was changed.",
            ),
            Self::BadBaseUrl => Some("Set time4vps.base_url, such as https://billing.time4vps.com/api."),
            _ => None,
        }
    }

    /// This error with every text of it free of `secret`.
    #[must_use]
    pub(super) fn without(self, secret: &Secret) -> Self {
        match self {
            Self::Busy { task } => Self::Busy { task: secret.redact(&task) },
            Self::Refused { message } => Self::Refused { message: secret.redact(&message) },
            Self::Garbage { excerpt } => Self::Garbage { excerpt: secret.redact(&excerpt) },
            other => other,
        }
    }

    /// A request that got no answer.
    pub(super) fn unanswered(error: reqwest::Error) -> Self {
        if http::never_sent(&error) {
            Self::Unavailable { status: None, sent: false, source: Some(error.without_url()) }
        } else if error.is_timeout() {
            Self::Timeout
        } else {
            Self::Unavailable { status: None, sent: true, source: Some(error.without_url()) }
        }
    }

    /// An answer that broke off.
    pub(super) fn cut(error: BodyError) -> Self {
        match error {
            BodyError::Broken(error) => Self::unanswered(error),
            BodyError::TooLong { .. } => Self::Garbage { excerpt: error.to_string() },
        }
    }

    /// An answer without what was asked for.
    pub(super) fn misses(what: &str) -> Self {
        Self::Garbage { excerpt: format!("an answer without {what}") }
    }
}

impl Fault for Time4vpsError {
    fn kind(&self) -> FaultKind {
        match self {
            Self::BadBaseUrl | Self::Refused { .. } => FaultKind::Invalid,
            Self::RateLimited { .. } => FaultKind::RateLimited,
            Self::AddressNotAllowed => FaultKind::NeedsPerson,
            Self::WrongLogin => FaultKind::Unauthenticated,
            Self::NotFound => FaultKind::NotFound,
            Self::Busy { .. } => FaultKind::Conflict,
            Self::Unavailable { .. } | Self::Timeout | Self::Garbage { .. } => FaultKind::Unavailable,
        }
    }
}

/// What an answer says: its JSON, or why it is none.
pub(super) fn judge(status: u16, body: &[u8]) -> Result<Value, Time4vpsError> {
    let answer = serde_json::from_slice::<Value>(body).ok();
    if let Some(words) = answer.as_ref().and_then(errors_come_with_any_status) {
        return Err(refusal(status, &words));
    }
    match (status, answer) {
        (200..=299, Some(answer)) => Ok(answer),
        (200..=399, _) => Err(Time4vpsError::Garbage { excerpt: excerpt::of_body(body) }),
        (401, _) => Err(Time4vpsError::WrongLogin),
        (404, _) => Err(Time4vpsError::NotFound),
        (408, _) => Err(Time4vpsError::Timeout),
        (429, _) => Err(Time4vpsError::RateLimited { wait: WAIT_429 }),
        (400..=499, _) => Err(Time4vpsError::Refused { message: format!("HTTP {status}") }),
        _ => Err(Time4vpsError::Unavailable { status: Some(status), sent: true, source: None }),
    }
}

fn refusal(status: u16, words: &[String]) -> Time4vpsError {
    let message = || excerpt::bounded(&excerpt::without_tags(&words.join(", ")));
    if let Some(wait) = rate_limit_is_an_error_word(words) {
        Time4vpsError::RateLimited { wait }
    } else if address_is_not_on_their_list(words) {
        Time4vpsError::AddressNotAllowed
    } else if login_is_wrong(words) {
        Time4vpsError::WrongLogin
    } else if status >= 500 {
        Time4vpsError::Unavailable { status: Some(status), sent: true, source: None }
    } else if status == 401 {
        Time4vpsError::WrongLogin
    } else if status == 404 || unknown_ids_are_told_in_words(words) {
        Time4vpsError::NotFound
    } else if one_action_at_a_time(words) {
        Time4vpsError::Busy { task: message() }
    } else {
        Time4vpsError::Refused { message: message() }
    }
}

/// " (HTTP 502)", or nothing.
struct Status(Option<u16>);

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |status| write!(f, " (HTTP {status})"))
    }
}
