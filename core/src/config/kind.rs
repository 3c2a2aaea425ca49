//! The kinds of value that a setting can have: how each is read from TOML or from the environment, and what it expects.

use std::{fmt::Display, marker::PhantomData, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use strum::VariantNames;
use toml::Value;

use super::{
    database::{self, DatabaseUrl},
    glob::Glob,
};
use crate::secret::Secret;

/// One kind of value.
pub(super) trait Kind {
    /// What it becomes.
    type Value;

    /// The words after "expected".
    fn expects(&self) -> String;

    /// The value, or what was found instead, in words that show no secret.
    fn parse(&self, value: &Value) -> Result<Self::Value, String>;

    /// A text of the environment as TOML would have it: a number is a number, and what is no TOML is text.
    fn env_value(&self, text: &str) -> Value {
        text.trim().parse().unwrap_or_else(|_| Value::String(text.to_owned()))
    }

    /// Whether it may also be kept in a file of its own, and is never shown.
    fn secret(&self) -> bool {
        false
    }

    /// Whether this value is one that others must not read.
    fn conceals(&self, _value: &Self::Value) -> bool {
        false
    }

    /// Whether `{data_dir}` in it stands for the data directory.
    fn expands(&self) -> bool {
        false
    }
}

/// What a value is, for a person; only for kinds that are no secret.
pub(super) fn describe(value: &Value) -> String {
    const LONGEST: usize = 80;
    match value {
        Value::Table(_) => "a table".to_owned(),
        Value::String(text) if text.chars().count() > LONGEST => {
            format!("{:?}…", text.chars().take(LONGEST).collect::<String>())
        }
        Value::String(text) => format!("{text:?}"),
        Value::Array(items) => format!("a list of {}", items.len()),
        plain => plain.to_string(),
    }
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| describe(value))
}

/// Any text but the empty one.
pub(super) struct Text;

impl Kind for Text {
    type Value = String;

    fn expects(&self) -> String {
        "text".to_owned()
    }

    fn parse(&self, value: &Value) -> Result<String, String> {
        match text(value)?.trim() {
            "" => Err("an empty text".to_owned()),
            trimmed => Ok(trimmed.to_owned()),
        }
    }

    fn env_value(&self, text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

/// The address of an HTTP service, kept without a slash at its end.
pub(super) struct HttpUrl;

impl Kind for HttpUrl {
    type Value = String;

    fn expects(&self) -> String {
        "an address that begins with http:// or https:// and holds no account".to_owned()
    }

    fn parse(&self, value: &Value) -> Result<String, String> {
        let url = text(value)?.trim();
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let host = rest.unwrap_or_default().split(['/', '?', '#']).next().unwrap_or_default();
        match host {
            _ if url.contains('@') => Err("an address with an account in it".to_owned()),
            "" => Err(describe(value)),
            _ if url.contains(char::is_whitespace) => Err(describe(value)),
            _ => Ok(url.trim_end_matches('/').to_owned()),
        }
    }

    fn env_value(&self, text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

/// An address to listen at.
pub(super) struct Address;

impl Kind for Address {
    type Value = SocketAddr;

    fn expects(&self) -> String {
        "an IP address with a port, such as 127.0.0.1:8080".to_owned()
    }

    fn parse(&self, value: &Value) -> Result<SocketAddr, String> {
        text(value)?.trim().parse().map_err(|_| describe(value))
    }

    fn env_value(&self, text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

/// A path of a file or directory.
pub(super) struct FilePath;

impl Kind for FilePath {
    type Value = PathBuf;

    fn expects(&self) -> String {
        "a path".to_owned()
    }

    fn parse(&self, value: &Value) -> Result<PathBuf, String> {
        Text.parse(value).map(PathBuf::from)
    }

    fn env_value(&self, text: &str) -> Value {
        Value::String(text.to_owned())
    }

    fn expands(&self) -> bool {
        true
    }
}

/// A password, token or key.
pub(super) struct SecretText;

impl Kind for SecretText {
    type Value = Secret;

    fn expects(&self) -> String {
        "a secret text on one line".to_owned()
    }

    fn parse(&self, value: &Value) -> Result<Secret, String> {
        match value.as_str() {
            Some("") => Err("an empty text".to_owned()),
            Some(text) if text.contains(['\n', '\r', '\0']) => Err("a text of several lines".to_owned()),
            Some(text) => Ok(Secret::new(text)),
            None => Err(format!("a value of type {}", value.type_str())),
        }
    }

    fn env_value(&self, text: &str) -> Value {
        Value::String(text.to_owned())
    }

    fn secret(&self) -> bool {
        true
    }

    fn conceals(&self, _value: &Secret) -> bool {
        true
    }
}

/// The address of the database; a secret, since it may hold a password.
pub(super) struct Database;

impl Kind for Database {
    type Value = DatabaseUrl;

    fn expects(&self) -> String {
        database::EXPECTED.to_owned()
    }

    fn parse(&self, value: &Value) -> Result<DatabaseUrl, String> {
        match value.as_str() {
            Some(text) => text.trim().parse().map_err(str::to_owned),
            None => Err(format!("a value of type {}", value.type_str())),
        }
    }

    fn env_value(&self, text: &str) -> Value {
        Value::String(text.to_owned())
    }

    fn secret(&self) -> bool {
        true
    }

    fn conceals(&self, value: &DatabaseUrl) -> bool {
        matches!(value, DatabaseUrl::Postgres(_))
    }

    fn expands(&self) -> bool {
        true
    }
}

/// A whole number within bounds.
pub(super) struct Whole<T> {
    pub(super) min: T,
    pub(super) max: T,
}

impl<T: Copy + Display + PartialOrd + TryFrom<i64>> Kind for Whole<T> {
    type Value = T;

    fn expects(&self) -> String {
        format!("a whole number from {} to {}", self.min, self.max)
    }

    fn parse(&self, value: &Value) -> Result<T, String> {
        let number = value.as_integer().and_then(|number| T::try_from(number).ok());
        number.filter(|number| (self.min..=self.max).contains(number)).ok_or_else(|| describe(value))
    }
}

/// A span of time in seconds, with or without a fraction.
pub(super) struct Seconds {
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Kind for Seconds {
    type Value = Duration;

    fn expects(&self) -> String {
        format!("a number of seconds from {} to {}", self.min, self.max)
    }

    fn parse(&self, value: &Value) -> Result<Duration, String> {
        let whole = value.as_integer().and_then(|number| u32::try_from(number).ok()).map(f64::from);
        let number = whole.or(value.as_float()).filter(|number| (self.min..=self.max).contains(number));
        number.and_then(|number| Duration::try_from_secs_f64(number).ok()).ok_or_else(|| describe(value))
    }
}

/// A span of time in whole milliseconds.
pub(super) struct Millis {
    pub(super) min: u32,
    pub(super) max: u32,
}

impl Kind for Millis {
    type Value = Duration;

    fn expects(&self) -> String {
        format!("a whole number of milliseconds from {} to {}", self.min, self.max)
    }

    fn parse(&self, value: &Value) -> Result<Duration, String> {
        let Self { min, max } = *self;
        Whole { min, max }.parse(value).map(|number| Duration::from_millis(number.into()))
    }
}

/// Yes or no.
pub(super) struct Flag;

impl Kind for Flag {
    type Value = bool;

    fn expects(&self) -> String {
        "true or false".to_owned()
    }

    fn parse(&self, value: &Value) -> Result<bool, String> {
        value.as_bool().ok_or_else(|| describe(value))
    }
}

/// One of the names of an enum.
pub(super) struct OneOf<T>(pub(super) PhantomData<T>);

impl<T: FromStr + VariantNames> Kind for OneOf<T> {
    type Value = T;

    fn expects(&self) -> String {
        T::VARIANTS.join(" or ")
    }

    fn parse(&self, value: &Value) -> Result<T, String> {
        text(value)?.parse().map_err(|_| describe(value))
    }

    fn env_value(&self, text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

/// Patterns for names; in the environment also as a plain list with commas.
pub(super) struct Globs;

impl Kind for Globs {
    type Value = Vec<Glob>;

    fn expects(&self) -> String {
        "a list of patterns such as [\"vps-*\"]".to_owned()
    }

    fn parse(&self, value: &Value) -> Result<Vec<Glob>, String> {
        let items = value.as_array().ok_or_else(|| describe(value))?;
        items
            .iter()
            .map(|item| Text.parse(item).map(Glob::new).map_err(|found| format!("{found} in the list")))
            .collect()
    }

    fn env_value(&self, text: &str) -> Value {
        let listed = text.trim().parse().ok().filter(Value::is_array);
        let split = || text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect();
        listed.unwrap_or_else(|| Value::Array(split()))
    }
}

/// A list of texts.
pub(super) struct Texts;

impl Kind for Texts {
    type Value = Vec<String>;

    fn expects(&self) -> String {
        "a list of texts such as [\"one\", \"two\"]".to_owned()
    }

    fn parse(&self, value: &Value) -> Result<Vec<String>, String> {
        let items = value.as_array().ok_or_else(|| describe(value))?;
        items.iter().map(|item| Text.parse(item).map_err(|found| format!("{found} in the list"))).collect()
    }

    fn env_value(&self, text: &str) -> Value {
        Globs.env_value(text)
    }
}

/// A value that may be left out; an empty text leaves it out too.
pub(super) struct Optional<K>(pub(super) K);

impl<K: Kind> Kind for Optional<K> {
    type Value = Option<K::Value>;

    fn expects(&self) -> String {
        format!("{}, or \"\" for none", self.0.expects())
    }

    fn parse(&self, value: &Value) -> Result<Option<K::Value>, String> {
        if value.as_str().is_some_and(|text| text.trim().is_empty()) {
            return Ok(None);
        }
        self.0.parse(value).map(Some)
    }

    fn env_value(&self, text: &str) -> Value {
        self.0.env_value(text)
    }

    fn secret(&self) -> bool {
        self.0.secret()
    }

    fn conceals(&self, value: &Option<K::Value>) -> bool {
        value.as_ref().is_some_and(|value| self.0.conceals(value))
    }

    fn expands(&self) -> bool {
        self.0.expands()
    }
}
