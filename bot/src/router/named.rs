//! An operation typed by its own name: `/label_server vps-7 env=prod`.

use rackhand_core::ops::{Answer, Entry, Field, Kind, OpError, Page};
use serde_json::{Map, Value};

use super::{Asked, Reply, RouteError, Router};
use crate::{
    commands::{closest, may, names, typed_by_name},
    views::{self, PAGE, help, operation},
};

impl Router {
    /// Calls the operation that was typed, or says what comes close to it.
    pub(super) async fn named(&self, asked: &Asked<'_>, from: u32, typed: &str) -> Result<Reply, RouteError> {
        let reader = &asked.reader;
        let (name, words) = typed.trim().split_once(char::is_whitespace).unwrap_or((typed.trim(), ""));
        let Some(entry) = typed_by_name(name) else {
            let message =
                help::not_understood(reader, &format!("/{}", typed.trim()), &closest(name, names(reader.role)));
            return Ok(Reply::below(views::body(message)));
        };
        if !may(reader.role, entry) {
            let (needs, has) = (entry.spec.lowest, reader.role);
            return Err(OpError::Forbidden { who: asked.user.name(), needs, has }.into());
        }
        let reply = self.with_words(asked, entry, words, from, typed.trim()).await?;
        Ok(reply.unwrap_or_else(|| Reply::below(views::body(operation::usage(reader, entry, &entry.fields())))))
    }

    /// Calls an operation with what was typed after it; none where a needed word is missing. `typed` is all of it.
    pub(super) async fn with_words(
        &self,
        asked: &Asked<'_>,
        entry: &Entry,
        words: &str,
        from: u32,
        typed: &str,
    ) -> Result<Option<Reply>, RouteError> {
        let fields = entry.fields();
        let mut input = input(&fields, words)?;
        if fields.iter().any(|field| field.required && !input.contains_key(&field.name)) {
            return Ok(None);
        }
        turn_to(&fields, &mut input, from);
        self.call_named(asked, entry, &Value::Object(input), from, typed).await.map(Some)
    }

    async fn call_named(
        &self,
        asked: &Asked<'_>,
        entry: &Entry,
        input: &Value,
        from: u32,
        typed: &str,
    ) -> Result<Reply, RouteError> {
        let open = self.open_questions().await?;
        match self.call(asked, entry.spec.name, input).await? {
            Answer::AwaitingApproval(question) => Ok(Reply::question(asked.reader.lang, question, &open)),
            Answer::Done(answer) => Ok(Reply::here(operation::answer(&asked.reader, from, typed, &answer))),
        }
    }
}

/// What was typed as an input: the required fields in their order, then `field=value`. A word `key=value` that names no
/// field belongs to the map, where there is one.
fn input(fields: &[Field], words: &str) -> Result<Map<String, Value>, OpError> {
    let mut input = Map::new();
    let mut positions = fields.iter().filter(|field| field.required).peekable();
    let map = fields.iter().find(|field| field.kind == Kind::Map);
    for word in words.split_whitespace() {
        let named = word.split_once('=');
        let field = named.and_then(|(name, value)| Some((fields.iter().find(|field| field.name == name)?, value)));
        if let Some((field, value)) = field {
            field.put(&mut input, value)?;
        } else if let (Some(map), Some(_)) = (map, named) {
            map.put(&mut input, word)?;
        } else if let Some(field) = next_of(&mut positions, &input) {
            field.put(&mut input, word)?;
        } else {
            let message = "there is no place for this word: after the needed ones, field=value is expected";
            return Err(OpError::BadInput { path: word.chars().take(64).collect(), message: message.to_owned() });
        }
    }
    Ok(input)
}

/// The next field that was not filled by its name already; a list takes all words that come.
fn next_of<'a>(
    positions: &mut std::iter::Peekable<impl Iterator<Item = &'a Field>>,
    input: &Map<String, Value>,
) -> Option<&'a Field> {
    while positions.next_if(|field| field.kind != Kind::List && input.contains_key(&field.name)).is_some() {}
    if positions.peek().is_some_and(|field| field.kind == Kind::List) {
        return positions.peek().copied();
    }
    positions.next()
}

/// A list shows as much as a phone does, from where it was left.
fn turn_to(fields: &[Field], input: &mut Map<String, Value>, from: u32) {
    let has = |name: &str| fields.iter().any(|field| field.name == name);
    if has("limit") && !input.contains_key("limit") {
        input.insert("limit".to_owned(), PAGE.into());
    }
    if has("cursor") && from > 0 {
        input.insert("cursor".to_owned(), Page::skip(from).into());
    }
}
