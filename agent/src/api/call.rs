//! One request to the table.

use axum::{
    extract::{FromRequestParts, RawPathParams, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use rackhand_core::ops::Unchanged;
use serde_json::Map;

use super::{Api, Caller, Patience, Problem, answer, input, routes::Route};

/// The header that makes a repetition harmless.
pub(super) const KEY: &str = "idempotency-key";
/// The longest key.
pub(crate) const LONGEST_KEY: usize = 255;

/// Reads the request, calls its operation, words the answer.
pub(super) async fn call(api: &Api, caller: &Caller, route: &Route, request: Request) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    accepts_json(&parts.headers)?;
    let params = RawPathParams::from_request_parts(&mut parts, &()).await;
    let params = params.map_err(|error| Problem::bad("path", "bad-path", error.to_string()))?;
    let params: Vec<(&str, &str)> = params.iter().collect();
    let patience = parts.extensions.get::<Patience>().copied().unwrap_or_default();
    let given = if route.has_body() { input::body(&parts.headers, body, patience.body).await? } else { Map::new() };
    let (offer, given) = route.choose(given)?;
    let input = input::assemble(offer, &params, parts.uri.query().unwrap_or_default(), given)?;
    let key = key_of(&parts.headers)?;
    let unchanged = unchanged(route, &params, &parts.headers)?;
    let answer = api.ops.call_if(&caller.0, offer.entry.spec.name, &input, key, unchanged).await?;
    Ok(answer::response(offer, answer, &parts.headers))
}

/// What `If-Match` asks for: that what GET shows at the same path is what the caller saw.
fn unchanged(route: &Route, path: &[(&str, &str)], headers: &HeaderMap) -> Result<Option<Unchanged>, Problem> {
    let Some(reading) = route.reading else { return Ok(None) };
    let tags: Vec<&str> = answer::tags(headers, header::IF_MATCH).collect();
    if !headers.contains_key(header::IF_MATCH) || tags.contains(&"*") {
        return Ok(None);
    }
    // Only strong tags are ever given out: a weak one is none of them, and neither is what cannot be read.
    let tags = tags.iter().filter_map(|tag| tag.strip_prefix('"')?.strip_suffix('"').map(str::to_owned)).collect();
    let input = input::assemble(&reading, path, "", Map::new())?;
    Ok(Some(Unchanged { reading: reading.entry.spec.name, input, tags }))
}

fn key_of(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut keys = headers.get_all(KEY).iter();
    let bad = || Problem::bad("Idempotency-Key", "bad-key", "one key of 1 to 255 visible ASCII characters is expected");
    match (keys.next(), keys.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(bad()),
        (Some(key), None) => key.to_str().ok().filter(|key| is_key(key)).map(Some).ok_or_else(bad),
    }
}

/// Whether a text may be the key of a request.
pub(crate) fn is_key(text: &str) -> bool {
    (1..=LONGEST_KEY).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic())
}

/// JSON is all that there is.
fn accepts_json(headers: &HeaderMap) -> Result<(), Problem> {
    let fits = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let wanted = ["*/*", "application/*", "application/json"].iter().any(|one| kind.eq_ignore_ascii_case(one));
        wanted && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    };
    let ranges = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.split(',').any(fits));
    let mut given = headers.get_all(header::ACCEPT).iter().peekable();
    if given.peek().is_none() || given.any(ranges) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::NOT_ACCEPTABLE,
        "not-acceptable",
        "answers are application/json: `Accept` must allow it",
    ))
}
