//! Another Rackhand, over its REST door: what `rackhand` speaks from a machine that has neither database nor keys.
//!
//! What it is: JSON below `/api/v1`, a bearer token, `application/problem+json` (RFC 9457) for whatever goes wrong, and
//! 202 with `"status": "awaiting_approval"` where a person has to agree first.
//!
//! Its limits: 600 requests a minute for a token unless it is configured otherwise; it answers within 30 s. A request
//! that changes something carries an `Idempotency-Key`, so that one whose answer was lost can be sent again without harm.

mod events;

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Url, header};
use serde::Deserialize;
use serde_json::Value;

pub use events::{Events, Told};

use crate::{
    clients::http::{self, BODY_LIMIT, Limits},
    fault::{Fault, FaultKind},
    ids::ApprovalId,
    secret::Secret,
};

/// A little longer than Rackhand itself takes at most.
const PATIENCE: Limits = Limits { connect: Duration::from_secs(5), request: Duration::from_secs(35) };
/// Below this everything is.
const PREFIX: &str = "/api/v1";
/// Its code for a request that it goes on with, and can no longer keep the caller waiting for.
const TOO_SLOW: &str = "too-slow";
/// The longest text of another's error that is repeated, in characters.
const LONGEST_DETAIL: usize = 600;

/// Why another Rackhand did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum RackhandError {
    /// The address is none.
    #[error("the address of Rackhand must be http://HOST or https://HOST, without a name, a password or a query")]
    BadUrl,
    /// No thing has such a name, and a path with it would lead elsewhere.
    #[error("there is nothing with the name {0:?}")]
    NoName(String),
    /// It says why.
    #[error("{detail}")]
    Problem {
        /// The status of HTTP.
        status: u16,
        /// What programs tell it by.
        code: String,
        /// What people read: its detail, and what it says of single fields.
        detail: String,
    },
    /// It cannot be reached, or did not answer in time.
    #[error("Rackhand does not answer: is it there, and does it serve REST (api.listen)?")]
    Away(#[source] reqwest::Error),
    /// Somebody took the connection, and says nothing.
    #[error("Rackhand took the connection and does not answer")]
    Silent,
    /// The answer broke off or has no end.
    #[error("the answer cannot be read")]
    Cut(#[source] http::BodyError),
    /// Somebody answers, and it is no Rackhand.
    #[error("what answers there with status {status} does not speak as Rackhand does")]
    Stranger {
        /// The status of HTTP.
        status: u16,
    },
}

impl Fault for RackhandError {
    fn kind(&self) -> FaultKind {
        match self {
            Self::NoName(_) => FaultKind::NotFound,
            Self::Problem { status, .. } => kind_of(*status),
            Self::Away(_) | Self::Silent | Self::Cut(_) | Self::Stranger { status: 500.. } => FaultKind::Unavailable,
            Self::BadUrl | Self::Stranger { .. } => FaultKind::Invalid,
        }
    }
}

impl RackhandError {
    /// Whether the request may have been done although nothing was heard of that: with the same key it can be sent again.
    pub fn answer_lost(&self) -> bool {
        match self {
            Self::Away(error) => !http::never_sent(error),
            // What stands before it gave up waiting.
            Self::Cut(_) | Self::Stranger { status: 502..=504 } => true,
            Self::Problem { code, .. } => code == TOO_SLOW,
            _ => false,
        }
    }

    /// Whether it was waited for as long as is worth waiting.
    pub fn is_slow(&self) -> bool {
        match self {
            Self::Away(error) => error.is_timeout(),
            Self::Problem { code, .. } => code == TOO_SLOW,
            _ => false,
        }
    }
}

/// A request: where, and what goes along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, `PATCH` or `DELETE`.
    pub method: &'static str,
    /// The parts of the path below `/api/v1`, not yet encoded.
    pub path: Vec<String>,
    /// The query.
    pub query: Vec<(String, String)>,
    /// The body; none for GET and DELETE.
    pub body: Option<Value>,
}

/// A good answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It was done.
    Done(Value),
    /// It waits for a person's yes.
    AwaitingApproval(ApprovalId),
}

/// Another Rackhand. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Rackhand {
    http: Client,
    base: Url,
    token: Option<Secret>,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    errors: Vec<FieldError>,
}

#[derive(Deserialize)]
struct FieldError {
    message: String,
}

impl Problem {
    /// What people read, and behind it what is said of single fields, where that is more.
    fn words(&self) -> String {
        self.errors.iter().fold(self.detail.clone(), |said, FieldError { message }| {
            if said.contains(message) { said } else { format!("{said}: {message}") }
        })
    }
}

#[derive(Deserialize)]
struct Awaiting {
    status: String,
    approval_id: ApprovalId,
}

impl Rackhand {
    /// The Rackhand at `url`, such as `https://rackhand.example`, for whoever has `token`. Asks nothing yet.
    pub fn new(url: &str, token: Option<Secret>) -> Result<Self, RackhandError> {
        let base = Url::parse(url.trim()).map_err(|_| RackhandError::BadUrl)?;
        let fit = matches!(base.scheme(), "http" | "https") && base.username().is_empty() && base.password().is_none();
        if !fit || base.query().is_some() || base.fragment().is_some() {
            return Err(RackhandError::BadUrl);
        }
        Ok(Self { http: http::client(PATIENCE).map_err(RackhandError::Away)?, base, token })
    }

    /// Whether the token would travel readable for everybody on the way.
    pub fn is_open_to_all(&self) -> bool {
        let host = self.base.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let here = host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        self.token.is_some() && self.base.scheme() == "http" && !here
    }

    /// Asks. `key` makes the request one, however often it is sent.
    pub async fn ask(&self, request: &Request, key: &str) -> Result<Answered, RackhandError> {
        let response = self.prepared(request, key)?.send().await;
        let response = response.map_err(|error| RackhandError::Away(error.without_url()))?;
        let status = response.status().as_u16();
        let body = http::body(response, BODY_LIMIT).await.map_err(RackhandError::Cut)?;
        judge(status, &body)
    }

    fn prepared(&self, request: &Request, key: &str) -> Result<RequestBuilder, RackhandError> {
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| RackhandError::BadUrl)?;
        // In a path these are no names, but ways up.
        if let Some(part) = request.path.iter().find(|part| ["", ".", ".."].contains(&part.as_str())) {
            return Err(RackhandError::NoName(part.clone()));
        }
        let mut url = self.base.clone();
        let prefix = PREFIX.split('/').filter(|part| !part.is_empty());
        let mut parts = url.path_segments_mut().map_err(|()| RackhandError::BadUrl)?;
        parts.pop_if_empty().extend(prefix).extend(&request.path);
        drop(parts);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let mut builder = self.http.request(method, url).header(header::ACCEPT, "application/json");
        if let Some(token) = &self.token {
            builder = builder.bearer_auth(token.expose());
        }
        if let Some(body) = &request.body {
            builder = builder.json(body);
        }
        Ok(if request.method == "GET" { builder } else { builder.header("Idempotency-Key", key) })
    }
}

fn judge(status: u16, body: &[u8]) -> Result<Answered, RackhandError> {
    if !(200..300).contains(&status) {
        let problem: Problem = serde_json::from_slice(body).map_err(|_| RackhandError::Stranger { status })?;
        let detail = problem.words().chars().take(LONGEST_DETAIL).collect();
        return Err(RackhandError::Problem { status, code: problem.code, detail });
    }
    if let Some(awaiting) = serde_json::from_slice::<Awaiting>(body).ok().filter(|it| it.status == "awaiting_approval")
    {
        return Ok(Answered::AwaitingApproval(awaiting.approval_id));
    }
    if body.is_empty() {
        return Ok(Answered::Done(Value::Null));
    }
    serde_json::from_slice(body).map(Answered::Done).map_err(|_| RackhandError::Stranger { status })
}

fn kind_of(status: u16) -> FaultKind {
    match status {
        401 => FaultKind::Unauthenticated,
        403 => FaultKind::Forbidden,
        404 | 405 => FaultKind::NotFound,
        409 | 412 | 428 => FaultKind::Conflict,
        429 => FaultKind::RateLimited,
        400..500 => FaultKind::Invalid,
        502..=504 => FaultKind::Unavailable,
        _ => FaultKind::Bug,
    }
}
