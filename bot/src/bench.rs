//! `rackhand bench jobs`: what the job engine costs on this machine, beside what the disk can do at all.

mod api;

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use async_trait::async_trait;
use rackhand_core::{
    clock::{SharedClock, SystemClock},
    model::{Job, NewJob, Reason},
    store::{JobFilter, ServerFilter, Slice, Store, StoreResult, Tx},
    work::{Runner, Settings, StepCx, StepSpec, Verdict, Workflow},
};
use serde_json::Value;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

pub use api::api;

const KIND: &str = "bench";
/// Records that are written to learn how often the disk can be made to keep something.
const SYNCS: u32 = 300;
/// Jobs that are asked for at once.
const JOBS: usize = 600;
/// Jobs that are asked for one by one.
const SINGLES: usize = 200;

/// Measures and prints: fsyncs per second in `dir` (on the disk that the database will be on), then for SQLite there
/// and for the PostgreSQL database at `postgres` (empty, or used for nothing but this) jobs per second, commits per job
/// and the time from asking for a job to its first step.
pub async fn jobs(dir: &Path, postgres: Option<&str>) -> anyhow::Result<()> {
    let scratch = Scratch::new(dir)?;
    let file = scratch.0.join("fsync");
    let fsyncs = tokio::task::spawn_blocking(move || fsync_rate(&file)).await??;
    println!("disk        {fsyncs:.0} fsync/s (append of 512 bytes, fdatasync) in {}", dir.display());

    let store = Store::open_sqlite(&scratch.0.join("bench.db")).await?;
    measure("SQLite", &store, fsyncs).await?;
    store.close().await;

    let Some(url) = postgres else {
        println!("PostgreSQL  skipped: give an empty database with --postgres URL");
        return Ok(());
    };
    let store = Store::open_postgres(url).await.context("PostgreSQL for the bench")?;
    require_unused(&store).await?;
    measure("PostgreSQL", &store, fsyncs).await?;
    store.close().await;
    Ok(())
}

/// The bench's runner would take real jobs, which it does not know.
async fn require_unused(store: &Store) -> anyhow::Result<()> {
    let mut tx = store.read().await?;
    let open = tx.jobs(&JobFilter { target: None, open: true }, &Slice::first(1)).await?;
    if !open.is_empty() || !tx.servers(&ServerFilter::default(), &Slice::first(1)).await?.is_empty() {
        bail!("this database is in use: give the bench an empty one");
    }
    Ok(())
}

async fn measure(name: &str, store: &Store, fsyncs: f64) -> anyhow::Result<()> {
    let (starts, mut started) = mpsc::unbounded_channel();
    let bench = Arc::new(Bench { starts, ended: AtomicUsize::new(0), news: Notify::new() });
    let clock: SharedClock = Arc::new(SystemClock);
    let settings = Settings {
        workers: 4,
        lease: Duration::from_secs(30),
        poll: Duration::from_secs(1),
        stop_grace: Duration::from_secs(1),
    };
    let runner = Runner::new(store.clone(), clock.clone(), settings, "bench".to_owned()).with(bench.clone());
    let stop = CancellationToken::new();
    let running = {
        let stop = stop.clone();
        tokio::spawn(async move { runner.run(stop).await })
    };

    let (commits, begin) = (store.commits(), now());
    for _ in 0..JOBS {
        enqueue(store, &clock).await?;
    }
    bench.until_ended(JOBS).await;
    let (seconds, commits) = (begin.elapsed().as_secs_f64(), store.commits() - commits);
    while started.try_recv().is_ok() {}

    let mut waits = Vec::with_capacity(SINGLES);
    for single in 1..=SINGLES {
        let asked = now();
        enqueue(store, &clock).await?;
        let first_step = started.recv().await.context("the bench's runner stopped")?;
        waits.push(first_step.duration_since(asked));
        bench.until_ended(JOBS + single).await;
    }
    waits.sort_unstable();
    stop.cancel();
    running.await?;

    let rate = as_f64(JOBS) / seconds;
    println!(
        "{name:<11} {rate:.0} jobs/s, {:.1} commits/job, {:.2} jobs per fsync that the disk could do; \
         enqueue to start p50 {:.1} ms, p99 {:.1} ms",
        as_f64(usize::try_from(commits)?) / as_f64(JOBS),
        rate / fsyncs,
        quantile_ms(&waits, 50),
        quantile_ms(&waits, 99),
    );
    Ok(())
}

async fn enqueue(store: &Store, clock: &SharedClock) -> StoreResult<()> {
    let new = NewJob {
        kind: KIND,
        target: None,
        params: Value::Null,
        requested_by: "system bench".to_owned(),
        requester: None,
        approval: None,
    };
    let mut tx = store.write().await?;
    tx.enqueue(&new, clock.now()).await?;
    tx.commit().await
}

/// A job of one step that does nothing.
struct Bench {
    starts: mpsc::UnboundedSender<Instant>,
    ended: AtomicUsize,
    news: Notify,
}

impl Bench {
    async fn until_ended(&self, count: usize) {
        while self.ended.load(Ordering::Acquire) < count {
            self.news.notified().await;
        }
    }
}

#[async_trait]
impl Workflow for Bench {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn steps(&self, _: &Value) -> Result<Vec<StepSpec>, Reason> {
        Ok(vec![StepSpec::new("nothing")])
    }

    async fn act(&self, _: &str, _: &mut StepCx) -> Verdict {
        // Nobody listens any more once the numbers are there.
        let _ = self.starts.send(now());
        Verdict::Done(Value::Null)
    }

    async fn ended(&self, _: &mut Tx, _: &Job) -> StoreResult<()> {
        self.ended.fetch_add(1, Ordering::AcqRel);
        self.news.notify_one();
        Ok(())
    }
}

/// A directory of our own, gone with this value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join(format!("rackhand-bench-{}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left behind, it is a few hundred kilobytes under a name that says whose it is.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn fsync_rate(path: &Path) -> std::io::Result<f64> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let begin = now();
    for _ in 0..SYNCS {
        file.write_all(&[0; 512])?;
        file.sync_data()?;
    }
    Ok(f64::from(SYNCS) / begin.elapsed().as_secs_f64())
}

#[allow(clippy::disallowed_methods, reason = "a bench measures by the machine's own clock")]
fn now() -> Instant {
    Instant::now()
}

#[allow(clippy::cast_precision_loss, reason = "counts of a bench are far below 2^52")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

fn quantile_ms(sorted: &[Duration], percent: usize) -> f64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(0.0, |wait| wait.as_secs_f64() * 1_000.0)
}
