//! One message at a time, and all that can become of it.

use rackhand_core::model::ButtonSpec;
use rackhand_tests::telegram::Fault;

use super::*;

const SOON: Duration = Duration::from_secs(15);

/// On both engines: a scene with one person, and a sender that runs thirty times as fast as the world.
async fn each<F: AsyncFn(&Scene, &Person)>(case: F) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let Some(scene) = Scene::new(engine, 30).await else { continue };
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
            scene.drained(SOON).await;
        }
        let shown = scene.server.transcript(person.id);
        assert_eq!((shown.len(), shown[0].text.as_str(), shown[0].edits), (1, "three", 2));
        // Gone on the phone: it comes anew.
        scene.server.erase(person.id, shown[0].id);
        scene.ready(person.id, "card", Level::Info, "four").await;
        scene.drained(SOON).await;
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
            let mut tx = scene.database.store.write().await.unwrap();
            let (user, _) = tx.person_seen(&seen, scene.clock.now()).await.unwrap();
            tx.commit().await.unwrap();
            user
        };
        assert!(!write().await.blocked);
        scene.server.block(person);
        scene.mail(&[notice(person.id, 1, Level::Critical), notice(person.id, 2, Level::Info)]).await;
        scene.drained(SOON).await;
        scene.ready(person.id, "x", Level::Critical, "x").await;
        scene.drained(SOON).await;
        assert_eq!(scene.server.calls().len(), 1, "one call was enough to know");
        assert_eq!(scene.statuses(person.id).await, [("undeliverable".to_owned(), 3)].into());
        scene.server.unblock(person);
        assert!(!write().await.blocked);
        scene.ready(person.id, "y", Level::Reply, "welcome back").await;
        scene.drained(SOON).await;
        assert_eq!(scene.texts(person.id), ["welcome back"]);
    })
    .await;
}

#[tokio::test]
async fn markup_that_telegram_refuses_goes_out_as_plain_text() {
    each(async |scene, person| {
        scene.ready(person.id, "bad", Level::Info, "a <b>bold word & <nonsense>").await;
        scene.drained(SOON).await;
        assert_eq!(scene.texts(person.id), ["a bold word & "]);
        // Nothing can be said with nothing.
        scene.ready(person.id, "empty", Level::Info, " ").await;
        scene.ready(person.id, "next", Level::Info, "next").await;
        scene.drained(SOON).await;
        assert_eq!(scene.texts(person.id)[1..], ["next"]);
        assert_eq!(scene.statuses(person.id).await["undeliverable"], 1);
    })
    .await;
}

#[tokio::test]
async fn a_long_text_is_split_or_becomes_a_file() {
    each(async |scene, person| {
        let line = "<b>word</b> and more &amp; more of it\n";
        let long = line.repeat(300);
        let buttons = vec![vec![ButtonSpec { label: "OK".into(), data: "ok".into() }]];
        let body = Body::Ready { html: long.clone(), buttons };
        // The second part fails once: the first does not come again.
        scene.server.fail("sendMessage", &Fault::Delay(Duration::ZERO), 1);
        scene.server.fail("sendMessage", &Fault::ServerError(rackhand_tests::telegram::When::Before), 1);
        scene.mail(&[Mail { chat: person.id, key: "long".into(), level: Level::Info, body }]).await;
        scene.drained(SOON).await;
        let shown = scene.server.transcript(person.id);
        assert_eq!(shown.len(), 3);
        let whole: String = shown.iter().map(|part| format!("{}\n", part.text.trim_end())).collect();
        assert_eq!(whole, "word and more & more of it\n".repeat(300));
        let buttons: Vec<bool> = shown.iter().map(|part| part.button("OK").is_some()).collect();
        assert_eq!(buttons, [false, false, true]);

        scene.ready(person.id, "longer", Level::Info, &long.repeat(2)).await;
        scene.drained(SOON).await;
        let file = scene.server.transcript(person.id).pop().unwrap();
        assert!(file.text.starts_with("word and more & more") && file.text.ends_with('…'), "{}", file.text);
        assert_eq!(file.document.unwrap().bytes, "word and more & more of it\n".repeat(600).into_bytes());
    })
    .await;
}

#[tokio::test]
async fn a_429_is_kept_to_also_by_the_next_sender() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let Some(scene) = Scene::new(engine, 10).await else { continue };
        let people = scene.people(2);
        let sender = run(scene.sender("a"));
        scene.server.fail("sendMessage", &Fault::TooMany(20), 1);
        scene.ready(people[0].id, "one", Level::Info, "one").await;
        scene.server.wait_for_call(SOON, |call| (call.outcome == Outcome::Answered(429)).then_some(())).await.unwrap();
        sender.stop().await;
        // A chat that was hardly written to cannot be the reason: all wait.
        let sender = run(scene.sender("b"));
        scene.ready(people[1].id, "two", Level::Critical, "two").await;
        scene.drained(SOON).await;
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
        scene.drained(SOON).await;
        scene.server.fail("sendMessage", &Fault::Drop(rackhand_tests::telegram::When::Before), 2);
        scene.ready(person.id, "card", Level::Reply, "50 %").await;
        scene.mail(&[notice(person.id, 1, Level::Error), notice(person.id, 2, Level::Critical)]).await;
        scene.drained(SOON).await;
        let texts = scene.texts(person.id);
        assert_eq!(texts[0], "50 %");
        assert_eq!(texts[1..].iter().cloned().collect::<std::collections::BTreeSet<_>>().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn idle_it_does_next_to_nothing() {
    each(async |scene, person| {
        scene.ready(person.id, "one", Level::Info, "one").await;
        scene.drained(SOON).await;
        let calls = scene.server.calls().len();
        scene.clock.sleep(Duration::from_secs(5)).await;
        assert_eq!(scene.server.calls().len(), calls);
    })
    .await;
}
