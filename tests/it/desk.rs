//! Operations with a clock turned by hand, people of every role, and servers in any state.

use std::{sync::Arc, time::Duration};

use rackhand_core::{
    clock::{Manual, ManualClock},
    keyring::Keyring,
    model::{Actor, ActorKind, NewServer, Person, Role, Server, User},
    ops::{Limits, Ops},
    states::ServerStatus,
    store::Store,
    units::Timestamp,
};

use crate::databases::Database;

/// All that a test of operations needs.
pub struct Desk {
    pub db: Database,
    pub ops: Ops,
    pub clock: Arc<ManualClock>,
    pub keys: tempfile::TempDir,
}

pub const START: Timestamp = Timestamp(1_790_000_000_000);

impl Desk {
    pub async fn new(db: &Database) -> Self {
        let keys = tempfile::tempdir().unwrap();
        let (keyring, _) = Keyring::open_or_create(&keys.path().join("master.key")).unwrap();
        let clock = ManualClock::new(START);
        let limits = Limits {
            approval_life: Duration::from_mins(15),
            two_persons: false,
            attempts: 3,
            invite_life: Duration::from_hours(24),
        };
        let ops = Ops {
            store: db.open().await,
            clock: Arc::new(Manual(clock.clone())),
            keyring: Arc::new(keyring),
            limits,
            ironic: None,
            image: None,
        };
        Self { db: db.clone(), ops, clock, keys }
    }

    /// The same desk at another replica: a store of its own.
    pub async fn replica(&self) -> Ops {
        Ops { store: self.db.open().await, ..self.ops.clone() }
    }

    pub fn store(&self) -> &Store {
        &self.ops.store
    }

    /// Somebody with this role.
    pub async fn person(&self, telegram_id: i64, role: Role) -> User {
        person_in(self.store(), telegram_id, role).await
    }

    /// A server in this state.
    pub async fn server(&self, number: u32, status: ServerStatus, managed: bool) -> Server {
        let new = NewServer {
            handle: format!("vps-{number}"),
            provider: "time4vps".to_owned(),
            provider_id: number.to_string(),
            address: Some(format!("192.0.2.{number}").parse().unwrap()),
            label: "label".to_owned(),
            size: "small".to_owned(),
            managed,
        };
        let mut tx = self.store().write().await.unwrap();
        let server = tx.add_server(&new, START).await.unwrap();
        tx.commit().await.unwrap();
        self.db.sql(&format!("UPDATE servers SET status = '{status}' WHERE id = '{}'", server.id)).await.unwrap();
        Server { status, ..server }
    }

    /// How many rows a table has, of those that `condition` says.
    pub async fn count_jobs(&self) -> i64 {
        let counts = self.store().read().await.unwrap().count_jobs().await.unwrap();
        counts.iter().map(|(_, count)| count).sum()
    }
}

/// Somebody with this role.
pub async fn person_in(store: &Store, telegram_id: i64, role: Role) -> User {
    let person = Person {
        telegram_id,
        username: Some(format!("{role}{telegram_id}")),
        first_name: "Anna".to_owned(),
        last_name: None,
        language: Some("ru".to_owned()),
    };
    let mut tx = store.write().await.unwrap();
    let (user, _) = tx.person_seen(&person, START).await.unwrap();
    tx.set_role(user.id, Role::Guest, role).await.unwrap();
    tx.commit().await.unwrap();
    User { role, ..user }
}

/// This person as another kind of actor.
pub fn as_kind(user: &User, kind: ActorKind) -> Actor {
    Actor { kind, ..user.actor() }
}
