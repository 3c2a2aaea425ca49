//! 429: how it reaches the caller, and how the simulator watches over it.

use std::{sync::Arc, time::Duration};

use rackhand_bot::messenger::{ChatId, Message, Messenger, SendError};
use rackhand_core::{
    clock::{Manual, ManualClock},
    units::Timestamp,
};
use rackhand_tests::telegram::{Fault, Person, Telegram};

use super::{anna, connect, start};

const fn wait(seconds: u64) -> SendError {
    SendError::TooMany { retry_after: Duration::from_secs(seconds) }
}

#[tokio::test]
async fn a_429_says_how_long_to_wait_and_who_does_not_wait_is_noted() {
    let clock = ManualClock::new(Timestamp(1_700_000_000_000));
    let server = Telegram::start_with(Arc::new(Manual(clock.clone()))).await.unwrap();
    let bot = connect(&server);
    server.meet(&anna());
    server.meet(&Person::new(102, "Boris"));
    server.fail("sendMessage", &Fault::TooMany(7), 1);
    let (first, second) = (Message::new("first"), Message::new("second"));
    assert_eq!(bot.send(ChatId(101), &first).await, Err(wait(7)));
    // This one may have been on its way already; another chat is free in any case.
    assert_eq!(bot.send(ChatId(101), &second).await, Err(wait(7)));
    bot.send(ChatId(102), &first).await.unwrap();
    assert_eq!(server.violations(), []);
    // The same again at once is impatience, and so is anything a while later.
    assert_eq!(bot.send(ChatId(101), &first).await, Err(wait(7)));
    clock.advance(Duration::from_millis(6500));
    assert_eq!(bot.send(ChatId(101), &second).await, Err(wait(1)));
    let early: Vec<u128> = server.violations().iter().map(|violation| violation.early_by.as_millis()).collect();
    assert_eq!(early, [7000, 500]);
    clock.advance(Duration::from_millis(500));
    bot.send(ChatId(101), &first).await.unwrap();
    assert_eq!(server.violations().len(), 2);
}

#[tokio::test]
async fn the_real_limits() {
    let clock = ManualClock::new(Timestamp(1_700_000_000_000));
    let server = Telegram::start_with(Arc::new(Manual(clock.clone()))).await.unwrap();
    let bot = connect(&server);
    server.set_real_limits(true);
    let hello = Message::new("hello");

    // A chat: three at once, then one a second, edits included.
    server.meet(&anna());
    let id = bot.send(ChatId(101), &hello).await.unwrap();
    bot.edit(ChatId(101), id, &Message::new("hi")).await.unwrap();
    bot.send(ChatId(101), &hello).await.unwrap();
    assert_eq!(bot.edit(ChatId(101), id, &hello).await, Err(wait(1)));
    for _ in 0..3 {
        clock.advance(Duration::from_secs(1));
        bot.send(ChatId(101), &hello).await.unwrap();
    }
    clock.advance(Duration::from_millis(400));
    assert_eq!(bot.send(ChatId(101), &hello).await, Err(wait(1)));

    // A group: twenty in a minute.
    clock.advance(Duration::from_secs(10));
    server.say_in(-7, &anna(), "hi");
    for _ in 0..20 {
        bot.send(ChatId(-7), &hello).await.unwrap();
    }
    clock.advance(Duration::from_secs(20));
    assert_eq!(bot.send(ChatId(-7), &hello).await, Err(wait(40)));

    // All: thirty in a second.
    let people: Vec<Person> = (0..31).map(|n| Person::new(1000 + n, "Somebody")).collect();
    for person in &people {
        server.meet(person);
    }
    for person in &people[..30] {
        bot.send(ChatId(person.id), &hello).await.unwrap();
    }
    assert_eq!(bot.send(ChatId(people[30].id), &hello).await, Err(wait(1)));
    // A press is answered all the same.
    let press = server.press(&anna(), 101, id.0, "x");
    bot.answer_press(&rackhand_bot::messenger::PressId(press), None).await.unwrap();
    assert_eq!(server.violations(), []);
}

#[tokio::test]
async fn a_429_of_a_poll_is_told() {
    let (server, bot) = start().await;
    server.fail("getUpdates", &Fault::TooMany(3), 1);
    assert_eq!(bot.updates(None).await, Err(wait(3)));
}
