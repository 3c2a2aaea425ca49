//! The outbox and its sender against the strict Telegram, on both databases.

mod cases;
mod flood;
mod replicas;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::future::BoxFuture;
use rackhand_bot::{
    html,
    messenger::telegram,
    messenger::{Button, ChatId, CommandScope, Incoming, Message, MessageId, Messenger, PressId, SendError, UpdateId},
    sender::{Budgets, Render, RenderError, Sender},
};
use rackhand_core::{
    clock::{Clock, SharedClock, SystemClock},
    model::{Body, Level, Notice, Outgoing},
    secret::Secret,
    store::{Engine, Mail, Store, Tx},
    units::Timestamp,
};
use rackhand_tests::telegram::{Outcome, Person, Shown, Telegram};
use sqlx::Row;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{databases::Database, harness::SOON};

/// Ten minutes into an hour, so that no test sees two hours' digests.
const START: Timestamp = Timestamp(1_800_000_600_000);
/// No limits but those that Telegram would have.
const FREE: Budgets =
    Budgets { per_second: 100_000, chat_per_second: 100_000, group_per_minute: 1_000_000, person_per_hour: 100_000 };

/// The machine's clock made faster, so that a minute's waiting costs a test seconds.
#[derive(Debug)]
struct Fast {
    begun: Timestamp,
    times: u32,
}

fn fast(times: u32) -> SharedClock {
    Arc::new(Fast { begun: SystemClock.now(), times })
}

impl Clock for Fast {
    fn now(&self) -> Timestamp {
        START.plus(SystemClock.now().since(self.begun) * self.times)
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        SystemClock.sleep(span / self.times)
    }
}

/// Words for the tests: what is ready, plain notices and digests.
struct Words;

#[async_trait]
impl Render for Words {
    async fn render(&self, _: &mut Tx, _: i64, body: &Body) -> Result<Message, RenderError> {
        match body {
            Body::Ready { html, buttons } => {
                let button = |spec: &rackhand_core::model::ButtonSpec| Button {
                    label: spec.label.clone(),
                    data: spec.data.clone(),
                };
                let buttons = buttons.iter().map(|row| row.iter().map(button).collect()).collect();
                Ok(Message { html: html.clone(), buttons, ..Message::default() })
            }
            Body::Notice(Notice::Plain { text }) => Ok(Message::new(html::escape(text))),
            Body::Digest { lines, count } => Ok(Message::new(format!("and {count} more:\n{}", lines.join("\n")))),
            _ => Err(RenderError::Gone { what: "the job".into() }),
        }
    }

    async fn digest_line(&self, _: &mut Tx, _: i64, message: &Outgoing) -> Result<String, RenderError> {
        match &message.body {
            Body::Notice(Notice::Plain { text }) => Ok(html::escape(text)),
            other => Err(RenderError::Words { what: format!("{other:?}") }),
        }
    }
}

/// How a call fails, if it does.
type Hook = Box<dyn Fn(ChatId, &Message) -> Option<SendError> + Send + Sync>;

/// A messenger that is asked before each call whether it fails.
struct Hooked {
    inner: Arc<dyn Messenger>,
    hook: Hook,
}

#[async_trait]
impl Messenger for Hooked {
    async fn send(&self, chat: ChatId, message: &Message) -> Result<MessageId, SendError> {
        match (self.hook)(chat, message) {
            Some(error) => Err(error),
            None => self.inner.send(chat, message).await,
        }
    }
    async fn edit(&self, chat: ChatId, id: MessageId, message: &Message) -> Result<(), SendError> {
        match (self.hook)(chat, message) {
            Some(error) => Err(error),
            None => self.inner.edit(chat, id, message).await,
        }
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

/// A database, a Telegram, and one clock for both.
struct Scene {
    clock: SharedClock,
    server: Telegram,
    database: Database,
    store: Store,
}

impl Scene {
    async fn new(engine: Engine, times: u32) -> Option<Self> {
        Some(Self::on(Database::fresh(engine).await?, times).await)
    }

    /// One on each engine.
    async fn each(times: u32) -> Vec<Self> {
        let mut scenes = Vec::new();
        for engine in [Engine::Sqlite, Engine::Postgres] {
            scenes.extend(Self::new(engine, times).await);
        }
        scenes
    }

    async fn on(database: Database, times: u32) -> Self {
        crate::harness::init();
        let clock = fast(times);
        let server = Telegram::start_with(clock.clone()).await.unwrap();
        let store = database.open().await;
        Self { clock, server, database, store }
    }

    fn people(&self, count: i64) -> Vec<Person> {
        let people: Vec<Person> = (0..count).map(|n| Person::new(1000 + n, &format!("Person{n}"))).collect();
        for person in &people {
            self.server.meet(person);
        }
        people
    }

    fn messenger(&self) -> Arc<dyn Messenger> {
        Arc::new(telegram::Telegram::new(self.server.api_url(), Secret::new(self.server.token())).unwrap())
    }

    fn sender(&self, owner: &str) -> Sender {
        self.sender_on(self.store.clone(), self.messenger(), owner)
    }

    fn sender_on(&self, store: Store, messenger: Arc<dyn Messenger>, owner: &str) -> Sender {
        Sender::new(store, self.clock.clone(), messenger, Arc::new(Words), owner.to_owned())
    }

    async fn mail(&self, mails: &[Mail]) {
        let mut tx = self.store.write().await.unwrap();
        for mail in mails {
            tx.mail(mail, self.clock.now()).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    async fn ready(&self, chat: i64, key: &str, level: Level, html: &str) {
        let body = Body::Ready { html: html.into(), buttons: Vec::new() };
        self.mail(&[Mail { chat, key: key.into(), level, body }]).await;
    }

    /// Until nothing waits any more.
    async fn drained(&self) {
        let drained = async {
            loop {
                let mut tx = self.store.read().await.unwrap();
                let (depth, _) = tx.outbox_depth().await.unwrap();
                drop(tx);
                if depth == 0 {
                    return;
                }
                SystemClock.sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(SOON, drained).await.expect("the outbox is empty in time");
    }

    /// How many of a chat's messages are in each status.
    async fn statuses(&self, chat: i64) -> BTreeMap<String, usize> {
        let mut connection = self.database.connect().await;
        let sql = "SELECT status, COUNT(*) AS n FROM outbox WHERE chat = $1 GROUP BY status";
        let rows = sqlx::query(sql).bind(chat).fetch_all(&mut connection).await.unwrap();
        rows.iter().map(|row| (row.get("status"), usize::try_from(row.get::<i64, _>("n")).unwrap())).collect()
    }

    /// What a chat shows of the bot.
    fn texts(&self, chat: i64) -> Vec<String> {
        self.server.transcript(chat).into_iter().map(|shown| shown.text).collect()
    }

    /// How many calls for a chat took effect without their sender learning of it.
    fn unknown_effects(&self, chat: i64) -> usize {
        let unknown = |call: &&rackhand_tests::telegram::Call| {
            call.chat == Some(chat) && call.effect && call.outcome != Outcome::Answered(200)
        };
        self.server.calls().iter().filter(unknown).count()
    }
}

/// A sender that runs.
struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

fn run(sender: Sender) -> Running {
    let stop = CancellationToken::new();
    let token = stop.clone();
    Running { stop, task: tokio::spawn(async move { sender.run(token).await }) }
}

impl Running {
    /// Asks it to stop, and waits until it has.
    async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(11), self.task).await.expect("it stops").unwrap();
    }

    /// As a crash does.
    async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

fn notice(chat: i64, number: usize, level: Level) -> Mail {
    let text = format!("{level} {number}");
    Mail { chat, key: format!("n{number}"), level, body: Body::Notice(Notice::Plain { text }) }
}

fn count_in(digest: &Shown) -> usize {
    digest.text.split(' ').nth(1).unwrap().parse().unwrap()
}
