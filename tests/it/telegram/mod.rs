//! The messenger, over the wire against the strict Telegram, and in a terminal.

mod faults;
mod limits;
mod terminal;
mod texts;

use rackhand_bot::messenger::{
    ChatId, CommandScope, Incoming, Kind, Message, MessageId, Messenger, SendError, UpdateId, telegram,
};
use rackhand_core::secret::Secret;
use rackhand_tests::telegram::{Person, Telegram};
use serde_json::json;

use crate::harness::SOON;

async fn start() -> (Telegram, telegram::Telegram) {
    let server = Telegram::start().await.unwrap();
    let bot = connect(&server);
    (server, bot)
}

fn connect(server: &Telegram) -> telegram::Telegram {
    crate::harness::init();
    telegram::Telegram::new(server.api_url(), Secret::new(server.token())).unwrap()
}

fn anna() -> Person {
    Person::new(101, "Anna").speaking("ru")
}

/// All updates that wait, acknowledged.
async fn read(bot: &telegram::Telegram, after: &mut Option<UpdateId>) -> Vec<Kind> {
    let updates = bot.updates(*after).await.unwrap();
    *after = updates.last().map(|incoming| incoming.update).or(*after);
    updates.into_iter().map(|incoming| incoming.kind).collect()
}

#[tokio::test]
async fn a_conversation() {
    let (server, bot) = start().await;
    let (anna, boris) = (anna(), Person::new(102, "Boris"));
    let mut after = None;

    let said = server.say(&anna, "/rebuild <vps>");
    let [Kind::Text { origin, text }] = &read(&bot, &mut after).await[..] else { panic!("no text") };
    assert_eq!((text.as_str(), origin.chat, origin.private), ("/rebuild <vps>", ChatId(101), true));
    assert_eq!((origin.person.telegram_id, origin.person.language.as_deref()), (101, Some("ru")));

    let question = Message::new("<b>Rebuild</b> vps-1 &amp; lose all?").row([("Approve", "yes:1"), ("Refuse", "no:1")]);
    let id = bot.send(ChatId(101), &question.silent()).await.unwrap();
    let shown = server.wait_for(101, SOON, |chat| chat.last().filter(|message| message.from.is_none()).cloned());
    let shown = shown.await.unwrap();
    assert_eq!((MessageId(shown.id), shown.text.as_str(), shown.silent), (id, "Rebuild vps-1 & lose all?", true));
    assert_eq!(shown.button("Refuse"), Some("no:1"));

    // A press by somebody else arrives as theirs, and a replay as a press of its own.
    let pressed = [server.tap(&anna, 101, "Approve").unwrap(), server.press(&boris, 101, id.0, "yes:1")];
    let kinds = read(&bot, &mut after).await;
    let people: Vec<i64> = kinds
        .iter()
        .map(|kind| match kind {
            Kind::Press { origin, message, data, .. } if *message == id && data == "yes:1" => origin.person.telegram_id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(people, [101, 102]);
    let Kind::Press { press, .. } = &kinds[0] else { panic!("no press") };
    bot.answer_press(press, Some("Working on it")).await.unwrap();
    assert_eq!(bot.answer_press(press, None).await, Err(SendError::PressExpired));
    assert_eq!(server.wait_for_answer(&pressed[0], SOON).await.unwrap().text.as_deref(), Some("Working on it"));
    assert_eq!(server.unanswered(), [pressed[1].clone()]);

    // An edit takes the buttons away; the same edit again changes nothing.
    bot.edit(ChatId(101), id, &Message::new("Rebuilding…")).await.unwrap();
    assert_eq!(bot.edit(ChatId(101), id, &Message::new("Rebuilding…")).await, Err(SendError::NotModified));
    let shown = server.transcript(101).pop().unwrap();
    assert_eq!((shown.text.as_str(), shown.buttons.len(), shown.edits), ("Rebuilding…", 0, 1));

    // Acknowledged updates stay away, unless the server delivers one again.
    assert_eq!(server.unread(), 2);
    server.repeat(said);
    let again = bot.updates(after).await.unwrap();
    assert!(matches!(&again[..], [Incoming { update, kind: Kind::Text { .. } }] if update.0 == said));
    assert_eq!(server.unread(), 0);

    let commands = [("servers".to_owned(), "список серверов".to_owned())];
    bot.set_commands(CommandScope::Chat(ChatId(101)), Some("ru"), &commands).await.unwrap();
    bot.set_commands(CommandScope::Default, None, &[]).await.unwrap();
    assert_eq!(server.commands(Some(101), "ru"), commands);
    assert_eq!(bot.me().await.unwrap(), server.username());
}

#[tokio::test]
async fn what_cannot_be_delivered() {
    let (server, bot) = start().await;
    let (anna, chat) = (anna(), ChatId(101));
    let hello = Message::new("hello");
    assert!(matches!(bot.send(chat, &hello).await, Err(SendError::Blocked { why }) if why.contains("chat not found")));
    server.meet(&anna);
    let id = bot.send(chat, &hello).await.unwrap();

    server.block(&anna);
    assert!(
        matches!(bot.send(chat, &hello).await, Err(SendError::Blocked { why }) if why.contains("blocked by the user"))
    );
    server.deactivate(&anna);
    assert!(matches!(bot.edit(chat, id, &hello).await, Err(SendError::Blocked { why }) if why.contains("deactivated")));
    server.unblock(&anna);

    server.erase(101, id.0);
    assert_eq!(bot.edit(chat, id, &Message::new("bye")).await, Err(SendError::MessageGone));
    assert_eq!(bot.edit(chat, MessageId(i64::MAX), &hello).await, Err(SendError::MessageGone));

    let stranger = telegram::Telegram::new(server.api_url(), Secret::new("1:wrong")).unwrap();
    assert_eq!(stranger.me().await, Err(SendError::Unauthorized));
    assert_eq!(server.transcript(101), []);
}

#[tokio::test]
async fn a_file_with_a_caption() {
    let (server, bot) = start().await;
    server.meet(&anna());
    let log = Message::new("The <i>whole</i> log").document("job \"7\".log", b"line\n".to_vec()).row([("OK", "ok")]);
    let id = bot.send(ChatId(101), &log).await.unwrap();
    let shown = server.transcript(101).pop().unwrap();
    let file = shown.document.clone().unwrap();
    assert_eq!(
        (shown.text.as_str(), shown.button("OK"), file.bytes),
        ("The whole log", Some("ok"), b"line\n".to_vec())
    );
    assert!(file.name.contains('7'), "{}", file.name);
    bot.edit(ChatId(101), id, &Message { html: "Read".into(), buttons: Vec::new(), ..log }).await.unwrap();
    assert_eq!(server.transcript(101).pop().unwrap().text, "Read");
}

#[tokio::test]
async fn one_poller_alone() {
    let (server, bot) = start().await;
    let (older, newer) = (connect(&server), connect(&server));
    let waiting = tokio::spawn(async move { older.updates(None).await });
    server.wait_for_call(SOON, |call| (call.method == "getupdates").then_some(())).await.unwrap();
    let newer = tokio::spawn(async move { newer.updates(None).await });
    assert!(matches!(waiting.await.unwrap(), Err(SendError::Conflict { what }) if what.contains("other getUpdates")));
    server.say(&anna(), "hi");
    assert_eq!(newer.await.unwrap().unwrap().len(), 1);

    crate::harness::init();
    let url = format!("{}/bot{}/setWebhook", server.api_url(), server.token());
    let set = reqwest::Client::builder().no_proxy().build().unwrap().post(url);
    set.header("content-type", "application/json").body(r#"{"url":"https://example.org/hook"}"#).send().await.unwrap();
    assert!(matches!(bot.updates(None).await, Err(SendError::Conflict { what }) if what.contains("webhook")));
}

#[tokio::test]
async fn what_cannot_be_read_is_counted_and_what_can_be_is_not_lost() {
    let (server, bot) = start().await;
    let mut after = None;
    let chat = json!({"id": 101, "type": "private", "first_name": "Anna"});
    let from = json!({"id": 101, "is_bot": false, "first_name": "Anna"});
    let message = |fields: serde_json::Value| {
        let mut all = json!({"message_id": 5, "date": 1_700_000_000, "chat": chat, "from": from});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        server.push_raw("message", &all);
    };
    message(json!({"text": "/jobs", "entities": [{"type": "hologram", "offset": 0, "length": 5}]}));
    message(json!({"photo": [{"file_id": "p", "file_unique_id": "p", "width": 1, "height": 1}]}));
    message(json!({"text": "/users", "sender_chat": {"id": -5, "type": "supergroup", "title": "Admins"}}));
    message(json!({"text": "/users", "from": {"id": 7, "is_bot": true, "first_name": "Robot"}}));
    server.push_raw("message", &json!({"some fields are missing": true}));
    server
        .push_raw("callback_query", &json!({"id": "1", "from": from, "chat_instance": "x", "inline_message_id": "i"}));

    let kinds = read(&bot, &mut after).await;
    assert!(matches!(&kinds[0], Kind::Text { text, .. } if text == "/jobs"), "{:?}", kinds[0]);
    assert!(matches!(&kinds[1], Kind::Unreadable { origin: Some(origin) } if origin.chat == ChatId(101)));
    assert_eq!(kinds[2..], [const { Kind::Unreadable { origin: None } }; 4]);
    // A later one still comes: nothing stands in the way.
    server.say(&anna(), "hi");
    assert!(matches!(&read(&bot, &mut after).await[..], [Kind::Text { text, .. }] if text == "hi"));
}
