//! The database: SQLite on one machine, PostgreSQL on many, one SQL text for both.
//!
//! Everything goes through a [`Tx`]: the verbs of each topic are methods of it, in the file of that topic. An update
//! names the state that it expects and checks that it changed a row. Nothing outside is called while a `Tx` is open.

mod approvals;
mod audit;
mod contacts;
mod error;
mod events;
mod follow;
mod incidents;
mod jobs;
mod journal;
mod leases;
mod numbers;
mod outbox;
mod requests;
mod row;
mod secrets;
mod servers;
mod tokens;
mod users;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sqlx::{
    Any, AnyConnection, Executor, Transaction,
    any::AnyPoolOptions,
    migrate::{Migration, MigrationType, Migrator},
    pool::PoolConnection,
};
use tokio::sync::{Notify, watch};

pub use audit::{AuditFilter, ChainFault};
pub use contacts::Contact;
pub use error::StoreError;
pub use events::EventFilter;
pub use follow::{Following, Heard, Start, follow};
pub use incidents::IncidentFilter;
pub use jobs::{Claim, ClaimBy, JobFilter, Kinds};
pub use journal::job_key;
pub use leases::Lease;
pub use numbers::RunTimes;
pub use outbox::{Due, Mail, Sent};
pub use requests::Remembered;
pub use servers::ServerFilter;

/// Which part of a list to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Begin after the item with this key; empty: at the beginning.
    pub after: String,
    /// Then pass over so many.
    pub offset: i64,
    /// How many at most.
    pub limit: i64,
}

impl Slice {
    /// The first `limit`.
    pub fn first(limit: i64) -> Self {
        Self { after: String::new(), offset: 0, limit }
    }
}

/// A result of the store.
pub type StoreResult<T> = Result<T, StoreError>;

/// In order; what some database may have carried out already is never changed.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "first", include_str!("../../../migrations/0001_first.sql")),
    (2, "contacts", include_str!("../../../migrations/0002_contacts.sql")),
    (3, "makers", include_str!("../../../migrations/0003_makers.sql")),
];

/// Longest wait for a connection or for another writer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file, one writing process at a time.
    Sqlite,
    /// A server, any number of replicas.
    Postgres,
}

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Engine,
    readers: sqlx::AnyPool,
    writers: sqlx::AnyPool,
    pokes: Arc<Pokes>,
    commits: Arc<AtomicU64>,
}

/// Who wants to know of a commit in this process. Other processes find out by polling.
#[derive(Debug, Default)]
pub struct Pokes {
    /// A job became due.
    pub jobs: Notify,
    /// A message became due.
    pub outbox: Notify,
    /// A server's wish changed: reconcilers look again.
    pub servers: Notify,
    /// Something happened: whoever follows the events reads on. Many do, and each sees that it changed.
    pub events: watch::Sender<u64>,
}

/// An open transaction. Dropped without [`Tx::commit`], it never happened.
#[derive(Debug)]
pub struct Tx {
    inner: Line,
    engine: Engine,
    pokes: Arc<Pokes>,
    commits: Arc<AtomicU64>,
    poke_jobs: bool,
    poke_outbox: bool,
    poke_servers: bool,
    /// How many events it has written.
    events: i64,
}

/// What the verbs of a [`Tx`] go through.
#[derive(Debug)]
enum Line {
    /// A transaction.
    Begun(Transaction<'static, Any>),
    /// Nothing was begun: every question is one of its own.
    Bare(PoolConnection<Any>),
}

impl Store {
    /// Opens a SQLite file, made where there is none, and brings its tables up to date.
    pub async fn open_sqlite(path: &Path) -> StoreResult<Self> {
        let url = format!("sqlite://{}?mode=rwc", in_url(path));
        // One connection writes, so that writers of one process queue in order rather than by luck.
        let writers = sqlite_pool(&url, 1).await?;
        migrate_sqlite(&writers).await?;
        let readers = sqlite_pool(&url, 4).await?;
        Ok(Self { engine: Engine::Sqlite, readers, writers, pokes: Arc::default(), commits: Arc::default() })
    }

    /// Connects to PostgreSQL and brings its tables up to date.
    pub async fn open_postgres(url: &str) -> StoreResult<Self> {
        sqlx::any::install_default_drivers();
        let options = AnyPoolOptions::new().max_connections(10).acquire_timeout(PATIENCE);
        let options = options.after_connect(|conn, _| {
            Box::pin(async move {
                // A replica that freezes in the middle of a transaction would hold its locks, and so its jobs, for ever.
                conn.execute("SET idle_in_transaction_session_timeout = '10s'; SET lock_timeout = '15s'").await?;
                Ok(())
            })
        });
        let pool = options.connect(url).await?;
        migrator().run(&pool).await.map_err(StoreError::Migrate)?;
        let store = Self {
            engine: Engine::Postgres,
            readers: pool.clone(),
            writers: pool,
            pokes: Arc::default(),
            commits: Arc::default(),
        };
        let mut tx = store.write().await?;
        if tx.forget_foreign_events().await? > 0 {
            tracing::warn!(
                "this database was brought here from another server: whoever follows its events begins anew"
            );
            tx.commit().await?;
        }
        Ok(store)
    }

    /// Which database this is.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Who is told of commits in this process.
    pub fn pokes(&self) -> &Pokes {
        &self.pokes
    }

    /// How many transactions this process has committed.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Begins a transaction that may write.
    pub async fn write(&self) -> StoreResult<Tx> {
        let begin = match self.engine {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN",
        };
        self.begin(&self.writers, begin).await
    }

    /// Begins a transaction that may write and sees one moment: to change what somebody else changed since is a race.
    pub async fn write_on_one_moment(&self) -> StoreResult<Tx> {
        let begin = match self.engine {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ",
        };
        self.begin(&self.writers, begin).await
    }

    /// Begins a transaction that only reads, and sees one moment.
    pub async fn read(&self) -> StoreResult<Tx> {
        let begin = match self.engine {
            Engine::Sqlite => "BEGIN",
            Engine::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        self.begin(&self.readers, begin).await
    }

    /// Begins nothing: each question sees a moment of its own. One question asked so costs a third of one in
    /// [`Store::read`], where BEGIN and ROLLBACK go their ways to the database too. For questions only.
    pub async fn glance(&self) -> StoreResult<Tx> {
        Ok(self.tx(Line::Bare(self.readers.acquire().await?)))
    }

    /// Whoever waits for it may stop waiting, but it is never left half-way: a BEGIN that was sent and not heard of would
    /// stay open on a connection that goes back to the pool, and hold whatever comes next in it.
    async fn begin(&self, pool: &sqlx::AnyPool, begin: &'static str) -> StoreResult<Tx> {
        let pool = pool.clone();
        let opened = tokio::spawn(async move { pool.begin_with(begin).await }).await;
        Ok(self.tx(Line::Begun(opened.map_err(|_| sqlx::Error::WorkerCrashed)??)))
    }

    fn tx(&self, inner: Line) -> Tx {
        Tx {
            inner,
            engine: self.engine,
            pokes: self.pokes.clone(),
            commits: self.commits.clone(),
            poke_jobs: false,
            poke_outbox: false,
            poke_servers: false,
            events: 0,
        }
    }

    /// Closes all connections, after what is under way.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }
}

impl Tx {
    /// Makes it all true at once, and wakes whoever waits for it.
    pub async fn commit(self) -> StoreResult<()> {
        if let Line::Begun(transaction) = self.inner {
            transaction.commit().await?;
        }
        self.commits.fetch_add(1, Ordering::Relaxed);
        // notify_one keeps one permit, so a waiter that is busy right now looks again.
        for (poke, notify) in [
            (self.poke_jobs, &self.pokes.jobs),
            (self.poke_outbox, &self.pokes.outbox),
            (self.poke_servers, &self.pokes.servers),
        ] {
            if poke {
                notify.notify_one();
            }
        }
        if self.events > 0 {
            self.pokes.events.send_modify(|count| *count = count.wrapping_add(1));
        }
        Ok(())
    }

    fn conn(&mut self) -> &mut AnyConnection {
        match &mut self.inner {
            Line::Begun(transaction) => transaction,
            Line::Bare(connection) => connection,
        }
    }

    /// The database's own clock, in ms: leases are judged by it, so that replicas need not agree on the time.
    async fn db_now(&mut self) -> StoreResult<i64> {
        let sql = match self.engine {
            Engine::Sqlite => "SELECT CAST(unixepoch('subsec') * 1000 AS BIGINT)",
            Engine::Postgres => "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
        };
        Ok(sqlx::query_scalar::<_, i64>(sql).fetch_one(self.conn()).await?)
    }
}

/// A path as a URL holds it: these characters mean something else there.
fn in_url(path: &Path) -> String {
    path.display().to_string().replace('%', "%25").replace('?', "%3F").replace('#', "%23")
}

async fn sqlite_pool(url: &str, connections: u32) -> StoreResult<sqlx::AnyPool> {
    sqlx::any::install_default_drivers();
    // A file does not go away as a server does: nobody needs to ask it whether it is still there.
    let options =
        AnyPoolOptions::new().max_connections(connections).acquire_timeout(PATIENCE).test_before_acquire(false);
    let options = options.after_connect(|conn, _| {
        Box::pin(async move {
            // FULL: a commit that was answered survives a power cut.
            conn.execute(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                 PRAGMA busy_timeout = 15000",
            )
            .await?;
            Ok(())
        })
    });
    Ok(options.connect(url).await?)
}

/// The migrator locks PostgreSQL, but not SQLite: of processes that start together each would meet the others' tables.
/// Where nothing is to be done it only looks, so that nobody waits for a writer.
async fn migrate_sqlite(pool: &sqlx::AnyPool) -> StoreResult<()> {
    let carried_out = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM _sqlx_migrations").fetch_one(pool).await;
    if carried_out.is_ok_and(|count| usize::try_from(count).is_ok_and(|count| count >= MIGRATIONS.len())) {
        return migrator().run(pool).await.map_err(StoreError::Migrate);
    }
    let mut alone = pool.begin_with("BEGIN IMMEDIATE").await?;
    migrator().run(&mut *alone).await.map_err(StoreError::Migrate)?;
    Ok(alone.commit().await?)
}

fn migrator() -> Migrator {
    let migrations = MIGRATIONS
        .iter()
        .map(|(version, name, sql)| {
            let sql = sqlx::SqlSafeStr::into_sql_str(*sql);
            Migration::new(*version, (*name).into(), MigrationType::Simple, sql, false)
        })
        .collect();
    Migrator { migrations, ..Migrator::DEFAULT }
}
