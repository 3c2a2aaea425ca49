//! A fresh database for a test, on either engine.

use std::sync::atomic::{AtomicU32, Ordering};

use rackhand_core::store::{Engine, Store};
use sqlx::{AnyConnection, Connection, Executor, PgConnection};
use tempfile::TempDir;

use crate::harness::{Peer, need};

/// A database of one test's own, and a store on it. A SQLite file goes with it; PostgreSQL's goes with the peer.
#[derive(Debug)]
pub struct Database {
    /// The store.
    pub store: Store,
    url: String,
    dir: Option<TempDir>,
}

impl Database {
    /// Another store on the same database: what a second process has.
    pub async fn another_store(&self) -> Store {
        match &self.dir {
            Some(dir) => Store::open_sqlite(&dir.path().join("rackhand.db")).await.unwrap(),
            None => Store::open_postgres(&self.url).await.unwrap(),
        }
    }

    /// A bare connection, for what a test must see and no program asks.
    pub async fn connect(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&self.url).await.unwrap()
    }
}

/// A fresh database, or `None` where this run has no PostgreSQL: the test then returns at once.
pub async fn open_store(engine: Engine) -> Option<Database> {
    match engine {
        Engine::Sqlite => {
            let dir = TempDir::new().unwrap();
            let path = dir.path().join("rackhand.db");
            let store = Store::open_sqlite(&path).await.unwrap();
            Some(Database { store, url: format!("sqlite://{}", path.display()), dir: Some(dir) })
        }
        Engine::Postgres => {
            static NUMBER: AtomicU32 = AtomicU32::new(0);
            let server = need(Peer::Postgres)?;
            let name = format!("test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
            let mut connection = PgConnection::connect(&server).await.unwrap();
            let create = format!("CREATE DATABASE {name}");
            connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(create))).await.unwrap();
            let url = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
            let store = Store::open_postgres(&url).await.unwrap();
            Some(Database { store, url, dir: None })
        }
    }
}

/// A fresh database on each engine that this run has.
pub async fn stores() -> Vec<Database> {
    let mut stores = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        stores.extend(open_store(engine).await);
    }
    stores
}
