//! The two databases: SQLite in a directory of its own, PostgreSQL in a database of its own.

use std::{path::PathBuf, sync::Arc};

use rackhand_core::store::{Engine, Store};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use tempfile::TempDir;

use crate::harness::{Peer, init, need};

/// A fresh database of one test. A file goes with the last clone of this; PostgreSQL's goes with the peer.
#[derive(Clone, Debug)]
pub struct Database {
    place: Place,
    /// Held for its end.
    _dir: Option<Arc<TempDir>>,
}

#[derive(Clone, Debug)]
enum Place {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Database {
    /// A new one; none where this run has no PostgreSQL: the test then returns at once.
    pub async fn fresh(engine: Engine) -> Option<Self> {
        init();
        if engine == Engine::Sqlite {
            let dir = tempfile::tempdir().unwrap();
            let place = Place::Sqlite(dir.path().join("rackhand.db"));
            return Some(Self { place, _dir: Some(Arc::new(dir)) });
        }
        let server = need(Peer::Postgres)?;
        let admin = Self { place: Place::Postgres(server.clone()), _dir: None };
        let name = format!("t_{}", rackhand_core::ids::JobId::new().to_string().replace('-', ""));
        admin.sql(&format!("CREATE DATABASE {name}")).await.unwrap();
        let (start, _) = server.rsplit_once('/').unwrap();
        Some(Self { place: Place::Postgres(format!("{start}/{name}")), _dir: None })
    }

    /// Opens it, as one more process would.
    pub async fn open(&self) -> Store {
        match &self.place {
            Place::Sqlite(path) => Store::open_sqlite(path).await.unwrap(),
            Place::Postgres(url) => Store::open_postgres(url).await.unwrap(),
        }
    }

    /// As `DATABASE_URL` names it.
    pub fn url(&self) -> String {
        match &self.place {
            Place::Sqlite(path) => format!("sqlite:{}", path.display()),
            Place::Postgres(url) => url.clone(),
        }
    }

    /// Everything in it, as text; PostgreSQL only.
    pub fn dump(&self) -> Vec<u8> {
        let output = std::process::Command::new("pg_dump").arg(self.url()).output().unwrap();
        assert!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// A bare connection, for what a test must see and no program asks.
    pub async fn connect(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&self.url()).await.unwrap()
    }

    /// What somebody with the database's own tools does to it.
    pub async fn sql(&self, sql: &str) -> Result<u64, sqlx::Error> {
        let mut connection = self.connect().await;
        let done = connection.execute(AssertSqlSafe(sql.to_owned())).await?;
        connection.close().await?;
        Ok(done.rows_affected())
    }

    /// The number that a query answers.
    pub async fn number(&self, sql: &str) -> i64 {
        let mut connection = self.connect().await;
        let query = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()));
        let number = query.fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        number
    }
}

/// Runs `body` on both, each time on a fresh database.
pub async fn each_engine<F, Fut>(body: F)
where
    F: Fn(Database) -> Fut,
    Fut: Future<Output = ()>,
{
    for engine in [Engine::Sqlite, Engine::Postgres] {
        if let Some(database) = Database::fresh(engine).await {
            body(database).await;
        }
    }
}
