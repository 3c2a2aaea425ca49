//! The lists of commands that a person sees in the menu: by scope and language.

use serde_json::{Value, json};

use super::{
    args::{Args, Refusal},
    world::World,
};

pub(super) fn set(world: &mut World, args: &Args) -> Result<Value, Refusal> {
    let key = key(world, args)?;
    let Some(Value::Array(list)) = args.nested("commands")? else {
        return Err(Refusal::bad("parameter \"commands\" is required"));
    };
    if list.len() > 100 {
        return Err(Refusal::bad("BOT_COMMANDS_TOO_MUCH"));
    }
    let list = list.iter().map(command).collect::<Result<_, Refusal>>()?;
    world.commands.insert(key, list);
    Ok(json!(true))
}

pub(super) fn get(world: &mut World, args: &Args) -> Result<Value, Refusal> {
    let key = key(world, args)?;
    let list = world.commands.get(&key).map_or(&[][..], Vec::as_slice);
    Ok(list.iter().map(|(name, about)| json!({"command": name, "description": about})).collect())
}

pub(super) fn delete(world: &mut World, args: &Args) -> Result<Value, Refusal> {
    let key = key(world, args)?;
    world.commands.remove(&key);
    Ok(json!(true))
}

/// The name of a scope: its type, and the chat for those that are for one.
pub(super) fn scope_name(kind: &str, chat: Option<i64>) -> String {
    chat.map_or_else(|| kind.to_owned(), |chat| format!("{kind} {chat}"))
}

fn key(world: &mut World, args: &Args) -> Result<(String, String), Refusal> {
    let language = args.text("language_code").unwrap_or_default();
    if !(language.is_empty() || language.len() == 2 && language.bytes().all(|byte| byte.is_ascii_lowercase())) {
        return Err(Refusal::bad("LANGUAGE_CODE_INVALID"));
    }
    let scope = args.nested("scope")?.unwrap_or_else(|| json!({"type": "default"}));
    let kind = scope["type"].as_str().unwrap_or_default();
    let chat = match kind {
        "default" | "all_private_chats" | "all_group_chats" | "all_chat_administrators" => None,
        "chat" | "chat_administrators" => {
            world.chats.writable(scope["chat_id"].as_i64())?;
            scope["chat_id"].as_i64()
        }
        _ => return Err(Refusal::bad("can't parse BotCommandScope: type of the scope is not known")),
    };
    Ok((scope_name(kind, chat), language.to_owned()))
}

fn command(value: &Value) -> Result<(String, String), Refusal> {
    let name = value["command"].as_str().unwrap_or_default();
    let about = value["description"].as_str().unwrap_or_default();
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || name.len() > 32 || !name.bytes().all(is_name) {
        return Err(Refusal::bad("BOT_COMMAND_INVALID"));
    }
    if about.is_empty() || about.chars().count() > 256 {
        return Err(Refusal::bad("BOT_COMMAND_DESCRIPTION_INVALID"));
    }
    Ok((name.to_owned(), about.to_owned()))
}
