//! The arguments of a call: a JSON object, or a form whose numbers are strings and whose nested values are JSON
//! strings; and the answers that refuse a call.

use std::collections::BTreeMap;

use axum::{
    body::Bytes,
    extract::{FromRequest, Multipart, Request},
    http::header::CONTENT_TYPE,
};
use serde_json::{Map, Value, json};

use super::html::{self, Parsed};
use super::keyboard::{self, Keyboard};

/// A file as it was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, as the sender gave it.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A call that the server turns down: `error_code`, `description` and `retry_after`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code, in the body and as the HTTP status.
    pub code: u16,
    /// What the server says.
    pub description: String,
    /// After how many seconds the caller may come again.
    pub retry_after: Option<u32>,
}

impl Refusal {
    /// 400 with "Bad Request: " before `what`.
    pub(super) fn bad(what: impl AsRef<str>) -> Self {
        Self { code: 400, description: format!("Bad Request: {}", what.as_ref()), retry_after: None }
    }

    pub(super) fn new(code: u16, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), retry_after: None }
    }

    /// 429, as the real server words it.
    pub(super) fn too_many(seconds: u32) -> Self {
        Self { code: 429, description: format!("Too Many Requests: retry after {seconds}"), retry_after: Some(seconds) }
    }

    pub(super) fn to_json(&self) -> Value {
        let mut body = json!({"ok": false, "error_code": self.code, "description": self.description});
        if let Some(seconds) = self.retry_after {
            body["parameters"] = json!({"retry_after": seconds});
        }
        body
    }
}

/// What a call brings with it.
#[derive(Clone, Debug, Default)]
pub(super) struct Args {
    pub(super) map: Map<String, Value>,
    pub(super) files: BTreeMap<String, File>,
}

impl Args {
    /// Reads the body of a request.
    pub(super) async fn read(request: Request) -> Result<Self, Refusal> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
        if kind.starts_with("multipart/form-data") {
            let form = Multipart::from_request(request, &()).await;
            return Self::of_form(form.map_err(|_| Refusal::bad("can't parse form"))?).await;
        }
        let body =
            Bytes::from_request(request, &()).await.map_err(|_| Refusal::new(413, "Request Entity Too Large"))?;
        if body.is_empty() {
            return Ok(Self::default());
        }
        if !kind.starts_with("application/json") {
            return Err(Refusal::bad("unsupported content type"));
        }
        match serde_json::from_slice(&body) {
            Ok(Value::Object(map)) => Ok(Self { map, files: BTreeMap::new() }),
            _ => Err(Refusal::bad("can't parse JSON object")),
        }
    }

    async fn of_form(mut form: Multipart) -> Result<Self, Refusal> {
        let mut args = Self::default();
        while let Some(field) = form.next_field().await.map_err(|_| Refusal::bad("can't parse form"))? {
            let name = field.name().unwrap_or_default().to_owned();
            let file_name = field.file_name().map(ToOwned::to_owned);
            let bytes = field.bytes().await.map_err(|_| Refusal::new(413, "Request Entity Too Large"))?;
            if let Some(file_name) = file_name {
                args.files.insert(name, File { name: file_name, bytes: bytes.to_vec() });
            } else {
                args.map.insert(name, Value::String(String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        Ok(args)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.map.get(name).and_then(Value::as_str)
    }

    pub(super) fn int(&self, name: &str) -> Option<i64> {
        match self.map.get(name)? {
            Value::Number(number) => number.as_i64(),
            Value::String(digits) => digits.parse().ok(),
            _ => None,
        }
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        match self.map.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(word)) => word == "true",
            _ => false,
        }
    }

    /// An object or list, given as such or as a JSON string.
    pub(super) fn nested(&self, name: &str) -> Result<Option<Value>, Refusal> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text)
                .map(Some)
                .map_err(|_| Refusal::bad(format!("can't parse {name} JSON object"))),
            Some(value) => Ok(Some(value.clone())),
        }
    }

    pub(super) fn chat(&self) -> Option<i64> {
        self.int("chat_id")
    }

    /// The text under `name`, its markup read by `parse_mode`. Only HTML is known here: this project sends no other.
    pub(super) fn marked_up(&self, name: &str) -> Result<Parsed, Refusal> {
        let source = self.text(name).unwrap_or_default();
        match self.text("parse_mode").unwrap_or_default() {
            "" => Ok(html::plain(source)),
            mode if mode.eq_ignore_ascii_case("html") => {
                html::parse(source).map_err(|why| Refusal::bad(format!("can't parse entities: {why}")))
            }
            _ => Err(Refusal::bad("unsupported parse_mode")),
        }
    }

    pub(super) fn keyboard(&self) -> Result<Keyboard, Refusal> {
        self.nested("reply_markup")?.map_or_else(|| Ok(Keyboard::new()), |markup| keyboard::read(&markup))
    }

    /// The uploaded file under `name`: itself, or what `attach://…` points at.
    pub(super) fn file(&self, name: &str) -> Option<&File> {
        let attached = self.text(name).and_then(|link| link.strip_prefix("attach://"));
        self.files.get(attached.unwrap_or(name))
    }
}
