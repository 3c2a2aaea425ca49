//! A text that is too long for one message: as several, or as a file.

use crate::{
    html::{self, MOST_IN_CAPTION, MOST_IN_MESSAGE, Token, Tokens},
    messenger::Message,
};

/// More parts than this become a file.
const MOST_PARTS: usize = 3;
/// What the file is called.
const FILE: &str = "message.txt";

/// The messages that say what `message` says, in their order; never none. The buttons are under the last.
pub(super) fn parts(message: Message) -> Vec<Message> {
    let limit = if message.document.is_some() { MOST_IN_CAPTION } else { MOST_IN_MESSAGE };
    if html::length(&message.html) <= limit {
        return vec![message];
    }
    let texts = html::split(&message.html, MOST_IN_MESSAGE);
    if message.document.is_some() {
        let last = Message { html: String::new(), ..message.clone() };
        return texts.into_iter().map(|html| text(&message, html)).chain([last]).collect();
    }
    if texts.len() > MOST_PARTS {
        return vec![file(message)];
    }
    let mut parts: Vec<Message> = texts.into_iter().map(|html| text(&message, html)).collect();
    if let Some(last) = parts.last_mut() {
        last.buttons = message.buttons;
    }
    parts
}

/// The same words without markup: for a text that Telegram cannot read.
pub(super) fn unmarked(message: Message) -> Message {
    Message { html: html::escape(&plain(&message.html)), ..message }
}

fn text(message: &Message, html: String) -> Message {
    Message { html, silent: message.silent, ..Message::default() }
}

/// The whole text as a file, and its beginning as the caption.
fn file(message: Message) -> Message {
    let bytes = plain(&message.html).into_bytes();
    let beginning = html::split(&message.html, MOST_IN_CAPTION - 2).into_iter().next().unwrap_or_default();
    Message { html: format!("{beginning} …"), ..message }.document(FILE, bytes)
}

fn plain(html: &str) -> String {
    let shown = |token| match token {
        Token::Char { decoded, .. } => Some(decoded),
        Token::Open { .. } | Token::Close { .. } => None,
    };
    Tokens(html).filter_map(shown).collect()
}
