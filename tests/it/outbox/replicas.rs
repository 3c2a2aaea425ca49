//! Several senders on one database, and senders that die.

use std::sync::Mutex;

use super::*;

/// Notes whose calls these are.
struct Signed {
    inner: Arc<dyn Messenger>,
    name: &'static str,
    log: Arc<Mutex<Vec<&'static str>>>,
}

#[async_trait]
impl Messenger for Signed {
    async fn send(&self, chat: ChatId, message: &Message) -> Result<MessageId, SendError> {
        self.log.lock().unwrap().push(self.name);
        self.inner.send(chat, message).await
    }
    async fn edit(&self, chat: ChatId, id: MessageId, message: &Message) -> Result<(), SendError> {
        self.log.lock().unwrap().push(self.name);
        self.inner.edit(chat, id, message).await
    }
    async fn answer_press(&self, press: &PressId, text: Option<&str>) -> Result<(), SendError> {
        self.inner.answer_press(press, text).await
    }
    async fn updates(&self, after: Option<UpdateId>) -> Result<Vec<Incoming>, SendError> {
        self.inner.updates(after).await
    }
    async fn set_commands(
        &self,
        scope: CommandScope,
        language: Option<&str>,
        commands: &[(String, String)],
    ) -> Result<(), SendError> {
        self.inner.set_commands(scope, language, commands).await
    }
    async fn me(&self) -> Result<String, SendError> {
        self.inner.me().await
    }
}

/// Until so many messages were sent in all.
async fn sent(scene: &Scene, count: usize) {
    let enough = async {
        while scene.server.done("sendMessage").len() < count {
            SystemClock.sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), enough).await.expect("messages go out");
}

#[tokio::test]
async fn only_one_of_two_sends_and_the_other_takes_over() {
    let Some(scene) = Scene::new(Engine::Postgres, 1).await else { return };
    let people = scene.people(6);
    let log = Arc::new(Mutex::new(Vec::new()));
    let start = async |name: &'static str| {
        let messenger = Arc::new(Signed { inner: scene.messenger(), name, log: log.clone() });
        let store = scene.database.another_store().await;
        let sender = scene.sender_on(store, messenger, name).lease(Duration::from_millis(1200));
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
    scene.drained(Duration::from_secs(20)).await;
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
    let names = ["a", "b", "c", "d"];
    for (number, name) in names.iter().enumerate() {
        let sender = scene.sender(name).lease(Duration::from_millis(500));
        let sender = run(sender.budgets(Budgets { chat_per_second: 200, ..FREE }));
        sent(&scene, (number + 1) * 50).await;
        sender.kill().await;
    }
    let sender = run(scene.sender("e").lease(Duration::from_millis(500)).budgets(FREE));
    scene.drained(Duration::from_secs(20)).await;
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
