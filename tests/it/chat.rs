//! The chat door, as people meet it: over the wire of the strict Telegram, on a real store.

mod approvals;
mod jobs;
mod lists;
mod named;
mod nodes;
mod rights;
mod silent;
mod words;

use std::{sync::Arc, time::Duration};

use rackhand_bot::{
    messenger::{ChatId, MessageId, Messenger, SendError, UpdateId, telegram},
    router::Router,
    views,
};
use rackhand_core::{
    clock::{Manual, ManualClock},
    keyring::Keyring,
    model::{NewServer, Role, Server},
    ops::{Limits, Ops},
    secret::Secret,
    states::ServerEvent,
    store::{Sent, Slice, Store},
    units::Timestamp,
};
use rackhand_tests::telegram::{Person, Shown, Telegram};

const START: i64 = 1_795_000_000_000;

/// Rackhand's chat with everything real but the other end.
pub(crate) struct House {
    pub telegram: Telegram,
    pub messenger: Arc<telegram::Telegram>,
    pub router: Router,
    pub ops: Ops,
    pub clock: Arc<ManualClock>,
    after: Option<UpdateId>,
    handled: usize,
    dir: tempfile::TempDir,
}

impl House {
    pub async fn new() -> Self {
        crate::harness::init();
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(Timestamp(START));
        let store = Store::open_sqlite(&dir.path().join("rackhand.db")).await.unwrap();
        let (keyring, _) = Keyring::open_or_create(&dir.path().join("master.key")).unwrap();
        let limits = Limits {
            approval_life: Duration::from_mins(15),
            two_persons: false,
            attempts: 3,
            invite_life: Duration::from_hours(24),
        };
        let ops = Ops {
            store,
            clock: Arc::new(Manual(clock.clone())),
            keyring: Arc::new(keyring),
            limits,
            ironic: None,
            image: None,
        };
        let telegram = Telegram::start().await.unwrap();
        let messenger = telegram::Telegram::new(telegram.api_url(), Secret::new(telegram.token())).unwrap();
        let messenger = Arc::new(messenger);
        let router = Router::new(ops.clone(), messenger.clone(), true);
        Self { telegram, messenger, router, ops, clock, after: None, handled: 0, dir }
    }

    /// The router hears all that was said and pressed, and what it wrote is delivered.
    pub async fn settle(&mut self) {
        // What was handled stays unread until the next poll, which would wait for more.
        while self.telegram.unread() > self.handled {
            let updates = self.messenger.updates(self.after).await.unwrap();
            self.handled = updates.len();
            for incoming in updates {
                self.after = Some(incoming.update);
                self.router.handle(incoming).await.unwrap();
            }
        }
        self.deliver().await;
    }

    /// Delivers what waits in the outbox.
    pub async fn deliver(&self) {
        let now = self.ops.clock.now();
        loop {
            let mut tx = self.ops.store.write().await.unwrap();
            let Some(due) = tx.chats_due(now).await.unwrap().first().copied() else { return };
            let mail = tx.next_for(due.chat, now).await.unwrap().unwrap();
            let message = views::render(&mut tx, now, &self.ops.keyring, due.chat, &mail.body).await.unwrap();
            let id = match mail.message_id {
                Some(id) => match self.messenger.edit(ChatId(due.chat), MessageId(id), &message).await {
                    Ok(()) | Err(SendError::NotModified) => id,
                    Err(error) => panic!("{error}: {message:?}"),
                },
                None => self.messenger.send(ChatId(due.chat), &message).await.unwrap().0,
            };
            let sent = Sent { id: mail.id, revision: mail.revision, message_id: id };
            tx.mail_sent(&sent, now, now).await.unwrap();
            tx.commit().await.unwrap();
        }
    }

    /// Says something, and sees the chat settle.
    pub async fn say(&mut self, person: &Person, text: &str) -> Shown {
        self.telegram.say(person, text);
        self.settle().await;
        self.last(person)
    }

    /// Presses the newest button whose label contains this; answers with the words over the screen.
    pub async fn tap(&mut self, person: &Person, label: &str) -> Option<String> {
        let press = self.telegram.tap(person, person.id, label);
        let press = press.unwrap_or_else(|| panic!("no button {label}: {:#?}", self.last(person)));
        self.settle().await;
        self.telegram.answer_to(&press).unwrap().text
    }

    /// Presses any data under any message.
    pub async fn press(&mut self, person: &Person, chat: i64, message: i64, data: &str) -> Option<String> {
        let press = self.telegram.press(person, chat, message, data);
        self.settle().await;
        self.telegram.answer_to(&press).unwrap().text
    }

    /// The newest message of the bot in a person's chat.
    pub fn last(&self, person: &Person) -> Shown {
        self.telegram
            .transcript(person.id)
            .into_iter()
            .rfind(|shown| shown.from.is_none())
            .expect("the bot said something")
    }

    /// Somebody who has this role.
    pub async fn member(&mut self, id: i64, name: &str, role: Role) -> Person {
        let person = Person::new(id, name);
        self.telegram.meet(&person);
        self.as_member(&person, role).await;
        person
    }

    /// Gives a person a role behind the chat's back.
    pub async fn as_member(&mut self, person: &Person, role: Role) {
        let known = rackhand_core::model::Person {
            telegram_id: person.id,
            username: person.username.clone(),
            first_name: person.first_name.clone(),
            last_name: None,
            language: person.language_code.clone(),
        };
        let mut tx = self.ops.store.write().await.unwrap();
        let (user, _) = tx.person_seen(&known, Timestamp(START)).await.unwrap();
        if user.role != role {
            tx.set_role(user.id, user.role, role).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// A server that the provider lists.
    pub async fn server(&self, number: u32, managed: bool) -> Server {
        let new = NewServer {
            handle: format!("vps-{number}"),
            provider: "time4vps".into(),
            provider_id: number.to_string(),
            address: Some(format!("192.0.2.{}", number % 250).parse().unwrap()),
            label: format!("label <{number}>"),
            size: "Linux 4".into(),
            managed,
        };
        let mut tx = self.ops.store.write().await.unwrap();
        let server = tx.add_server(&new, Timestamp(START)).await.unwrap();
        tx.commit().await.unwrap();
        server
    }

    /// A managed server that was set up and verified.
    pub async fn ready(&self, number: u32) -> Server {
        let server = self.server(number, true).await;
        let mut tx = self.ops.store.write().await.unwrap();
        let server = tx.move_server(&server, ServerEvent::Start, Timestamp(START)).await.unwrap();
        let server = tx.move_server(&server, ServerEvent::Finish, Timestamp(START)).await.unwrap();
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHGOuVEUzQ7C9S3zYsQ9i2eWe3XEAmLFxyYVeEcHRNhk";
        tx.pin_host_key(server.id, Some(key), Timestamp(START)).await.unwrap();
        tx.mark_verified(server.id, "Debian 12", Timestamp(START)).await.unwrap();
        tx.commit().await.unwrap();
        server
    }

    /// How many jobs there are.
    pub async fn jobs(&self) -> usize {
        self.ops
            .store
            .read()
            .await
            .unwrap()
            .jobs(&rackhand_core::store::JobFilter::default(), &Slice::first(500))
            .await
            .unwrap()
            .len()
    }
}
