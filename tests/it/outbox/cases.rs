//! One message at a time, and all that can become of it.

use rackhand_bot::{
    messenger::{self, terminal::Terminal},
    sender::{Chats, TERMINAL_CHAT},
};
use rackhand_core::model::ButtonSpec;
use rackhand_tests::telegram::Fault;

use super::*;

/// On both engines: a scene with one person, and a sender that runs thirty times as fast as the world.
async fn each<F: AsyncFn(&Scene, &Person)>(case: F) {
    for scene in Scene::each(30).await {
        let person = scene.people(1).remove(0);
        let sender = run(scene.sender("a"));
        case(&scene, &person).await;
        sender.stop().await;
        assert_eq!(scene.server.violations(), []);
        assert_eq!(scene.server.faults_left(), 0);
    }
}

#[tokio::test]
async fn the_same_key_edits_the_message() {
    each(async |scene, person| {
        for html in ["one", "two", "two", "three"] {
            scene.ready(person.id, "card", Level::Info, html).await;
            scene.drained().await;
        }
        let shown = scene.server.transcript(person.id);
        assert_eq!((shown.len(), shown[0].text.as_str(), shown[0].edits), (1, "three", 2));
        // Gone on the phone: it comes anew.
        scene.server.erase(person.id, shown[0].id);
        scene.ready(person.id, "card", Level::Info, "four").await;
        scene.drained().await;
        assert_eq!(scene.texts(person.id), ["four"]);
    })
    .await;
}

#[tokio::test]
async fn a_person_who_blocked_the_bot_is_left_alone_until_they_write() {
    each(async |scene, person| {
        let seen = rackhand_core::model::Person {
            telegram_id: person.id,
            username: None,
            first_name: "P".into(),
            last_name: None,
            language: None,
        };
        let write = async || {
            let mut tx = scene.store.write().await.unwrap();
            let (user, _) = tx.person_seen(&seen, scene.clock.now()).await.unwrap();
            tx.commit().await.unwrap();
            user
        };
        assert!(!write().await.blocked);
        scene.server.block(person);
        scene.mail(&[notice(person.id, 1, Level::Critical), notice(person.id, 2, Level::Info)]).await;
        scene.drained().await;
        scene.ready(person.id, "x", Level::Critical, "x").await;
        scene.drained().await;
        assert_eq!(scene.server.calls().len(), 1, "one call was enough to know");
        assert_eq!(scene.statuses(person.id).await, [("undeliverable".to_owned(), 3)].into());
        scene.server.unblock(person);
        assert!(!write().await.blocked);
        scene.ready(person.id, "y", Level::Reply, "welcome back").await;
        scene.drained().await;
        assert_eq!(scene.texts(person.id), ["welcome back"]);
    })
    .await;
}

#[tokio::test]
async fn markup_that_telegram_refuses_goes_out_as_plain_text() {
    each(async |scene, person| {
        scene.ready(person.id, "bad", Level::Info, "a <b>bold word & <nonsense>").await;
        scene.drained().await;
        assert_eq!(scene.texts(person.id), ["a bold word &"]);
        // Nothing can be said with nothing.
        scene.ready(person.id, "empty", Level::Info, " ").await;
        scene.ready(person.id, "next", Level::Info, "next").await;
        scene.drained().await;
        assert_eq!(scene.texts(person.id)[1..], ["next"]);
        assert_eq!(scene.statuses(person.id).await["undeliverable"], 1);
    })
    .await;
}

#[tokio::test]
async fn a_long_text_is_split_or_becomes_a_file() {
    each(async |scene, person| {
        let line = "<b>word</b> and more &amp; more of it\n";
        let long = line.repeat(400);
        let buttons = vec![vec![ButtonSpec { label: "OK".into(), data: "ok".into() }]];
        let body = Body::Ready { html: long.clone(), buttons };
        // The second part fails once: the first does not come again.
        scene.server.fail("sendMessage", &Fault::Delay(Duration::ZERO), 1);
        scene.server.fail("sendMessage", &Fault::ServerError(rackhand_tests::telegram::When::Before), 1);
        scene.mail(&[Mail { chat: person.id, key: "long".into(), level: Level::Info, body }]).await;
        scene.drained().await;
        let shown = scene.server.transcript(person.id);
        assert_eq!(shown.len(), 3);
        let whole: Vec<&str> = shown.iter().map(|part| part.text.trim_end()).collect();
        assert_eq!(whole.join("\n"), "word and more & more of it\n".repeat(400).trim_end());
        let buttons: Vec<bool> = shown.iter().map(|part| part.button("OK").is_some()).collect();
        assert_eq!(buttons, [false, false, true]);

        scene.ready(person.id, "longer", Level::Info, &long.repeat(2)).await;
        scene.drained().await;
        let file = scene.server.transcript(person.id).pop().unwrap();
        assert!(file.text.starts_with("word and more & more") && file.text.ends_with('…'), "{}", file.text);
        assert_eq!(file.document.unwrap().bytes, "word and more & more of it\n".repeat(800).into_bytes());
    })
    .await;
}

#[tokio::test]
async fn a_429_is_kept_to_also_by_the_next_sender() {
    for scene in Scene::each(10).await {
        let people = scene.people(2);
        let sender = run(scene.sender("a"));
        scene.server.fail("sendMessage", &Fault::TooMany(20), 1);
        scene.ready(people[0].id, "one", Level::Info, "one").await;
        scene.server.wait_for_call(SOON, |call| (call.outcome == Outcome::Answered(429)).then_some(())).await.unwrap();
        sender.stop().await;
        // A chat that was hardly written to cannot be the reason: all wait.
        let sender = run(scene.sender("b"));
        scene.ready(people[1].id, "two", Level::Critical, "two").await;
        scene.drained().await;
        sender.stop().await;
        assert_eq!(scene.server.violations(), []);
        let calls = scene.server.calls();
        assert_eq!(calls.len(), 3);
        assert!(calls[1].at.since(calls[0].at) >= Duration::from_secs(20));
    }
}

#[tokio::test]
async fn no_answer_is_tried_again_and_new_messages_go_before_edits() {
    each(async |scene, person| {
        scene.ready(person.id, "card", Level::Reply, "0 %").await;
        scene.drained().await;
        scene.server.fail("sendMessage", &Fault::Drop(rackhand_tests::telegram::When::Before), 2);
        scene.ready(person.id, "card", Level::Reply, "50 %").await;
        scene.mail(&[notice(person.id, 1, Level::Error), notice(person.id, 2, Level::Critical)]).await;
        scene.drained().await;
        let texts = scene.texts(person.id);
        assert_eq!(texts[0], "50 %");
        assert_eq!(texts[1..].iter().cloned().collect::<std::collections::BTreeSet<_>>().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_live_card_leaves_room_for_news() {
    for scene in Scene::each(10).await {
        let person = scene.people(1).remove(0);
        scene.server.set_real_limits(true);
        let sender = run(scene.sender("a"));
        let card = async |percent: u32| scene.ready(person.id, "card", Level::Reply, &format!("{percent} %")).await;
        card(0).await;
        scene.drained().await;
        let news: Vec<Mail> = (0..7).map(|n| notice(person.id, n, Level::Info)).collect();
        scene.mail(&news).await;
        let mut percent = 0;
        while scene.server.done("editMessageText").len() < 3 && percent < 1000 {
            percent += 1;
            card(percent).await;
            scene.clock.sleep(Duration::from_millis(300)).await;
        }
        scene.drained().await;
        sender.stop().await;
        let calls = scene.server.calls();
        let methods: Vec<&str> = calls.iter().map(|call| call.method.as_str()).collect();
        assert!(methods[1..8].iter().all(|method| *method == "sendmessage"), "{methods:?}");
        assert!(methods[8..].iter().all(|method| *method == "editmessagetext"), "{methods:?}");
        let took = calls.last().unwrap().at.since(calls[0].at);
        assert!(took >= Duration::from_millis(900) * u32::try_from(calls.len() - 1).unwrap(), "one a second: {took:?}");
        assert_eq!(scene.texts(person.id)[0], format!("{percent} %"));
        assert_eq!(scene.server.violations(), []);
    }
}

#[tokio::test]
async fn a_group_gets_twenty_a_minute_and_no_digest() {
    for scene in Scene::each(30).await {
        let person = scene.people(1).remove(0);
        scene.server.say_in(-7, &person, "hi");
        scene.server.set_real_limits(true);
        let sender = run(scene.sender("a"));
        scene.mail(&(0..25).map(|n| notice(-7, n, Level::Info)).collect::<Vec<_>>()).await;
        scene.drained().await;
        sender.stop().await;
        assert_eq!(scene.server.done("sendMessage").len(), 25);
        assert_eq!(scene.server.calls().len(), 25, "not one 429");
    }
}

#[tokio::test]
async fn a_group_that_moved_is_followed() {
    for scene in Scene::each(30).await {
        let person = scene.people(1).remove(0);
        scene.server.say_in(-8, &person, "hi");
        let moved = |chat: ChatId, _: &Message| (chat.0 == -7).then_some(SendError::Moved { to: ChatId(-8) });
        let messenger = Arc::new(Hooked { inner: scene.messenger(), hook: Box::new(moved) });
        let sender = run(scene.sender_on(scene.store.clone(), messenger, "a"));
        scene.mail(&[notice(-7, 1, Level::Info), notice(-7, 2, Level::Critical)]).await;
        scene.drained().await;
        sender.stop().await;
        assert_eq!(scene.texts(-8)[1..], ["critical 2", "info 1"]);
    }
}

#[tokio::test]
async fn asked_to_stop_it_finishes_what_is_in_flight() {
    for scene in Scene::each(1).await {
        let person = scene.people(1).remove(0);
        let sender = run(scene.sender("a"));
        scene.server.fail("sendMessage", &Fault::Delay(Duration::from_millis(300)), 1);
        scene.mail(&[notice(person.id, 1, Level::Info), notice(person.id, 2, Level::Info)]).await;
        scene.server.wait_for_call(SOON, |call| (call.outcome == Outcome::Open).then_some(())).await.unwrap();
        sender.stop().await;
        assert_eq!(scene.statuses(person.id).await, [("pending".to_owned(), 1), ("sent".to_owned(), 1)].into());
        // The lease is free at once.
        let sender = run(scene.sender("b"));
        scene.drained().await;
        sender.stop().await;
        assert_eq!(scene.texts(person.id), ["info 1", "info 2"]);
    }
}

fn no_answer() -> SendError {
    SendError::Unavailable { method: "SendMessage", what: "nothing".into(), maybe_done: false }
}

#[tokio::test]
async fn while_telegram_is_away_it_is_asked_ever_more_seldom() {
    for scene in Scene::each(30).await {
        let person = scene.people(1).remove(0);
        let (note, mut calls) = tokio::sync::mpsc::unbounded_channel();
        let clock = scene.clock.clone();
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let away = move |_: ChatId, _: &Message| {
            note.send(clock.now()).unwrap();
            (asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 5).then(no_answer)
        };
        let messenger = Arc::new(Hooked { inner: scene.messenger(), hook: Box::new(away) });
        let sender = run(scene.sender_on(scene.store.clone(), messenger, "a"));
        scene.mail(&(0..10).map(|n| notice(person.id, n, Level::Reply)).collect::<Vec<_>>()).await;
        let mut times = Vec::new();
        for _ in 0..6 {
            times.push(calls.recv().await.unwrap());
        }
        for (pair, least) in times.windows(2).zip([2, 4, 8, 16, 32]) {
            assert!(pair[1].since(pair[0]) >= Duration::from_secs(least), "{times:?}");
        }
        scene.drained().await;
        sender.stop().await;
        assert_eq!(scene.server.transcript(person.id).len(), 10);
    }
}

#[tokio::test]
async fn one_message_that_never_gets_an_answer_does_not_hold_up_the_others() {
    for scene in Scene::each(30).await {
        let person = scene.people(1).remove(0);
        let poisonous = |_: ChatId, message: &Message| (message.html == "error 0").then(no_answer);
        let messenger = Arc::new(Hooked { inner: scene.messenger(), hook: Box::new(poisonous) });
        let sender = run(scene.sender_on(scene.store.clone(), messenger, "a"));
        let others = (1..6).map(|n| notice(person.id, n, Level::Info));
        scene.mail(&others.chain([notice(person.id, 0, Level::Error)]).collect::<Vec<_>>()).await;
        scene.server.wait_for(person.id, SOON, |shown| (shown.len() == 5).then_some(())).await.unwrap();
        sender.stop().await;
        assert_eq!(scene.statuses(person.id).await, [("pending".to_owned(), 1), ("sent".to_owned(), 5)].into());
    }
}

/// A terminal takes everybody else's chat for a closed one, and Telegram the terminal's.
#[tokio::test]
async fn a_terminal_and_telegram_leave_each_others_chats_alone() {
    for scene in Scene::each(1).await {
        let person = scene.people(1).remove(0);
        let mut tx = scene.store.write().await.unwrap();
        let known = rackhand_core::model::Person {
            telegram_id: person.id,
            username: None,
            first_name: "Anna".into(),
            last_name: None,
            language: None,
        };
        tx.person_seen(&known, scene.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        scene.mail(&[notice(person.id, 1, Level::Reply), notice(TERMINAL_CHAT, 1, Level::Reply)]).await;
        let local = messenger::Person {
            telegram_id: TERMINAL_CHAT,
            username: None,
            first_name: "you".into(),
            last_name: None,
            language: None,
        };
        let input = Box::new(tokio::io::BufReader::new(tokio::io::empty()));
        let screen = Terminal::new(local, START, input, Box::new(tokio::io::sink()), Box::new(|| None));
        let sender = scene.sender_on(scene.store.clone(), Arc::new(screen), "terminal").serving(Chats::Terminal);
        let terminal = run(sender.budgets(FREE));
        while scene.statuses(TERMINAL_CHAT).await.get("sent") != Some(&1) {
            SystemClock.sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(scene.statuses(person.id).await, BTreeMap::from([("pending".to_owned(), 1)]));
        // Each holds a lease of its own.
        let telegram = run(scene.sender("telegram").budgets(FREE));
        scene.drained().await;
        assert_eq!(scene.texts(person.id), ["reply 1"]);
        terminal.stop().await;
        scene.mail(&[notice(TERMINAL_CHAT, 2, Level::Reply), notice(person.id, 2, Level::Reply)]).await;
        while scene.texts(person.id).len() < 2 {
            SystemClock.sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(scene.statuses(TERMINAL_CHAT).await.get("pending"), Some(&1), "it waits for the terminal");
        let user = scene.store.read().await.unwrap().user_by_telegram(person.id).await.unwrap().unwrap();
        assert!(!user.blocked);
        telegram.stop().await;
    }
}
