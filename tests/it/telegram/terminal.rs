//! The same messenger in a terminal: through a pipe, and on a screen.

use rackhand_bot::messenger::{
    ChatId, Kind, Message, MessageId, Messenger, Person, SendError, UpdateId, terminal::Terminal,
};
use rackhand_core::units::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};

const STARTED: i64 = 1_700_000_000_000;

/// A chat on a screen of this size (or in a pipe), what the person types into, and what the person sees.
fn chat(size: Option<(usize, usize)>) -> (Terminal, DuplexStream, DuplexStream) {
    let person = Person { telegram_id: 1, username: None, first_name: "You".into(), last_name: None, language: None };
    let (keys, input) = tokio::io::duplex(64 * 1024);
    let (output, seen) = tokio::io::duplex(64 * 1024);
    let terminal = Terminal::new(
        person,
        Timestamp(STARTED),
        Box::new(BufReader::new(input)),
        Box::new(output),
        Box::new(move || size),
    );
    (terminal, keys, seen)
}

async fn seen(screen: &mut DuplexStream) -> String {
    let mut buffer = vec![0; 64 * 1024];
    let count = screen.read(&mut buffer).await.unwrap();
    String::from_utf8(buffer[..count].to_vec()).unwrap()
}

/// The next thing the person does, acknowledged.
async fn next(terminal: &Terminal, after: &mut Option<UpdateId>) -> Kind {
    let updates = terminal.updates(*after).await.unwrap();
    assert_eq!(updates.len(), 1);
    *after = Some(updates[0].update);
    updates[0].kind.clone()
}

#[tokio::test]
async fn through_a_pipe() {
    let (terminal, mut keys, mut screen) = chat(None);
    let (me, mut after) = (ChatId(1), None);
    keys.write_all(b"\n  /servers \n").await.unwrap();
    assert!(matches!(next(&terminal, &mut after).await, Kind::Text { text, .. } if text == "/servers"));

    let plan = Message::new("<b>Rebuild</b> vps\u{1b}[31m-1 &amp; &#27;]0;x &lt;all&gt;?\nSure?")
        .row([("Approve", "yes"), ("Refuse", "no")]);
    let first = terminal.send(me, &plan).await.unwrap();
    assert_eq!(
        seen(&mut screen).await,
        "#1 Rebuild vps\u{fffd}[31m-1 & \u{fffd}]0;x <all>?\n   Sure?\n   [1] Approve  [2] Refuse\n\n"
    );
    let second = terminal.send(me, &Message::new("See <a href=\"https://x.org/?a&amp;b\">this</a>")).await.unwrap();
    assert_eq!(seen(&mut screen).await, "#2 See this (https://x.org/?a&b)\n\n");

    // Not acknowledged, the press comes again; acknowledged, the next one comes.
    keys.write_all(b"2\n#1.1\n3\n#2.1\n").await.unwrap();
    let press = terminal.updates(after).await.unwrap();
    assert_eq!(press, terminal.updates(after).await.unwrap());
    for expected in ["no", "yes"] {
        match next(&terminal, &mut after).await {
            Kind::Press { message, data, press, .. } => {
                assert_eq!((message, data.as_str()), (first, expected));
                terminal.answer_press(&press, Some("Fine")).await.unwrap();
                assert_eq!(terminal.answer_press(&press, None).await, Err(SendError::PressExpired));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(seen(&mut screen).await, "» Fine\n");
    }
    for expected in ["3", "#2.1"] {
        assert!(matches!(next(&terminal, &mut after).await, Kind::Text { text, .. } if text == expected));
    }

    terminal.edit(me, second, &Message::new("Seen")).await.unwrap();
    assert_eq!(seen(&mut screen).await, "↻ #2 Seen\n\n");
    terminal.edit(me, first, &Message { buttons: Vec::new(), ..plan }).await.unwrap();
    assert_eq!(terminal.edit(me, second, &Message::new("Seen")).await, Err(SendError::NotModified));
    assert_eq!(terminal.edit(me, MessageId(2), &Message::new("of an earlier run")).await, Err(SendError::MessageGone));
    assert!(matches!(terminal.send(ChatId(2), &Message::new("x")).await, Err(SendError::Blocked { .. })));

    keys.write_all(b"last words").await.unwrap();
    drop(keys);
    assert!(matches!(next(&terminal, &mut after).await, Kind::Text { text, .. } if text == "last words"));
    assert_eq!(terminal.updates(after).await, Err(SendError::Left));
    drop(terminal);
    assert_eq!(seen(&mut screen).await, "", "taking the buttons away shows nothing");
}

#[tokio::test]
async fn what_destroys_is_not_pressed_by_a_number_that_was_meant_for_another_message() {
    let (terminal, mut keys, mut screen) = chat(None);
    let (me, mut after) = (ChatId(1), None);
    terminal.send(me, &Message::new("Servers").row([("vps-1", "server")])).await.unwrap();
    let question = Message { grave: true, ..Message::new("Wipe?").row([("Approve", "yes"), ("Refuse", "no")]) };
    let question = terminal.send(me, &question).await.unwrap();
    assert!(seen(&mut screen).await.ends_with("#2 Wipe?\n   [#2.1] Approve  [#2.2] Refuse\n\n"));
    keys.write_all(b"1\n#2.1\n").await.unwrap();
    assert!(matches!(next(&terminal, &mut after).await, Kind::Text { text, .. } if text == "1"));
    let pressed = next(&terminal, &mut after).await;
    assert!(matches!(pressed, Kind::Press { message, data, .. } if (message, data.as_str()) == (question, "yes")));
}

#[tokio::test]
async fn on_a_screen_the_newest_message_is_redrawn() {
    let (terminal, mut keys, mut screen) = chat(Some((24, 10)));
    let me = ChatId(1);
    let card = terminal.send(me, &Message::new("<b>Job</b> is at task 12 of 31")).await.unwrap();
    assert_eq!(seen(&mut screen).await, "\r\x1b[J\x1b[0;2m#1 \x1b[0m\x1b[0;1mJob\x1b[0m is at task 12 of\n   31\n\n› ");
    terminal.edit(me, card, &Message::new("Done")).await.unwrap();
    assert_eq!(seen(&mut screen).await, "\r\x1b[3A\x1b[J\r\x1b[J\x1b[0;2m#1 \x1b[0mDone\n\n› ");

    // So is one above it, with what stands below.
    let below = terminal.send(me, &Message::new("Next").row([("Go", "go")])).await.unwrap();
    seen(&mut screen).await;
    terminal.edit(me, card, &Message::new("Done!").row([("Why", "why")])).await.unwrap();
    let both = seen(&mut screen).await;
    assert!(both.starts_with("\r\x1b[5A\x1b[J") && both.find("Done!") < both.find("Next"), "{both:?}");
    terminal.edit(me, below, &Message::new("Next?").row([("Go", "go")])).await.unwrap();
    // With as many lines as before it is written over the old ones: what is being typed below stays.
    let over = seen(&mut screen).await;
    assert!(over.starts_with("\x1b7\r\x1b[3A") && over.ends_with("\x1b8") && !over.contains("\x1b[J"), "{over:?}");

    // Once the person has typed something below it, it is shown again instead, and a number means the lowest one.
    keys.write_all(b"/jobs\n").await.unwrap();
    let typed = terminal.updates(None).await.unwrap();
    assert_eq!(seen(&mut screen).await, "› ");
    terminal.edit(me, card, &Message::new("Well done").row([("Why", "why")])).await.unwrap();
    let again = seen(&mut screen).await;
    assert!(again.starts_with("\r\x1b[J\x1b[0;2m↻ #1 \x1b[0mWell done\n"), "{again:?}");
    keys.write_all(b"1\n").await.unwrap();
    match next(&terminal, &mut Some(typed[0].update)).await {
        Kind::Press { message, data, .. } => assert_eq!((message, data.as_str()), (card, "why")),
        other => panic!("{other:?}"),
    }
}
