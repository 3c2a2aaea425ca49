//! Texts that come in hold no control characters: they could forge a line of a log or a terminal's colours, and
//! PostgreSQL does not keep a zero byte.

use std::fmt::Write as _;

use serde_json::Value;

use super::OpError;

/// Looks at every text of an input, however deep.
///
/// # Errors
/// `BadInput` with the place of the first one that is not clean.
pub(super) fn check(input: &Value) -> Result<(), OpError> {
    at(input, &mut String::new())
}

fn at(value: &Value, path: &mut String) -> Result<(), OpError> {
    let whole = path.len();
    match value {
        Value::String(text) if !is_clean(text) => return Err(bad(path)),
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                let _ = write!(path, "[{place}]");
                at(item, path)?;
                path.truncate(whole);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                if !is_clean(name) {
                    return Err(bad(path));
                }
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
                at(field, path)?;
                path.truncate(whole);
            }
        }
        _ => {}
    }
    Ok(())
}

/// Lines and tabs are what people type.
fn is_clean(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

fn bad(path: &str) -> OpError {
    let path = if path.is_empty() { "." } else { path };
    OpError::BadInput { path: path.to_owned(), message: "a text without control characters is expected".to_owned() }
}
