//! `rackhand mcp`: the door for language models, over standard input and output. A client starts it for itself.

use std::process::ExitCode;

use anyhow::bail;
use rackhand_agent::mcp::{Caller, serve_stdio};
use rackhand_core::{config::Config, model::Role, secret::Secret};

use crate::{logging::start_logging, process::Process, serve::stop_on_signal};

/// Serves until the client leaves. Standard output is the protocol's alone: the story goes to standard error.
pub async fn mcp(config: Config, role: Option<Role>, token: Option<String>) -> anyhow::Result<ExitCode> {
    start_logging(&config)?;
    let process = Process::open_existing(config).await?;
    let caller = match (token, role) {
        (Some(_), Some(_)) => bail!("RACKHAND_TOKEN says who asks, and so its role: leave --role out"),
        (Some(token), None) => Caller::Token(Secret::new(token)),
        (None, role) => Caller::Shell(role.unwrap_or(Role::Viewer)),
    };
    let ended = serve_stdio(process.ops.clone(), caller, stop_on_signal()?).await;
    process.ops.store.close().await;
    ended?;
    Ok(ExitCode::SUCCESS)
}
