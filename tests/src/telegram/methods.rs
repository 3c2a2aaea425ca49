//! The methods of the Bot API that an admin bot needs, as far as it needs them.

use serde_json::{Value, json};

use super::{
    args::{Args, File, Refusal},
    chats::{self, Shown},
    html::{self, Parsed},
    keyboard::Keyboard,
    world::{Answer, World},
};

/// A text may have so many characters, a caption fewer.
const MOST_TEXT: usize = 4096;
const MOST_CAPTION: usize = 1024;
/// The words that answer a press may have so many characters.
const MOST_ANSWER: usize = 200;
const NOT_MODIFIED: &str = "message is not modified: specified new message content and reply markup are exactly the \
                            same as a current content and reply markup of the message";

/// Carries out a call. `method` is in lower case.
pub(super) fn run(world: &mut World, method: &str, args: &Args) -> Result<Value, Refusal> {
    match method {
        "getme" => Ok(me(world)),
        "setwebhook" => set_webhook(world, args.text("url").unwrap_or_default(), args),
        "deletewebhook" => set_webhook(world, "", args),
        "getwebhookinfo" => Ok(json!({
            "url": world.queue.webhook.as_deref().unwrap_or_default(),
            "has_custom_certificate": false,
            "pending_update_count": world.queue.unread(),
        })),
        "setmycommands" => super::commands::set(world, args),
        "getmycommands" => super::commands::get(world, args),
        "deletemycommands" => super::commands::delete(world, args),
        "sendmessage" => send_message(world, args),
        "senddocument" => send_document(world, args),
        "editmessagetext" => edit(world, args, "text", args.marked_up("text")),
        "editmessagecaption" => edit(world, args, "caption", args.marked_up("caption")),
        "editmessagereplymarkup" => edit_keyboard(world, args),
        "deletemessage" => delete_message(world, args),
        "answercallbackquery" => answer_press(world, args),
        "sendchataction" => chat_action(world, args),
        "getchat" => get_chat(world, args),
        _ => Err(Refusal::new(404, "Not Found")),
    }
}

fn me(world: &World) -> Value {
    let mut value = world.bot_json();
    let abilities = ["can_join_groups", "can_read_all_group_messages", "supports_inline_queries"];
    for name in abilities.iter().chain(&["can_connect_to_business", "has_main_web_app"]) {
        value[*name] = json!(*name == "can_join_groups");
    }
    value
}

fn set_webhook(world: &mut World, url: &str, args: &Args) -> Result<Value, Refusal> {
    if !url.is_empty() && !url.starts_with("https://") {
        return Err(Refusal::bad("bad webhook: An HTTPS URL must be provided for webhook"));
    }
    world.queue.allow(args)?;
    world.queue.webhook = Some(url.to_owned());
    Ok(json!(true))
}

fn send_message(world: &mut World, args: &Args) -> Result<Value, Refusal> {
    if args.text("text").unwrap_or_default().is_empty() {
        return Err(Refusal::bad("message text is empty"));
    }
    let parsed = args.marked_up("text")?;
    if parsed.text.is_empty() {
        return Err(Refusal::bad("text must be non-empty"));
    }
    within(&parsed, MOST_TEXT, "message is too long")?;
    post(world, args, args.text("text").unwrap_or_default(), parsed, None)
}

fn send_document(world: &mut World, args: &Args) -> Result<Value, Refusal> {
    let parsed = args.marked_up("caption")?;
    within(&parsed, MOST_CAPTION, "message caption is too long")?;
    let file = args.file("document").cloned().ok_or_else(|| Refusal::bad("there is no document in the request"))?;
    if file.bytes.is_empty() {
        return Err(Refusal::bad("file must be non-empty"));
    }
    post(world, args, args.text("caption").unwrap_or_default(), parsed, Some(file))
}

fn post(world: &mut World, args: &Args, html: &str, parsed: Parsed, document: Option<File>) -> Result<Value, Refusal> {
    let buttons = args.keyboard()?;
    let (at, bot) = (world.clock.now(), world.bot_json());
    let chat = world.chats.writable(args.chat())?.id;
    let id = world.chats.next_message();
    let message = Shown {
        buttons,
        document,
        silent: args.flag("disable_notification"),
        ..chats::message(id, at, None, html, parsed)
    };
    let chat = world.chats.writable(Some(chat))?;
    let answer = chat.message_json(&message, &bot);
    chat.messages.push(message);
    Ok(answer)
}

fn edit(world: &mut World, args: &Args, name: &str, parsed: Result<Parsed, Refusal>) -> Result<Value, Refusal> {
    let parsed = parsed?;
    let is_caption = name == "caption";
    if parsed.text.is_empty() && !is_caption {
        return Err(Refusal::bad("message text is empty"));
    }
    within(&parsed, if is_caption { MOST_CAPTION } else { MOST_TEXT }, "MESSAGE_TOO_LONG")?;
    let html = args.text(name).unwrap_or_default().to_owned();
    change(world, args, |message, buttons| {
        if message.document.is_some() != is_caption {
            let what = if is_caption {
                "there is no caption in the message to edit"
            } else {
                "there is no text in the message to edit"
            };
            return Err(Refusal::bad(what));
        }
        let Parsed { text, entities } = parsed;
        Ok(Shown { html, text, entities, buttons, ..message.clone() })
    })
}

fn edit_keyboard(world: &mut World, args: &Args) -> Result<Value, Refusal> {
    change(world, args, |message, buttons| Ok(Shown { buttons, ..message.clone() }))
}

/// Puts a changed message in the place of the old one. A keyboard that the call leaves out is taken away.
fn change(
    world: &mut World,
    args: &Args,
    changed: impl FnOnce(&Shown, Keyboard) -> Result<Shown, Refusal>,
) -> Result<Value, Refusal> {
    let buttons = args.keyboard()?;
    let bot = world.bot_json();
    let chat = world.chats.writable(args.chat())?;
    let id = args.int("message_id").ok_or_else(|| Refusal::bad("message identifier is not specified"))?;
    let place = chat.messages.iter().position(|message| message.id == id);
    let place = place.ok_or_else(|| Refusal::bad("message to edit not found"))?;
    let old = &chat.messages[place];
    if old.from.is_some() {
        return Err(Refusal::bad("message can't be edited"));
    }
    let new = changed(old, buttons)?;
    if (&new.text, &new.entities, &new.buttons) == (&old.text, &old.entities, &old.buttons) {
        return Err(Refusal::bad(NOT_MODIFIED));
    }
    let new = Shown { edits: old.edits + 1, ..new };
    let answer = chat.message_json(&new, &bot);
    chat.messages[place] = new;
    Ok(answer)
}

fn delete_message(world: &mut World, args: &Args) -> Result<Value, Refusal> {
    let chat = world.chats.writable(args.chat())?;
    let id = args.int("message_id").ok_or_else(|| Refusal::bad("message identifier is not specified"))?;
    let place = chat.messages.iter().position(|message| message.id == id);
    chat.messages.remove(place.ok_or_else(|| Refusal::bad("message to delete not found"))?);
    Ok(json!(true))
}

fn answer_press(world: &mut World, args: &Args) -> Result<Value, Refusal> {
    let text = args.text("text").map(ToOwned::to_owned);
    if text.as_deref().is_some_and(|text| html::units(text) > MOST_ANSWER) {
        return Err(Refusal::bad("MESSAGE_TOO_LONG"));
    }
    match world.presses.get_mut(args.text("callback_query_id").unwrap_or_default()) {
        Some(answer @ None) => {
            *answer = Some(Answer { text, alert: args.flag("show_alert") });
            Ok(json!(true))
        }
        _ => Err(Refusal::bad("query is too old and response timeout expired or query ID is invalid")),
    }
}

fn chat_action(world: &mut World, args: &Args) -> Result<Value, Refusal> {
    const ACTIONS: [&str; 5] = ["typing", "upload_document", "upload_photo", "find_location", "choose_sticker"];
    world.chats.writable(args.chat())?;
    if args.text("action").is_none_or(|action| !ACTIONS.contains(&action)) {
        return Err(Refusal::bad("wrong parameter action in request"));
    }
    Ok(json!(true))
}

fn get_chat(world: &mut World, args: &Args) -> Result<Value, Refusal> {
    let mut value = world.chats.writable(args.chat())?.to_json();
    value["accent_color_id"] = json!(0);
    value["max_reaction_count"] = json!(11);
    value["accepted_gift_types"] = json!({
        "unlimited_gifts": true, "limited_gifts": true, "unique_gifts": true, "premium_subscription": true,
    });
    Ok(value)
}

fn within(parsed: &Parsed, most: usize, complaint: &str) -> Result<(), Refusal> {
    if html::units(&parsed.text) > most { Err(Refusal::bad(complaint)) } else { Ok(()) }
}
