//! An operation's answer as a response.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use rackhand_core::{
    ids::ApprovalId,
    ops::{Answer, Method, tag},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::routes::{Offer, PREFIXES};

/// It waits for a person.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Awaiting {
    /// `awaiting_approval`.
    status: &'static str,
    /// Which approval: GET /approvals/{approval} tells what became of it.
    approval_id: ApprovalId,
    /// What to ask with how it goes, as after any other 202: GET /operations/{id} takes it, and so does the route that
    /// tells of what was asked for, such as that of unprovisioning.
    operation_id: ApprovalId,
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
        operation_id: approval_id,
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
    let tag = format!("\"{}\"", tag(&text));
    let caching = [(header::ETAG, tag.as_str()), (header::CACHE_CONTROL, "private, no-cache")];
    if tags(headers, header::IF_NONE_MATCH).any(|known| known == "*" || known.trim_start_matches("W/") == tag) {
        return (StatusCode::NOT_MODIFIED, caching, Body::empty()).into_response();
    }
    (status, caching, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// The tags that a header of conditions names.
pub(super) fn tags(headers: &HeaderMap, header: HeaderName) -> impl Iterator<Item = &str> {
    let texts = headers.get_all(header).into_iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(str::trim).filter(|tag| !tag.is_empty())
}
