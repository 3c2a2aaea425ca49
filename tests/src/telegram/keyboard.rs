//! Inline keyboards: reading and checking them.

use serde_json::{Value, json};

use super::args::Refusal;

/// A button under a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// What stands on it.
    pub label: String,
    /// What a press brings to the bot.
    pub data: String,
}

/// The rows of buttons under a message.
pub type Keyboard = Vec<Vec<Key>>;

/// More buttons than this are refused.
const MOST_KEYS: usize = 100;

pub(super) fn read(markup: &Value) -> Result<Keyboard, Refusal> {
    let Some(rows) = markup.get("inline_keyboard").and_then(Value::as_array) else {
        return Err(Refusal::bad("object expected as reply markup"));
    };
    let mut keyboard = Keyboard::new();
    for row in rows {
        let keys = row.as_array().ok_or_else(|| Refusal::bad("can't parse reply keyboard markup"))?;
        let keys = keys.iter().map(key).collect::<Result<Vec<Key>, Refusal>>()?;
        if !keys.is_empty() {
            keyboard.push(keys);
        }
    }
    if keyboard.iter().map(Vec::len).sum::<usize>() > MOST_KEYS {
        return Err(Refusal::bad("reply markup is too long"));
    }
    Ok(keyboard)
}

pub(super) fn to_json(keyboard: &Keyboard) -> Value {
    let rows: Vec<Vec<Value>> = keyboard
        .iter()
        .map(|row| row.iter().map(|key| json!({"text": key.label, "callback_data": key.data})).collect())
        .collect();
    json!({"inline_keyboard": rows})
}

fn key(value: &Value) -> Result<Key, Refusal> {
    let label = value.get("text").and_then(Value::as_str).unwrap_or_default();
    if label.trim().is_empty() {
        return Err(Refusal::bad("inline keyboard button text must be non-empty"));
    }
    let Some(data) = value.get("callback_data").and_then(Value::as_str) else {
        return Err(Refusal::bad(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ));
    };
    if data.is_empty() || data.len() > 64 {
        return Err(Refusal::bad("BUTTON_DATA_INVALID"));
    }
    Ok(Key { label: label.to_owned(), data: data.to_owned() })
}
