//! The product's own process, put together from its own file, with a witness that ends or freezes it at one commit of
//! the journal: `witnessed kill|stop N|NAME before|after`, at the N-th commit or at the first of that name. With `count` it
//! only writes every commit's name to standard output.

#[path = "../../bot/src/process.rs"]
mod process;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rackhand_bot::messenger::telegram::Telegram;
use rackhand_core::{config, work::Witness};
use rustix::process::{Signal, getpid, kill_process};
use tokio_util::sync::CancellationToken;

/// Does something to its own process at one commit.
struct AtCommit {
    signal: Option<Signal>,
    /// Its number or its name.
    which: String,
    before: bool,
    seen_before: AtomicUsize,
    seen_after: AtomicUsize,
}

impl AtCommit {
    fn reached(&self, what: &str, seen: usize, before: bool) {
        println!("{seen} {} {what}", if before { "before" } else { "after" });
        if let Some(signal) = self.signal
            && before == self.before
            && (self.which == what || self.which.parse() == Ok(seen))
        {
            let _ = kill_process(getpid(), signal);
            // SIGKILL is not waited for: nothing more may happen in this process.
            if signal == Signal::KILL {
                loop {
                    std::thread::park();
                }
            }
        }
    }
}

#[async_trait::async_trait]
impl Witness for AtCommit {
    async fn before(&self, what: &str) {
        self.reached(what, self.seen_before.fetch_add(1, Ordering::SeqCst) + 1, true);
    }
    async fn after(&self, what: &str) {
        self.reached(what, self.seen_after.fetch_add(1, Ordering::SeqCst) + 1, false);
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut args = std::env::args().skip(1);
    let signal = match args.next().as_deref() {
        Some("kill") => Some(Signal::KILL),
        Some("stop") => Some(Signal::STOP),
        _ => None,
    };
    let which = args.next().unwrap_or_default();
    let before = args.next().as_deref() == Some("before");
    let witness = AtCommit { signal, which, before, seen_before: AtomicUsize::new(0), seen_after: AtomicUsize::new(0) };

    #[allow(clippy::disallowed_methods, reason = "the process's own environment, read as main does")]
    let environment = |name: &str| std::env::var(name).ok();
    let config = config::load(environment, None).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    tracing_subscriber::fmt().with_env_filter(&config.log.filter).with_writer(std::io::stderr).init();
    let mut process = process::Process::open(config).await?.watched_by(Arc::new(witness));
    process.take_over().await?;
    let token = process.config.telegram.token.clone().ok_or_else(|| anyhow::anyhow!("a token is needed"))?;
    let telegram = Arc::new(Telegram::new(&process.config.telegram.api_url, token)?);
    process.run(Some(process::Front::Telegram(telegram)), process::Parts::ALL, &CancellationToken::new()).await
}
