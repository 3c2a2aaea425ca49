//! Whatever goes wrong, as RFC 9457 has it: `application/problem+json`.

use std::time::Duration;

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rackhand_core::{
    fault::{Fault, FaultKind},
    ops::OpError,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// When to come again where nobody knows better.
const LATER: Duration = Duration::from_secs(5);

/// Why a request was not done.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The status that it is answered with.
    pub status: StatusCode,
    /// What programs tell it by.
    pub code: String,
    /// What people read.
    pub detail: String,
    /// Which parts of the request are wrong.
    pub errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// One part of a request that is wrong.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FieldError {
    /// Where it is, such as `labels[2]`; `.` for the whole.
    pub path: String,
    /// What kind of mistake it is.
    pub code: String,
    /// What is wrong with it, and what was expected.
    pub message: String,
}

/// A problem as it is sent.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(super) struct Body<'a> {
    /// A name of this kind of problem.
    r#type: String,
    /// The status in words.
    title: &'a str,
    /// The status.
    status: u16,
    /// What is wrong, for people.
    detail: &'a str,
    /// The path that was asked for.
    instance: &'a str,
    /// What programs tell it by.
    code: &'a str,
    /// The request's id: the log has it too.
    request_id: &'a str,
    /// Which parts of the request are wrong.
    errors: &'a [FieldError],
}

impl Problem {
    /// A problem with this status and code.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), detail: detail.into(), errors: Vec::new(), headers: Vec::new() }
    }

    /// The request is wrong at `path`.
    pub fn bad(path: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        let (path, message) = (path.into(), message.into());
        let detail = if path == "." { message.clone() } else { format!("{path}: {message}") };
        let errors = vec![FieldError { path, code: code.to_owned(), message }];
        Self { errors, ..Self::new(StatusCode::BAD_REQUEST, "bad-input", detail) }
    }

    /// Nobody knows who asks.
    pub fn unknown_caller(detail: &str) -> Self {
        let realm = HeaderValue::from_static("Bearer realm=\"rackhand\"");
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail).with(header::WWW_AUTHENTICATE, realm)
    }

    /// There is nothing at this path.
    pub fn no_route() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no-such-path",
            "there is nothing at this path: /openapi.json lists what there is",
        )
    }

    /// There is something at this path, and it does not know this method.
    pub fn wrong_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "this path does not know this method: see `Allow`")
    }

    /// Later it may work: not before `wait` is over.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.with(header::RETRY_AFTER, seconds.max(1).into())
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same for a door that has no statuses of HTTP, of what was asked for as `instance` in the request with this id.
    pub fn to_value(&self, instance: &str, request_id: &str) -> Value {
        json!(self.body(instance, request_id))
    }

    fn body<'a>(&'a self, instance: &'a str, request_id: &'a str) -> Body<'a> {
        Body {
            r#type: format!("urn:rackhand:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Problem"),
            status: self.status.as_u16(),
            detail: &self.detail,
            instance,
            code: &self.code,
            request_id,
            errors: &self.errors,
        }
    }

    /// The response itself, for the request at `instance` with this id.
    pub(super) fn render(&self, instance: &str, request_id: &str) -> Response {
        let text = serde_json::to_string(&self.body(instance, request_id)).unwrap_or_default();
        let mut response = (self.status, [(header::CONTENT_TYPE, "application/problem+json")], text).into_response();
        response.headers_mut().extend(self.headers.iter().cloned());
        response
    }
}

/// Carries the problem to `frame`, which knows the request's path and id.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<OpError> for Problem {
    fn from(error: OpError) -> Self {
        let (status, code) = (status_of(&error), error.reason().code);
        let problem = match &error {
            OpError::BadInput { path, message } => {
                Self { status, ..Self::bad(path.clone(), "bad-input", message.clone()) }
            }
            // What is ours to mend is told in the log; its causes are nobody else's business.
            _ if status == StatusCode::INTERNAL_SERVER_ERROR => {
                Self::new(status, &code, "an error of Rackhand's own: its log tells more under this request_id")
            }
            _ => Self { errors: of_field(&error, &code), ..Self::new(status, &code, error.to_string()) },
        };
        let later = status == StatusCode::SERVICE_UNAVAILABLE || error.kind().is_transient();
        match error.retry_after().or_else(|| later.then_some(LATER)) {
            Some(wait) => problem.retry_after(wait),
            None => problem,
        }
    }
}

/// What is wrong with a field that the input may well have, but the world has nothing for.
fn of_field(error: &OpError, code: &str) -> Vec<FieldError> {
    let field = error.field().into_iter();
    field.map(|(path, message)| FieldError { path: path.to_owned(), code: code.to_owned(), message }).collect()
}

/// The one place where an error becomes a status.
pub(super) fn status_of(error: &OpError) -> StatusCode {
    match (error, error.kind()) {
        (OpError::NotAsSeen, _) => StatusCode::PRECONDITION_FAILED,
        (OpError::TooSlow, _) | (OpError::Store(_), FaultKind::Unavailable | FaultKind::Conflict) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        (_, FaultKind::Invalid) => StatusCode::BAD_REQUEST,
        (_, FaultKind::NotFound) => StatusCode::NOT_FOUND,
        (_, FaultKind::Conflict | FaultKind::NeedsPerson) => StatusCode::CONFLICT,
        (_, FaultKind::Forbidden) => StatusCode::FORBIDDEN,
        (_, FaultKind::RateLimited) => StatusCode::TOO_MANY_REQUESTS,
        // Our own credentials, at an outside system: the caller's were found good before.
        (_, FaultKind::Unavailable | FaultKind::Unauthenticated) => StatusCode::BAD_GATEWAY,
        (_, FaultKind::Bug) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
