//! An operation's input from a request: path, query, body.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use futures::StreamExt;
use rackhand_core::ops::{Choice, Method};
use serde_json::{Map, Value};

use super::{
    Problem, json,
    routes::{Offer, Route},
};

/// The longest body; bytes.
pub(crate) const LONGEST_BODY: usize = 2 << 20;
/// So much of a name that somebody made up is shown to them.
const LONGEST_NAME: usize = 64;
/// The most fields that a query may give; no operation takes as many.
const MOST_FIELDS: usize = 32;
/// So much more of a body that is too long is heard out, so that its sender reads the answer.
const HEARD_OUT: usize = 16 << 20;

impl Route {
    /// Whether its fields come in a body.
    pub(super) fn has_body(&self) -> bool {
        matches!(self.method, Method::Post | Method::Patch)
    }

    /// The operation that the body is for, and the body without what only says so.
    pub(super) fn choose(&self, mut body: Map<String, Value>) -> Result<(&Offer, Map<String, Value>), Problem> {
        let meant = self.offers.iter().find(|offer| match offer.rest.when {
            None => true,
            Some(Choice::Is(field, value)) => body.get(field).and_then(Value::as_str) == Some(value),
            Some(Choice::Has(field)) => body.contains_key(field),
        });
        let Some(offer) = meant else {
            let ways: Vec<String> = self.offers.iter().filter_map(|offer| offer.rest.when).map(way).collect();
            let expected = format!("one of these is expected: {}", ways.join(", "));
            return Err(Problem::bad(".", "unknown-choice", expected));
        };
        if let Some(Choice::Is(field, _)) = offer.rest.when {
            body.remove(field);
        }
        Ok((offer, body))
    }
}

fn way(choice: Choice) -> String {
    match choice {
        Choice::Is(field, value) => format!("{field} = {value:?}"),
        Choice::Has(field) => format!("{field} = …"),
    }
}

/// The JSON object in a body, which may take so long to arrive; an empty body is an empty object.
pub(super) async fn body(headers: &HeaderMap, body: Body, within: Duration) -> Result<Map<String, Value>, Problem> {
    let bytes = tokio::time::timeout(within, read(body)).await.map_err(|_| {
        let detail = "the body did not end in time: nothing was done";
        Problem::new(StatusCode::REQUEST_TIMEOUT, "slow-body", detail)
    })??;
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        let detail = "the body must be application/json, and `Content-Type` must say so";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail));
    }
    match json::strict(&bytes)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(Problem::bad(".", "not-an-object", "a JSON object is expected")),
    }
}

async fn read(body: Body) -> Result<Vec<u8>, Problem> {
    let (mut kept, mut heard) = (Vec::new(), 0_usize);
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Problem::bad(".", "cut-short", "the body ended before its end"))?;
        heard = heard.saturating_add(chunk.len());
        if heard <= LONGEST_BODY {
            kept.extend_from_slice(&chunk);
        } else if heard > HEARD_OUT {
            break;
        }
    }
    if heard <= LONGEST_BODY {
        return Ok(kept);
    }
    let detail = format!("the body is longer than {LONGEST_BODY} bytes");
    Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail))
}

/// The operation's input: fields of the path, then those of the body or the query.
pub(super) fn assemble(
    offer: &Offer,
    path: &[(&str, &str)],
    query: &str,
    body: Map<String, Value>,
) -> Result<Value, Problem> {
    let taken: Vec<&str> = path.iter().map(|(name, _)| *name).chain(offer.rest.says).collect();
    let known = Fields { schema: &offer.entry.input_json, taken };
    let mut input = body;
    for name in input.keys() {
        known.require(name)?;
    }
    for (name, text) in parse_query(query)? {
        if matches!(offer.rest.method, Method::Post | Method::Patch) {
            return Err(Problem::bad(shown(&name), "unknown-field", "fields come in the body here, not in the query"));
        }
        known.require(&name)?;
        let value = known.coerce(&name, text)?;
        input.insert(name, value);
    }
    if let Some(flag) = offer.rest.says {
        input.insert(flag.to_owned(), Value::Bool(true));
    }
    for (name, text) in path {
        input.insert((*name).to_owned(), known.coerce(name, (*text).to_owned())?);
    }
    Ok(Value::Object(input))
}

/// The fields that an operation takes, and those of them that the path gives already.
struct Fields<'a> {
    schema: &'a Value,
    taken: Vec<&'a str>,
}

impl Fields<'_> {
    fn require(&self, name: &str) -> Result<(), Problem> {
        if self.taken.contains(&name) {
            return Err(Problem::bad(name, "given-twice", "this field is given by the path"));
        }
        let known = self.schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        let known: Vec<&str> = known.filter(|name| !self.taken.contains(name)).collect();
        if known.contains(&name) {
            return Ok(());
        }
        let expected = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(Problem::bad(shown(name), "unknown-field", format!("there is no such field here; there are: {expected}")))
    }

    /// A text of a path or a query as the field's type has it.
    fn coerce(&self, name: &str, text: String) -> Result<Value, Problem> {
        let is = |wanted: &str| has_type(self.schema, &self.schema["properties"][name], wanted);
        if is("string") {
            Ok(Value::String(text))
        } else if is("integer") {
            let number =
                text.parse::<i64>().map_err(|_| Problem::bad(name, "bad-type", "a whole number is expected"))?;
            Ok(number.into())
        } else if is("boolean") {
            text.parse::<bool>()
                .map(Value::Bool)
                .map_err(|_| Problem::bad(name, "bad-type", "true or false is expected"))
        } else {
            Err(Problem::bad(name, "bad-type", "this field cannot be given here"))
        }
    }
}

/// A name that somebody made up, as it is shown to them.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}

/// Whether a field may be of this type, by itself, by reference or by choice.
fn has_type(root: &Value, field: &Value, wanted: &str) -> bool {
    let named = |value: &Value| value.as_str() == Some(wanted);
    let by_itself = named(&field["type"]) || field["type"].as_array().is_some_and(|types| types.iter().any(named));
    let referred = field["$ref"].as_str().and_then(|name| root.pointer(name.strip_prefix('#')?));
    let parts = ["anyOf", "oneOf"].iter().filter_map(|word| field[*word].as_array()).flatten();
    by_itself
        || referred.is_some_and(|inner| has_type(root, inner, wanted))
        || parts.into_iter().any(|inner| has_type(root, inner, wanted))
        || (wanted == "string" && field["const"].is_string())
}

/// Names and values of a query, each name once.
pub(super) fn parse_query(query: &str) -> Result<Vec<(String, String)>, Problem> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        if pairs.len() == MOST_FIELDS {
            return Err(Problem::bad("query", "too-many-fields", format!("at most {MOST_FIELDS} fields are expected")));
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        if pairs.iter().any(|(known, _)| *known == name) {
            return Err(Problem::bad(shown(&name), "given-twice", "this field is given more than once"));
        }
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// A part of a query as text: `+` is a space, `%41` a byte.
fn decode(text: &str) -> Result<String, Problem> {
    let bad = || Problem::bad("query", "bad-query", "the query is not percent-encoded UTF-8");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16)).ok_or_else(bad);
                u8::try_from(digit()? * 16 + digit()?).map_err(|_| bad())?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| bad())
}
