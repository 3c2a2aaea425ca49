//! The two databases: a test's body runs on SQLite in a directory of its own, and on PostgreSQL in a database of its own.

use std::path::PathBuf;

use rackhand_core::store::Store;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

use crate::harness::{Peer, init, need};

/// A fresh database, gone when the test is over.
#[derive(Clone)]
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A URL.
    Postgres(String),
}

impl Database {
    /// Opens it, as one more process would.
    pub async fn open(&self) -> Store {
        match self {
            Self::Sqlite(path) => Store::open_sqlite(path).await.unwrap(),
            Self::Postgres(url) => Store::open_postgres(url).await.unwrap(),
        }
    }

    /// What somebody with the database's own tools does to it.
    pub async fn sql(&self, sql: &str) -> Result<u64, sqlx::Error> {
        let mut connection = self.connect().await?;
        let done = connection.execute(AssertSqlSafe(sql.to_owned())).await?;
        connection.close().await?;
        Ok(done.rows_affected())
    }

    /// The number that a query answers.
    pub async fn number(&self, sql: &str) -> i64 {
        let mut connection = self.connect().await.unwrap();
        let query = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()));
        let number = query.fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        number
    }

    async fn connect(&self) -> Result<AnyConnection, sqlx::Error> {
        sqlx::any::install_default_drivers();
        let url = match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres(url) => url.clone(),
        };
        AnyConnection::connect(&url).await
    }
}

/// Runs `body` on both, each time on a fresh database.
pub async fn each_engine<F, Fut>(body: F)
where
    F: Fn(Database) -> Fut,
    Fut: Future<Output = ()>,
{
    init();
    let dir = tempfile::tempdir().unwrap();
    body(Database::Sqlite(dir.path().join("rackhand.db"))).await;
    let Some(server) = need(Peer::Postgres) else { return };
    let admin = Database::Postgres(server.clone());
    let name = format!("t_{}", rackhand_core::ids::JobId::new().to_string().replace('-', ""));
    admin.sql(&format!("CREATE DATABASE {name}")).await.unwrap();
    let (start, _) = server.rsplit_once('/').unwrap();
    body(Database::Postgres(format!("{start}/{name}"))).await;
    admin.sql(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
}
