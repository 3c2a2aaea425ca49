//! A process put together: configuration, database, keys, clients, workers, chat.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use rackhand_agent::{
    api::{self, Api, Auth},
    mcp::{self, Web},
    work::Tools,
};
use rackhand_bot::{
    messenger::Messenger,
    router::{Polling, Router, poll},
    sender::{Budgets, Chats, Sender},
    words::Words,
};
use rackhand_core::{
    clients::{
        ansible::{Ansible, tree},
        http,
        ironic::Ironic,
        ssh::OrchestratorKey,
        time4vps::Time4vps,
    },
    clock::{SharedClock, SystemClock},
    config::{Config, DatabaseUrl},
    keyring::{KeyFile, Keyring},
    ops::{Limits, Ops, has_key, same_key},
    store::Store,
    work::{NoWitness, Witness, reconcile},
};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How long an invite may be used.
const INVITE_LIFE: Duration = Duration::from_hours(48);

/// Which parts of Rackhand a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The chat: hearing and sending.
    pub bot: bool,
    /// Jobs and reconcilers.
    pub worker: bool,
    /// The door for programs, where the configuration says that there is one.
    pub api: bool,
}

impl Parts {
    /// Everything.
    pub const ALL: Self = Self { bot: true, worker: true, api: true };
}

/// Where people talk to this process.
#[derive(Clone)]
#[allow(dead_code, reason = "the tests that put a process together from this file have no terminal")]
pub enum Front {
    /// Telegram: shared with other replicas, one of which listens.
    Telegram(Arc<dyn Messenger>),
    /// The terminal: this process alone; when the person leaves, it ends.
    Terminal(Arc<dyn Messenger>),
}

/// What every command has.
pub struct Process {
    /// As read at the start.
    pub config: Arc<Config>,
    /// The operations, with the store and the keys.
    pub ops: Ops,
    /// Unique among processes: whose a lease is.
    pub owner: String,
    witness: Arc<dyn Witness>,
    /// Held while this process serves a SQLite file.
    lock: Option<File>,
}

impl Process {
    /// Opens the database and the keys; makes what is missing.
    pub async fn open(config: Config) -> anyhow::Result<Self> {
        for warning in &config.warnings {
            warn!("{warning}");
        }
        private_dir(&config.data_dir)?;
        let store = match &config.database_url {
            DatabaseUrl::Sqlite(path) => Store::open_sqlite(path).await,
            DatabaseUrl::Postgres(url) => Store::open_postgres(url.expose()).await,
        };
        let store = store.with_context(|| format!("the database {} cannot be opened", config.database_url))?;
        let keyring = open_keyring(&config, &store).await?;
        let clock: SharedClock = Arc::new(SystemClock);
        let limits = Limits {
            approval_life: config.approvals.expires,
            two_persons: config.approvals.two_persons,
            attempts: i64::from(config.provisioning.max_retries),
            invite_life: INVITE_LIFE,
        };
        let ironic = Ironic::configured(&config.ironic, clock.clone()).context("Ironic cannot be set up")?;
        let image = config.ironic.image.clone();
        Ok(Self {
            config: Arc::new(config),
            ops: Ops { store, clock, keyring: Arc::new(keyring), limits, ironic, image },
            owner: uuid::Uuid::now_v7().to_string(),
            witness: Arc::new(NoWitness),
            lock: None,
        })
    }

    /// [`Process::open`] for whoever only asks: where nobody has served yet, nothing is made.
    #[allow(dead_code, reason = "not for the tests that put a process together from this file")]
    pub async fn open_existing(config: Config) -> anyhow::Result<Self> {
        if let DatabaseUrl::Sqlite(path) = &config.database_url
            && !path.exists()
        {
            bail!(
                "there is no database at {}: is this the right directory, or RACKHAND_CONFIG not set? `rackhand serve` and \
                 `rackhand migrate` make a new one",
                path.display()
            );
        }
        Self::open(config).await
    }

    /// Lets `witness` see every commit of the journal.
    #[must_use]
    #[allow(dead_code, reason = "for the tests that put a process together from this file")]
    pub fn watched_by(mut self, witness: Arc<dyn Witness>) -> Self {
        self.witness = witness;
        self
    }

    /// Becomes the one process that serves this database, where it is a file; whoever held leases in it is dead then.
    pub async fn take_over(&mut self) -> anyhow::Result<()> {
        let DatabaseUrl::Sqlite(path) = &self.config.database_url else { return Ok(()) };
        self.lock = Some(lock(&lock_path(path)?)?);
        let mut tx = self.ops.store.write().await?;
        let left = tx.void_leases().await?;
        tx.commit().await?;
        if left > 0 {
            info!(jobs = left, "jobs were left in the middle of a step; each is looked at before it goes on");
        }
        Ok(())
    }

    /// The clients and what acts through them.
    pub async fn tools(&self) -> anyhow::Result<Tools> {
        let config = &self.config;
        let tree = tree::unpack(&config.data_dir).context("the playbooks cannot be unpacked")?;
        let ansible = Ansible::new(config.ansible.bin.clone(), tree, config.data_dir.join("runs"));
        ansible.sweep().await.context("runs of a dead process cannot be swept away")?;
        let key = OrchestratorKey::load_or_generate(&config.ssh.private_key_path)?;
        if let Some(public) = &config.ssh.public_key
            && public.split_whitespace().take(2).ne(key.public_line().split_whitespace().take(2))
        {
            bail!(
                "ssh.public_key is not the public half of {}: correct it, or leave it out",
                config.ssh.private_key_path.display()
            );
        }
        let provider = match (&config.time4vps.username, &config.time4vps.password) {
            (Some(username), Some(password)) => Some(Time4vps::new(
                http::client(http::Limits::default())?,
                &config.time4vps.base_url,
                username,
                password.clone(),
                self.ops.clock.clone(),
            )?),
            _ => None,
        };
        let (ops, config) = (self.ops.clone(), self.config.clone());
        Ok(Tools { ops, provider, ansible: Arc::new(ansible), key: Arc::new(key), config })
    }

    /// Runs `parts` until `stop`; returns when everything has ended or was handed over.
    pub async fn run(&self, front: Option<Front>, parts: Parts, stop: &CancellationToken) -> anyhow::Result<()> {
        let mut tasks = JoinSet::new();
        if parts.worker {
            let tools = self.tools().await?;
            // Without any outside system no job can be done here, so none is claimed.
            if let Some(runner) = tools.runner(&self.owner) {
                let (runner, stopped) = (runner.watched_by(self.witness.clone()), stop.clone());
                tasks.spawn(async move { runner.run(stopped).await });
            }
            for reconciler in tools.reconcilers() {
                let (store, clock) = (self.ops.store.clone(), self.ops.clock.clone());
                tasks.spawn(reconcile(reconciler, store, clock, self.owner.clone(), stop.clone()));
            }
        }
        if parts.api {
            self.api(&mut tasks, stop).await?;
        }
        if let (true, Some(front)) = (parts.bot, front) {
            self.chat(&mut tasks, front, stop);
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(panic) = ended {
                // Half a process is worse than none: whoever supervises it starts it anew, and leases make that safe.
                stop.cancel();
                bail!("a part of the process died: {panic}");
            }
        }
        Ok(())
    }

    /// Opens the door for programs, where one is configured.
    async fn api(&self, tasks: &mut JoinSet<()>, stop: &CancellationToken) -> anyhow::Result<()> {
        let config = &self.config.api;
        let Some(listen) = config.listen else { return Ok(()) };
        let listener = TcpListener::bind(listen).await;
        let listener = listener.with_context(|| format!("api.listen: nothing can listen at {listen}"))?;
        let (address, auth) = (listener.local_addr()?, Auth::configured(config, &self.config.api_jwt)?);
        info!(%address, auth = ?config.auth, "REST: http://{address}/api/v1, and /docs for people");
        let mcp = &self.config.mcp;
        let web = Web { listen: address, hosts: mcp.allowed_hosts.clone(), origins: mcp.allowed_origins.clone() };
        let models = mcp::service(self.ops.clone(), &web, stop.clone());
        let router = api::router(Api::new(self.ops.clone(), auth, config.requests_per_minute).with_models(models));
        let stop = stop.clone();
        tasks.spawn(async move { api::serve(listener, router, stop).await });
        Ok(())
    }

    fn chat(&self, tasks: &mut JoinSet<()>, front: Front, stop: &CancellationToken) {
        let notify = &self.config.notify;
        let budgets = Budgets {
            per_second: notify.per_second,
            chat_per_second: notify.chat_per_second,
            group_per_minute: notify.group_per_minute,
            person_per_hour: notify.rate_limit,
        };
        let (messenger, chats) = match front {
            Front::Telegram(messenger) => (messenger, Chats::Telegram),
            Front::Terminal(messenger) => (messenger, Chats::Terminal),
        };
        let shared = chats == Chats::Telegram;
        let (store, clock) = (self.ops.store.clone(), self.ops.clock.clone());
        let words = Arc::new(Words::new(self.ops.clone()));
        let sender =
            Sender::new(store, clock, messenger.clone(), words, self.owner.clone()).budgets(budgets).serving(chats);
        let stopped = stop.clone();
        tasks.spawn(async move { sender.run(stopped).await });
        let router = Arc::new(Router::new(self.ops.clone(), messenger, shared));
        let polling = Polling { owner: shared.then(|| self.owner.clone()) };
        let stop = stop.clone();
        tasks.spawn(async move {
            poll(router, polling, stop.clone()).await;
            stop.cancel();
        });
    }
}

/// Opens the keys, and says loudly what a new, a lost or a wrong key means.
async fn open_keyring(config: &Config, store: &Store) -> anyhow::Result<Keyring> {
    let path = config.master_key_file.display();
    let known = has_key(store).await?;
    let (keyring, found) = Keyring::open_or_create(&config.master_key_file)?;
    // Of replicas that start at once on a new database one makes the key: another's new key is as wrong as any other.
    let ours = (!known || found == KeyFile::Found) && same_key(store, &keyring).await?;
    if ours && found == KeyFile::Created {
        eprintln!(
            "\n  A NEW MASTER KEY was made: {path}\n  It seals every stored password and signs the audit. Back it up \
             now, away from the database:\n  without it, a copy of the database is worth nothing.\n"
        );
    }
    match (ours, found) {
        (true, _) => Ok(keyring),
        (false, KeyFile::Created) => {
            fs::remove_file(&config.master_key_file)?;
            bail!(
                "{path} is missing, and the database was written with another key: put the key file back (from your \
                 backup, or from another replica), or point RACKHAND_MASTER_KEY_FILE at it"
            )
        }
        (false, KeyFile::Found) => bail!(
            "{path} is not the key that the database was written with: put the right one in its place, or point \
             RACKHAND_MASTER_KEY_FILE at it. Every replica needs the same key"
        ),
    }
}

fn private_dir(dir: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.with_context(|| format!("the data directory {} cannot be made", dir.display()))
}

/// `<database>.lock`, beside the file itself: whichever way two processes name one database, they meet at one lock.
fn lock_path(database: &Path) -> anyhow::Result<PathBuf> {
    let database = database.canonicalize().with_context(|| format!("{} cannot be found", database.display()))?;
    let mut path = database.into_os_string();
    path.push(".lock");
    Ok(path.into())
}

fn lock(path: &PathBuf) -> anyhow::Result<File> {
    let mut file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    let taken = rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive);
    if taken.is_err() {
        let holder = fs::read_to_string(path).unwrap_or_default();
        bail!(
            "another Rackhand (process {}) serves this database. One process serves a SQLite file; for more, use PostgreSQL",
            holder.trim()
        );
    }
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}
