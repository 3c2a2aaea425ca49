//! The argument that makes a repetition harmless: a model whose answer was lost asks again with the same key.

use rackhand_core::{
    model::Risk,
    ops::{Entry, OpError},
};
use rmcp::model::JsonObject;
use serde_json::{Value, json};

use crate::api::{LONGEST_KEY, is_key};

/// Its name; no operation has a field of this name.
const NAME: &str = "idempotency_key";

/// Adds it to the schema of a tool that changes something.
pub(super) fn offer(entry: &Entry, schema: &mut JsonObject) {
    if entry.spec.risk == Risk::Read {
        return;
    }
    let about = "Any text that names this one request, such as a UUID. When no answer came, ask again with the same key \
                 and the same arguments: it is not done twice, and the answer is the first one. The same key with other \
                 arguments is refused. Known for 24 hours.";
    let property = json!({ "type": "string", "description": about, "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$" });
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert(NAME.to_owned(), property);
    }
}

/// Takes it out of the arguments, where it was offered.
pub(super) fn taken(entry: &Entry, arguments: &mut JsonObject) -> Result<Option<String>, OpError> {
    if entry.spec.risk == Risk::Read {
        return Ok(None);
    }
    match arguments.remove(NAME) {
        None => Ok(None),
        Some(Value::String(key)) if is_key(&key) => Ok(Some(key)),
        Some(_) => {
            let message = format!("a text of 1 to {LONGEST_KEY} visible ASCII characters is expected");
            Err(OpError::BadInput { path: NAME.to_owned(), message })
        }
    }
}
