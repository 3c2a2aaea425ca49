//! The people and chats of this Telegram, and the messages in them.

use std::collections::BTreeMap;

use rackhand_core::units::Timestamp;
use serde_json::{Value, json};

use super::{
    args::{File, Refusal},
    html::{Entity, Parsed},
    keyboard::{self, Keyboard},
};

/// Somebody with a Telegram account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Telegram's number for them; also the number of their private chat with the bot.
    pub id: i64,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: Option<String>,
    /// The name after the `@`.
    pub username: Option<String>,
    /// The language of their app, an IETF tag.
    pub language_code: Option<String>,
}

impl Person {
    /// Somebody with this first name, whose user name is the same in lower case, and whose app is in English.
    pub fn new(id: i64, first_name: &str) -> Self {
        Self {
            id,
            first_name: first_name.to_owned(),
            last_name: None,
            username: Some(first_name.to_lowercase()),
            language_code: Some("en".to_owned()),
        }
    }

    /// The same person with an app in another language.
    #[must_use]
    pub fn speaking(mut self, language_code: &str) -> Self {
        self.language_code = Some(language_code.to_owned());
        self
    }

    pub(super) fn to_json(&self) -> Value {
        let mut value = json!({"id": self.id, "is_bot": false, "first_name": self.first_name});
        let optional =
            [("last_name", &self.last_name), ("username", &self.username), ("language_code", &self.language_code)];
        for (name, text) in optional {
            if let Some(text) = text {
                value[name] = json!(text);
            }
        }
        value
    }
}

/// A message as it stands in a chat now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its number.
    pub id: i64,
    /// Who wrote it; `None` is the bot.
    pub from: Option<Person>,
    /// The text as it was sent, with its markup.
    pub html: String,
    /// The text as it is seen.
    pub text: String,
    /// How parts of it are shown.
    pub entities: Vec<Entity>,
    /// The buttons under it.
    pub buttons: Keyboard,
    /// The file that hangs on it; the text is then its caption.
    pub document: Option<File>,
    /// Whether it came without a sound.
    pub silent: bool,
    /// How often it was edited.
    pub edits: u32,
    /// When it was sent.
    pub at: Timestamp,
}

impl Shown {
    /// The data of the first button whose label contains `label`.
    pub fn button(&self, label: &str) -> Option<&str> {
        self.buttons.iter().flatten().find(|key| key.label.contains(label)).map(|key| key.data.as_str())
    }
}

/// Private or not, and with whom.
#[derive(Debug)]
pub(super) enum Kind {
    Private(Person),
    Group(String),
}

#[derive(Debug)]
pub(super) struct Chat {
    pub(super) id: i64,
    pub(super) kind: Kind,
    /// Why the bot may not write here.
    pub(super) closed: Option<Refusal>,
    pub(super) messages: Vec<Shown>,
}

impl Chat {
    pub(super) fn is_group(&self) -> bool {
        matches!(self.kind, Kind::Group(_))
    }

    pub(super) fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Private(person) => {
                let mut value = person.to_json();
                if let Some(fields) = value.as_object_mut() {
                    fields.remove("is_bot");
                    fields.remove("language_code");
                }
                value["type"] = json!("private");
                value
            }
            Kind::Group(title) => json!({"id": self.id, "type": "supergroup", "title": title}),
        }
    }

    pub(super) fn message_json(&self, message: &Shown, bot: &Value) -> Value {
        let mut value = json!({
            "message_id": message.id,
            "from": message.from.as_ref().map_or_else(|| bot.clone(), Person::to_json),
            "chat": self.to_json(),
            "date": message.at.0 / 1000,
        });
        let (text, entities) =
            if message.document.is_some() { ("caption", "caption_entities") } else { ("text", "entities") };
        if !message.text.is_empty() {
            value[text] = json!(message.text);
        }
        if !message.entities.is_empty() {
            value[entities] = message.entities.iter().map(Entity::to_json).collect();
        }
        if let Some(file) = &message.document {
            let id = format!("file{}", message.id);
            value["document"] = json!({
                "file_id": id, "file_unique_id": id, "file_name": file.name, "file_size": file.bytes.len(),
            });
        }
        if !message.buttons.is_empty() {
            value["reply_markup"] = keyboard::to_json(&message.buttons);
        }
        if message.edits > 0 {
            value["edit_date"] = json!(message.at.0 / 1000);
        }
        value
    }
}

/// All chats, and the numbers of their messages: one row of numbers for all, as a real bot sees in its private chats.
#[derive(Debug, Default)]
pub(super) struct Chats {
    pub(super) by_id: BTreeMap<i64, Chat>,
    last_message: i64,
}

impl Chats {
    /// The chat, made if it is new.
    pub(super) fn open(&mut self, id: i64, kind: impl FnOnce() -> Kind) -> &mut Chat {
        self.by_id.entry(id).or_insert_with(|| Chat { id, kind: kind(), closed: None, messages: Vec::new() })
    }

    /// The chat that a call names, if the bot may act there.
    pub(super) fn writable(&mut self, id: Option<i64>) -> Result<&mut Chat, Refusal> {
        let id = id.ok_or_else(|| Refusal::bad("chat_id is empty"))?;
        let chat = self.by_id.get_mut(&id).ok_or_else(|| Refusal::bad("chat not found"))?;
        chat.closed.clone().map_or(Ok(chat), Err)
    }

    pub(super) fn next_message(&mut self) -> i64 {
        self.last_message += 1;
        self.last_message
    }
}

/// A new message, not yet in a chat.
pub(super) fn message(id: i64, at: Timestamp, from: Option<Person>, html: &str, parsed: Parsed) -> Shown {
    Shown {
        id,
        from,
        html: html.to_owned(),
        text: parsed.text,
        entities: parsed.entities,
        buttons: Keyboard::new(),
        document: None,
        silent: false,
        edits: 0,
        at,
    }
}
