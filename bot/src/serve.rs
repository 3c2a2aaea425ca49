//! `rackhand serve`, and what `chat` and `demo` share with it.

use std::{process::ExitCode, sync::Arc};

use rackhand_bot::messenger::{Messenger, telegram::Telegram};
use rackhand_core::config::Config;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::{
    logging::start_logging,
    process::{Front, Parts, Process},
};

/// Serves until it is told to stop.
pub async fn serve(config: Config, parts: Parts) -> anyhow::Result<ExitCode> {
    start_logging(&config)?;
    let mut process = Process::open(config).await?;
    process.take_over().await?;
    let messenger = telegram(&process.config)?;
    if parts.bot {
        if messenger.is_none() && !parts.worker && !parts.api {
            anyhow::bail!(
                "telegram.token is not set, and the chat is all that was asked for: there is nothing to serve"
            );
        }
        if messenger.is_none() {
            tracing::warn!("no telegram.token is configured: nobody can talk to this process but over `rackhand chat`");
        }
        show_first_admin_code(&process, messenger.as_deref()).await?;
    }
    if process.config.time4vps.username.is_none() && parts.worker {
        tracing::warn!("no time4vps account is configured: there are no servers to find");
    }
    if parts == (Parts { bot: false, worker: false, api: true }) && process.config.api.listen.is_none() {
        anyhow::bail!("api.listen is not set: say where to listen, such as RACKHAND_API_LISTEN=127.0.0.1:8080");
    }
    let stop = stop_on_signal()?;
    info!(version = env!("CARGO_PKG_VERSION"), database = %process.config.database_url, "ready");
    process.run(messenger.map(Front::Telegram), parts, &stop).await?;
    process.ops.store.close().await;
    info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// A token that is cancelled by SIGTERM or SIGINT.
pub fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stopped = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        info!("stopping: steps under way are finished or handed over");
        stopped.cancel();
    });
    Ok(stop)
}

fn telegram(config: &Config) -> anyhow::Result<Option<Arc<dyn Messenger>>> {
    match &config.telegram.token {
        None => Ok(None),
        Some(token) => Ok(Some(Arc::new(Telegram::new(&config.telegram.api_url, token.clone())?))),
    }
}

/// Shows the first admin's one-time code, as long as there is no admin. Only whoever sees this terminal can use it.
async fn show_first_admin_code(process: &Process, messenger: Option<&dyn Messenger>) -> anyhow::Result<()> {
    let Some(invite) = process.ops.first_admin_code().await? else { return Ok(()) };
    let name = match messenger {
        Some(messenger) => messenger.me().await.ok(),
        None => None,
    };
    let bot = name.map_or_else(|| "your bot".to_owned(), |name| format!("@{name}"));
    println!(
        "\n  There is no admin yet. Write this to {bot} in Telegram to become the first one:\n\n      /start {}\n\n  \
         It works once, until {}.\n",
        invite.code, invite.expires_at
    );
    Ok(())
}
