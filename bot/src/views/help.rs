//! What can be done, by whom.

use rackhand_core::ops::Topic;
use strum::IntoEnumIterator;

use super::{Reader, button, rows, user};
use crate::{
    commands::{COMMANDS, about, by_name, may},
    html::escape,
    messenger::Message,
    texts::{Lang, plain, say},
    want::Want,
};

/// All that the reader may ask for.
pub fn help(reader: &Reader) -> Message {
    let lang = reader.lang;
    let mut lines = vec![say!(lang, "help-title", role = user::role(lang, reader.role))];
    for topic in Topic::iter() {
        let chapter = chapter(reader, topic);
        if !chapter.is_empty() {
            lines.push(format!("\n<b>{}</b>", plain!(lang, &format!("topic-{topic}"))));
            lines.extend(chapter);
        }
    }
    lines.push(String::new());
    lines.push(say!(lang, "help-tail"));
    let first = [button(lang, "button-servers", &Want::Servers(0)), button(lang, "button-status", &Want::Status)];
    Message { html: lines.join("\n"), buttons: rows(first.into()), ..Message::default() }
}

/// What the reader may ask for about a topic.
fn chapter(reader: &Reader, topic: Topic) -> Vec<String> {
    let lang = reader.lang;
    let commands = COMMANDS.iter().filter(|command| command.topic() == topic && command.name != "start");
    let commands = commands.filter(|command| command.is_for(reader.role));
    let lines = commands.map(|command| format!("/{} – {}", command.name, plain!(lang, &command.key())));
    let named = by_name().filter(|entry| entry.spec.topic == topic && may(reader.role, entry));
    lines.chain(named.map(|entry| format!("/{} – {}", entry.spec.name, escape(&about(lang, entry))))).collect()
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
