//! What can be done, by whom.

use super::{Reader, button, rows, user};
use crate::{
    commands::COMMANDS,
    messenger::Message,
    texts::{Lang, plain, say},
    want::Want,
};

/// All that the reader may ask for.
pub fn help(reader: &Reader) -> Message {
    let lang = reader.lang;
    let mut lines = vec![say!(lang, "help-title", role = user::role(lang, reader.role)), String::new()];
    for command in COMMANDS.iter().filter(|command| command.is_for(reader.role) && command.name != "start") {
        lines.push(format!("/{} – {}", command.name, plain!(lang, &command.key())));
    }
    lines.push(String::new());
    lines.push(say!(lang, "help-tail"));
    let first = [button(lang, "button-servers", &Want::Servers(0)), button(lang, "button-status", &Want::Status)];
    Message { html: lines.join("\n"), buttons: rows(first.into()), ..Message::default() }
}

/// The greeting of a member.
pub fn welcome(reader: &Reader, name: &str) -> Message {
    let mut message = help(reader);
    message.html = format!("{}\n\n{}", say!(reader.lang, "welcome", name = name), message.html);
    message
}

/// What a stranger is told, and all that they are told.
pub fn stranger(lang: Lang, name: &str, telegram_id: i64) -> Message {
    Message::new(say!(lang, "stranger", name = name, id = telegram_id.to_string()))
}

/// What was typed is not understood; these come closest.
pub fn not_understood(reader: &Reader, typed: &str, commands: &[&str]) -> Message {
    let lang = reader.lang;
    let mut html = say!(lang, "not-understood", text = typed);
    if !commands.is_empty() {
        let words: Vec<String> = commands.iter().map(|name| format!("/{name}")).collect();
        html.push('\n');
        html.push_str(&say!(lang, "did-you-mean", what = words.join(", ")));
    }
    html.push('\n');
    html.push_str(&say!(lang, "not-understood-tail"));
    let first = [button(lang, "button-help", &Want::Help), button(lang, "button-servers", &Want::Servers(0))];
    Message { html, buttons: rows(first.into()), ..Message::default() }
}
