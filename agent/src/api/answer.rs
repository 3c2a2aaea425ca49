//! An operation's answer as a response.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use rackhand_core::{
    ids::ApprovalId,
    ops::{Answer, Awaiting, Method, tag},
};
use serde_json::Value;

use super::routes::{Offer, PREFIXES};

/// The response to what was asked.
pub(super) fn response(offer: &Offer, answer: Answer<Value>, headers: &HeaderMap) -> Response {
    match answer {
        Answer::AwaitingApproval(id) => awaiting(id),
        Answer::Done(value) => done(offer, &value, headers),
    }
}

fn awaiting(approval_id: ApprovalId) -> Response {
    let place = format!("{}/approvals/{approval_id}", PREFIXES[0]);
    (StatusCode::ACCEPTED, [(header::LOCATION, place)], axum::Json(Awaiting::of(approval_id))).into_response()
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
