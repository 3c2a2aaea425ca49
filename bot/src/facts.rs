//! Any operation's answer as facts that people can read: what it is called, and what it is, cleaned of whatever could
//! mislead an eye or a terminal.

use rackhand_core::units::Timestamp;
use serde_json::Value;

use crate::texts::clean;

/// Fields by which a thing is known: they come first.
const FIRST: [&str; 5] = ["handle", "name", "id", "job", "status"];
/// Milliseconds since 1970 that no plain number of ours comes near: 2001 to 2286.
const MOMENTS: std::ops::Range<i64> = 1_000_000_000_000..10_000_000_000_000;

/// A fact: the path of its field, such as `server.status`, and its text.
pub type Fact = (String, String);

/// All facts of an answer, those first by which a thing is known; what is empty is left out.
pub fn facts(value: &Value) -> Vec<Fact> {
    let mut all = Vec::new();
    collect("", value, &mut all);
    all
}

/// The text of a value without depth; none for nothing and for what is deeper. `name` is its field's.
pub fn text(name: &str, value: &Value) -> Option<String> {
    let words = match value {
        Value::Null | Value::Object(_) => return None,
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => match number.as_i64().filter(|ms| is_moment(name) && MOMENTS.contains(ms)) {
            Some(ms) => Timestamp(ms).to_string(),
            None => number.to_string(),
        },
        Value::String(text) => clean(text),
        Value::Array(items) => joined(name, items)?,
    };
    Some(words).filter(|words| !words.is_empty())
}

/// The fields of an object, those first by which a thing is known.
pub fn in_order(value: &Value) -> Vec<(&String, &Value)> {
    let mut fields: Vec<_> = value.as_object().into_iter().flatten().collect();
    fields.sort_by_key(|(name, _)| FIRST.iter().position(|first| first == name).unwrap_or(FIRST.len()));
    fields
}

fn collect(path: &str, value: &Value, all: &mut Vec<Fact>) {
    let name = path.rsplit('.').next().unwrap_or_default();
    if let Some(words) = text(name, value) {
        all.push((clean(path), words));
        return;
    }
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(_) => in_order(value).into_iter().for_each(|(name, value)| collect(&below(name), value, all)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| collect(&below(&at.to_string()), item, all));
        }
        _ => {}
    }
}

/// `a, b` for a list of words, and `ready 3, error 1` for a list of short ones; none for a list of things.
fn joined(name: &str, items: &[Value]) -> Option<String> {
    let part = |item: &Value| match item {
        Value::Array(inner) => {
            let words: Option<Vec<String>> = inner.iter().map(|value| text(name, value)).collect();
            words.map(|words| words.join(" "))
        }
        other => text(name, other),
    };
    let parts: Option<Vec<String>> = items.iter().map(part).collect();
    parts.map(|parts| parts.join(", "))
}

fn is_moment(name: &str) -> bool {
    name == "at" || ["_at", "since", "_seen", "_until"].iter().any(|end| name.ends_with(end))
}
