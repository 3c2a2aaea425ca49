//! What Time4VPS does that its interface description does not say, one named predicate each.
//!
//! Each has a recorded answer under `fixtures/` (its README says where it was seen) and a test in
//! `tests/it/time4vps/`. The password inside a task's results has a file of its own, `password.rs`.

use std::{net::IpAddr, time::Duration};

use serde_json::{Map, Value};

/// The wait when the provider says "too often" without a number.
const WAIT_UNSAID: Duration = Duration::from_secs(30);
/// The longest wait that is believed.
const WAIT_MOST: Duration = Duration::from_hours(1);
/// The most words of one error list that are kept.
const WORDS_MOST: usize = 16;

/// The words of an error list, nested lists and their numbers included, in order. Errors come as `{"error":[…]}` with
/// any HTTP status, 200 among them; an empty list is no error.
pub fn errors_come_with_any_status(answer: &Value) -> Option<Vec<String>> {
    let mut words = Vec::new();
    gather(answer.as_object()?.get("error")?, &mut words, 0);
    (!words.is_empty()).then_some(words)
}

/// **The rate limit is a 401**: `[["wait_x_between_action",24],"unauthorized"]` asks for 24 s of patience, and only
/// this word tells it from a lost login. The wait is at least one second and at most an hour.
pub fn rate_limit_is_an_error_word(words: &[String]) -> Option<Duration> {
    let at = words.iter().position(|word| word == "wait_x_between_action")?;
    let said = words.get(at + 1).and_then(|word| word.parse().ok()).map(Duration::from_secs);
    Some(said.unwrap_or(WAIT_UNSAID).clamp(Duration::from_secs(1), WAIT_MOST))
}

/// The login is right, but comes from an address that the account's allow-list lacks.
pub fn address_is_not_on_their_list(words: &[String]) -> bool {
    words.iter().any(|word| word == "ipnotallowed")
}

/// The account's name or password is wrong.
pub fn login_is_wrong(words: &[String]) -> bool {
    words.iter().any(|word| word == "wronglogin")
}

/// One action at a time for a server: a second one is refused while `active_task` is set. The exact words were never
/// recorded, so every way of saying it counts.
pub fn one_action_at_a_time(words: &[String]) -> bool {
    const SAYINGS: [&str; 6] =
        ["active task", "active_task", "another task", "in progress", "is busy", "unfinished task"];
    words.iter().any(|word| SAYINGS.iter().any(|saying| word.to_lowercase().contains(saying)))
}

/// A server or task that does not exist is told in words (`Invalid task ID`), not always by a 404.
pub fn unknown_ids_are_told_in_words(words: &[String]) -> bool {
    const SAYINGS: [&str; 6] =
        ["invalid task id", "invalid server id", "invalid service id", "not found", "does not exist", "invalid_id"];
    words.iter().any(|word| SAYINGS.iter().any(|saying| word.to_lowercase().contains(saying)))
}

/// A whole number, which may come in quotes or as `24.0`.
pub fn number_may_be_in_quotes(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A text that may be missing, null, false or blank (each means "none"), or a number without quotes.
pub fn text_may_be_missing(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A date that is not set comes as `""`, null, or a date of zeros.
pub fn date_may_be_zeros(value: Option<&Value>) -> Option<String> {
    text_may_be_missing(value).filter(|text| text.chars().any(|c| ('1'..='9').contains(&c)))
}

/// An address, or none when the field is missing or is no address.
pub fn address_may_be_missing(value: Option<&Value>) -> Option<IpAddr> {
    text_may_be_missing(value)?.parse().ok()
}

/// A list of things, which may come as a list, as a map keyed by position or id, as the one thing itself (so the
/// interface description shows `GET /server`), or as null, `""` or false for an empty list. `marks` are the fields by
/// which the one thing is known. Each thing comes with the key that it had in a map.
pub fn list_may_be_a_map<'a>(value: &'a Value, marks: &[&str]) -> Vec<(Option<&'a str>, &'a Value)> {
    match value {
        Value::Array(items) => items.iter().map(|item| (None, item)).collect(),
        Value::Object(map) if marks.iter().any(|mark| map.contains_key(*mark)) => vec![(None, value)],
        Value::Object(map) => map.iter().map(|(key, item)| (Some(key.as_str()), item)).collect(),
        _ => Vec::new(),
    }
}

/// Addresses in a list, in a map, or in one text with commas.
pub fn addresses_may_be_one_text(value: Option<&Value>) -> Vec<IpAddr> {
    match value {
        Some(Value::String(text)) => text.split([',', ' ']).filter_map(|part| part.trim().parse().ok()).collect(),
        Some(list) => {
            list_may_be_a_map(list, &[]).iter().filter_map(|(_, item)| address_may_be_missing(Some(item))).collect()
        }
        None => Vec::new(),
    }
}

/// The identity of a server is `server_id` in the list of the interface description and `id` where a production
/// client saw it.
pub fn identity_has_two_names(fields: &Map<String, Value>) -> Option<i64> {
    number_may_be_in_quotes(fields.get("server_id")).or_else(|| number_may_be_in_quotes(fields.get("id")))
}

fn gather(value: &Value, words: &mut Vec<String>, depth: usize) {
    if words.len() >= WORDS_MOST || depth > 4 {
        return;
    }
    match value {
        Value::String(text) if !text.trim().is_empty() => words.push(text.trim().to_owned()),
        Value::Number(number) => words.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| gather(item, words, depth + 1)),
        Value::Object(map) => map.values().for_each(|item| gather(item, words, depth + 1)),
        Value::Bool(true) => words.push("error".to_owned()),
        _ => {}
    }
}

#[allow(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
}
