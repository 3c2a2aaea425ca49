//! An operation's answer as a response.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rackhand_core::{
    ids::ApprovalId,
    ops::{Answer, Method},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::routes::{Offer, PREFIXES};

/// It waits for a person.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Awaiting {
    /// `awaiting_approval`.
    status: &'static str,
    /// Which approval: GET /approvals/{approval} tells what became of it.
    approval_id: ApprovalId,
    /// For people.
    message: &'static str,
    /// Who can answer it, and where.
    approve_with: &'static str,
}

/// The response to what was asked.
pub(super) fn response(offer: &Offer, answer: Answer<Value>, headers: &HeaderMap) -> Response {
    match answer {
        Answer::AwaitingApproval(id) => awaiting(id),
        Answer::Done(value) => done(offer, &value, headers),
    }
}

fn awaiting(approval_id: ApprovalId) -> Response {
    let body = Awaiting {
        status: "awaiting_approval",
        approval_id,
        message: "nothing has been done: a person has to approve exactly this first",
        approve_with: "an admin presses Approve under the bot's message in the chat; no program can",
    };
    let place = format!("{}/approvals/{approval_id}", PREFIXES[0]);
    (StatusCode::ACCEPTED, [(header::LOCATION, place)], axum::Json(body)).into_response()
}

fn done(offer: &Offer, value: &Value, headers: &HeaderMap) -> Response {
    let status = StatusCode::from_u16(offer.rest.status).unwrap_or(StatusCode::OK);
    let text = value.to_string();
    if offer.rest.method != Method::Get {
        return (status, [(header::CONTENT_TYPE, "application/json")], text).into_response();
    }
    let etag = etag(&text);
    let caching =
        [(header::ETAG, etag.clone()), (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))];
    if names(headers, header::IF_NONE_MATCH, &etag) {
        return (StatusCode::NOT_MODIFIED, caching, Body::empty()).into_response();
    }
    (status, caching, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

fn etag(text: &str) -> HeaderValue {
    let digest = Sha256::digest(text.as_bytes());
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::try_from(format!("\"{hex}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether a header of conditions names this tag; a weak tag is as good here.
fn names(headers: &HeaderMap, header: header::HeaderName, etag: &HeaderValue) -> bool {
    let texts = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    let etag = etag.to_str().unwrap_or_default();
    texts.flat_map(|text| text.split(',')).map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}
