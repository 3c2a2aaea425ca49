//! What people do: they write, press buttons, block the bot.

use serde_json::{Value, json};

use super::{
    Person, Shown, Telegram,
    args::Refusal,
    chats::{self, Kind},
    html,
    world::World,
};

impl Telegram {
    /// A person writes to the bot in private. The chat begins with the first message. Answers the update's number.
    pub fn say(&self, person: &Person, text: &str) -> i64 {
        self.shared.with(|world| {
            world.chats.open(person.id, || Kind::Private(person.clone()));
            write(world, person.id, person, text)
        })
    }

    /// A person writes in a group, which is made when it is new (the number of a group is negative).
    pub fn say_in(&self, group: i64, person: &Person, text: &str) -> i64 {
        self.shared.with(|world| {
            world.chats.open(group, || Kind::Group(format!("Group {group}")));
            write(world, group, person, text)
        })
    }

    /// A person's chat with the bot is opened without a word of theirs.
    pub fn meet(&self, person: &Person) {
        self.shared.with(|world| {
            world.chats.open(person.id, || Kind::Private(person.clone()));
        });
    }

    /// Whoever `person` is presses a button with this data under a message. Nothing is checked, since an old app may
    /// still show an old keyboard: a press can be repeated, come late, or come from somebody else. Answers the press's
    /// id, under which [`Telegram::answer_to`] shows what the bot said.
    pub fn press(&self, person: &Person, chat: i64, message: i64, data: &str) -> String {
        self.shared.with(|world| {
            let id = format!("{}{:06}", person.id, world.presses.len() + 1);
            world.presses.insert(id.clone(), None);
            let body = json!({
                "id": id,
                "from": person.to_json(),
                "message": pressed(world, chat, message),
                "chat_instance": format!("instance{chat}"),
                "data": data,
            });
            world.queue.push("callback_query", &body);
            id
        })
    }

    /// Presses the button with this label where it stands now, in the newest message that has it. `None` if there is
    /// no such button.
    pub fn tap(&self, person: &Person, chat: i64, label: &str) -> Option<String> {
        let shown = self.transcript(chat);
        let message = shown.iter().rev().find(|message| message.button(label).is_some())?;
        Some(self.press(person, chat, message.id, message.button(label)?))
    }

    /// Puts any update in the queue: `kind` is the name of its field, such as `message`. Answers its number.
    pub fn push_raw(&self, kind: &str, body: &Value) -> i64 {
        self.shared.with(|world| world.queue.push(kind, body))
    }

    /// Delivers an update once more, even if it was acknowledged. `false` if there never was such an update.
    pub fn repeat(&self, update: i64) -> bool {
        self.shared.with(|world| world.queue.repeat(update))
    }

    /// The person blocks the bot.
    pub fn block(&self, person: &Person) {
        self.close(person.id, Some("Forbidden: bot was blocked by the user"));
    }

    /// The person lets the bot write again.
    pub fn unblock(&self, person: &Person) {
        self.close(person.id, None);
    }

    /// The person's account is gone.
    pub fn deactivate(&self, person: &Person) {
        self.close(person.id, Some("Forbidden: user is deactivated"));
    }

    /// The person deletes a message on both sides.
    pub fn erase(&self, chat: i64, message: i64) {
        self.shared.with(|world| {
            if let Some(chat) = world.chats.by_id.get_mut(&chat) {
                chat.messages.retain(|shown| shown.id != message);
            }
        });
    }

    fn close(&self, chat: i64, why: Option<&str>) {
        self.shared.with(|world| {
            if let Some(chat) = world.chats.by_id.get_mut(&chat) {
                chat.closed = why.map(|why| Refusal::new(403, why));
            }
        });
    }
}

fn write(world: &mut World, chat: i64, person: &Person, text: &str) -> i64 {
    let (id, at, bot) = (world.chats.next_message(), world.clock.now(), world.bot_json());
    let message: Shown = chats::message(id, at, Some(person.clone()), text, html::plain(text));
    let Some(chat) = world.chats.by_id.get_mut(&chat) else { return 0 };
    let mut body = chat.message_json(&message, &bot);
    if let Some(command) = text.split_whitespace().next().filter(|word| word.starts_with('/')) {
        body["entities"] = json!([{"type": "bot_command", "offset": 0, "length": html::units(command)}]);
    }
    chat.messages.push(message);
    world.queue.push("message", &body)
}

/// The message that a press came from; the real server sends a stump when it is gone.
fn pressed(world: &World, chat: i64, message: i64) -> Value {
    let Some(chat) = world.chats.by_id.get(&chat) else {
        return json!({"chat": {"id": chat, "type": "private"}, "message_id": message, "date": 0});
    };
    match chat.messages.iter().find(|shown| shown.id == message) {
        Some(shown) => chat.message_json(shown, &world.bot_json()),
        None => json!({"chat": chat.to_json(), "message_id": message, "date": 0}),
    }
}
