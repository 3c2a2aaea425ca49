//! Several senders on one database, and senders that die.

use std::sync::Mutex;

use super::*;

/// Long enough for a slow disk to prolong it.
const LEASE: Duration = Duration::from_secs(2);

/// Until so many messages were sent in all.
async fn sent(scene: &Scene, count: usize) {
    let enough = async {
        while scene.server.done("sendMessage").len() < count {
            SystemClock.sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, enough).await.expect("messages go out");
}

#[tokio::test]
async fn only_one_of_two_sends_and_the_other_takes_over() {
    let Some(scene) = Scene::new(Engine::Postgres, 1).await else { return };
    let people = scene.people(6);
    let log = Arc::new(Mutex::new(Vec::<&'static str>::new()));
    let start = async |name: &'static str| {
        let log = log.clone();
        let note = move |_: ChatId, _: &Message| {
            log.lock().unwrap().push(name);
            None
        };
        let messenger = Arc::new(Hooked { inner: scene.messenger(), hook: Box::new(note) });
        let store = scene.database.open().await;
        let sender = scene.sender_on(store, messenger, name).lease(Duration::from_secs(3));
        run(sender.budgets(Budgets { chat_per_second: 20, ..FREE }))
    };
    let (first, second) = (start("first").await, start("second").await);
    let mails: Vec<Mail> =
        (0..40).flat_map(|n| people.iter().map(move |person| notice(person.id, n, Level::Reply))).collect();
    scene.mail(&mails).await;
    sent(&scene, 60).await;
    // The one that sends stops in good order; the other one goes on.
    let active = log.lock().unwrap()[0];
    let (active, idle) = if active == "first" { (first, second) } else { (second, first) };
    active.stop().await;
    scene.drained().await;
    idle.stop().await;

    let mut turns = log.lock().unwrap().clone();
    assert_eq!(turns.len(), mails.len(), "each once");
    turns.dedup();
    assert_eq!(turns.len(), 2, "one after the other: {turns:?}");
    for person in &people {
        assert_eq!(scene.texts(person.id), (0..40).map(|n| format!("reply {n}")).collect::<Vec<_>>());
    }
}

/// Who holds the lease is robbed of it, as after a freeze: it stops, and sends nothing more.
async fn robbed(engine: Engine) {
    let Some(scene) = Scene::new(engine, 1).await else { return };
    let people = scene.people(3);
    let mails: Vec<Mail> =
        (0..100).flat_map(|n| people.iter().map(move |person| notice(person.id, n, Level::Reply))).collect();
    scene.mail(&mails).await;
    let sender = run(scene.sender("a").budgets(Budgets { chat_per_second: 20, ..FREE }));
    sent(&scene, 10).await;
    let mut connection = scene.database.connect().await;
    let rob = "UPDATE leases SET owner = 'thief', epoch = epoch + 1, until_at = until_at + 3600000";
    sqlx::query(rob).execute(&mut connection).await.unwrap();
    let before = scene.server.done("sendMessage").len();
    // More than a hundred would go out in this time.
    SystemClock.sleep(Duration::from_millis(1500)).await;
    let after = scene.server.done("sendMessage").len();
    assert!(after - before <= 2 * people.len(), "{before} before, {after} after");
    sender.stop().await;
}

#[tokio::test]
async fn a_lost_lease_stops_it_sqlite() {
    robbed(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_lost_lease_stops_it_postgres() {
    robbed(Engine::Postgres).await;
}

async fn killed(engine: Engine) {
    let Some(scene) = Scene::new(engine, 1).await else { return };
    let people = scene.people(6);
    let mails: Vec<Mail> =
        (0..50).flat_map(|n| people.iter().map(move |person| notice(person.id, n, Level::Reply))).collect();
    scene.mail(&mails).await;
    let names = ["a", "b", "c"];
    for (number, name) in names.iter().enumerate() {
        let sender = scene.sender(name).lease(LEASE);
        let sender = run(sender.budgets(Budgets { chat_per_second: 200, ..FREE }));
        sent(&scene, (number + 1) * 50).await;
        sender.kill().await;
    }
    let sender = run(scene.sender("e").lease(LEASE).budgets(FREE));
    scene.drained().await;
    sender.stop().await;
    for person in &people {
        let mut texts = scene.texts(person.id);
        let shown = texts.len();
        texts.dedup();
        assert_eq!(texts, (0..50).map(|n| format!("reply {n}")).collect::<Vec<_>>());
        assert!(shown - texts.len() <= names.len(), "{shown} shown after {} crashes", names.len());
    }
}

#[tokio::test]
async fn killed_again_and_again_it_loses_nothing_sqlite() {
    killed(Engine::Sqlite).await;
}

#[tokio::test]
async fn killed_again_and_again_it_loses_nothing_postgres() {
    killed(Engine::Postgres).await;
}
