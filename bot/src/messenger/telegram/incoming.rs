//! Reading updates. Nothing is lost without a word: what cannot be read comes out as [`Kind::Unreadable`].
//!
//! Only who, where and what is read, each by itself, and not teloxide's whole `Update`: teloxide 0.17 knows Bot API 9.1,
//! and takes a text with an entity of a later kind for a message without content, so that a command would vanish.

use serde::Deserialize;
use serde_json::Value;
use teloxide::types::{Chat, User};

use super::super::{ChatId, Incoming, Kind, MessageId, Origin, Person, PressId, UpdateId};

/// Reads one update; `None` if it has no number, so that it cannot even be acknowledged.
pub(super) fn read(raw: &Value) -> Option<Incoming> {
    let update = UpdateId(raw["update_id"].as_i64()?);
    let kind = match (raw.get("message"), raw.get("callback_query")) {
        (Some(message), _) => written(message),
        (None, Some(query)) => pressed(query),
        (None, None) => Kind::Unreadable { origin: None },
    };
    Some(Incoming { update, kind })
}

fn written(message: &Value) -> Kind {
    // A message in the name of a chat (an anonymous admin, a channel) does not say which person wrote it.
    let origin = if message.get("sender_chat").is_some() { None } else { origin(&message["chat"], &message["from"]) };
    match (origin, message["text"].as_str()) {
        (Some(origin), Some(text)) => Kind::Text { origin, text: text.to_owned() },
        (origin, _) => Kind::Unreadable { origin },
    }
}

fn pressed(query: &Value) -> Kind {
    let message = &query["message"];
    let origin = origin(&message["chat"], &query["from"]);
    match (origin, query["id"].as_str(), message["message_id"].as_i64(), query["data"].as_str()) {
        (Some(origin), Some(press), Some(message), Some(data)) => {
            Kind::Press { origin, press: PressId(press.to_owned()), message: MessageId(message), data: data.to_owned() }
        }
        (origin, ..) => Kind::Unreadable { origin },
    }
}

fn origin(chat: &Value, from: &Value) -> Option<Origin> {
    let chat = Chat::deserialize(chat).ok()?;
    let person = person(User::deserialize(from).ok()?)?;
    Some(Origin { chat: ChatId(chat.id.0), private: chat.is_private(), person })
}

/// A person; not a bot, and so not the account in whose name anonymous admins write either.
fn person(user: User) -> Option<Person> {
    Some(Person {
        telegram_id: i64::try_from(user.id.0).ok().filter(|_| !user.is_bot)?,
        username: user.username,
        first_name: user.first_name,
        last_name: user.last_name,
        language: user.language_code,
    })
}
