//! The answer of any operation that has no view of its own: its facts, as many as a phone shows.

use rackhand_core::ops::{Entry, Field, Kind, Page};
use serde_json::Value;

use super::{PAGE, Reader, pager, server::without_empty};
use crate::{
    commands::about,
    facts::{Fact, facts, in_order, text},
    html::escape,
    messenger::Message,
    texts::{Lang, say},
    want::Want,
};

/// Facts of one thing that are shown.
const MOST_FACTS: usize = 30;
/// Facts of each thing in a list.
const MOST_IN_LINE: usize = 6;
/// The longest that one text is, in characters.
const LONGEST: usize = 120;
/// What a button may carry, in bytes.
const MOST_DATA: usize = 64;

/// What came of it. `typed` is what asked for it, and `from` the place in the list where this begins.
pub fn answer(reader: &Reader, from: u32, typed: &str, answer: &Value) -> Message {
    match answer.get("items").and_then(Value::as_array) {
        Some(items) => list(reader, from, typed, items, answer.get("next").and_then(Value::as_str)),
        None => Message::new(thing(reader.lang, answer)),
    }
}

/// How an operation is typed, with what each field means.
pub fn usage(reader: &Reader, entry: &Entry, fields: &[Field]) -> Message {
    let lang = reader.lang;
    let place = |field: &&Field| match field.kind {
        Kind::Map => "key=value …".to_owned(),
        _ => field.name.to_uppercase(),
    };
    let words: Vec<String> = fields.iter().filter(|field| field.required).map(|field| place(&field)).collect();
    let usage = format!("/{} {}", entry.spec.name, words.join(" "));
    let mut lines =
        vec![escape(&about(lang, entry)), say!(lang, "named-usage", usage = usage.trim_end()), String::new()];
    for field in fields {
        let needed = if field.required { format!(", {}", say!(lang, "named-required")) } else { String::new() };
        let head = format!("<b>{}</b> ({}{needed})", escape(&field.name), escape(&field.expected()));
        lines.push(format!("{head} {}", escape(&field.doc)));
    }
    Message::new(lines.join("\n"))
}

fn list(reader: &Reader, from: u32, typed: &str, items: &[Value], next: Option<&str>) -> Message {
    let lang = reader.lang;
    if items.is_empty() {
        return Message::new(say!(lang, "named-nothing"));
    }
    let mut lines: Vec<String> = items.iter().take(PAGE as usize).map(line).collect();
    if items.len() > PAGE as usize {
        lines.push(say!(lang, "named-cut"));
    }
    let Some(next) = next else { return Message::new(lines.join("\n")).with(pages(from, typed, false)) };
    // Our own lists can be turned by number; another's only by what it said.
    let ours = Page::of(next, 0).is_ok() && !typed.contains("cursor=") && !typed.contains("limit=");
    let turned = ours.then(|| pages(from, typed, true)).filter(|row| row.iter().all(|b| b.data.len() <= MOST_DATA));
    if turned.is_none() {
        lines.push(say!(lang, "named-more", cursor = next));
    }
    Message::new(lines.join("\n")).with(turned.unwrap_or_default())
}

fn pages(from: u32, typed: &str, more: bool) -> Vec<crate::messenger::Button> {
    pager(from, more, |from| Want::Named(from, typed.to_owned()))
}

/// A thing of a list, on one line.
fn line(item: &Value) -> String {
    let short = |(name, value): (&String, &Value)| text(name, value).map(|words| (name.clone(), words));
    let mut facts: Vec<Fact> = in_order(item).into_iter().filter_map(short).take(MOST_IN_LINE).collect();
    if facts.is_empty() {
        facts = crate::facts::facts(item).into_iter().take(MOST_IN_LINE).collect();
    }
    let mut facts = facts.into_iter();
    let head = facts.next().map(|(_, words)| format!("<b>{}</b>", shown(&words))).unwrap_or_default();
    let rest: Vec<String> = facts.map(|(name, words)| format!("{}: {}", escape(&name), shown(&words))).collect();
    if rest.is_empty() { format!("• {head}") } else { format!("• {head} · {}", rest.join(" · ")) }
}

/// A thing with its facts, a line each.
fn thing(lang: Lang, answer: &Value) -> String {
    let facts = facts(answer);
    let line = |(name, words): &Fact| match name.as_str() {
        "" => shown(words),
        name => format!("{}: <b>{}</b>", escape(name), shown(words)),
    };
    let mut lines: Vec<String> = facts.iter().take(MOST_FACTS).map(line).collect();
    if facts.len() > MOST_FACTS {
        lines.push(say!(lang, "named-cut"));
    }
    if lines.is_empty() { say!(lang, "named-done") } else { lines.join("\n") }
}

fn shown(words: &str) -> String {
    let mut text: String = words.chars().take(LONGEST).collect();
    if text.len() < words.len() {
        text.push('…');
    }
    escape(&text)
}

impl Message {
    fn with(mut self, row: Vec<crate::messenger::Button>) -> Self {
        self.buttons = without_empty(vec![row]);
        self
    }
}
