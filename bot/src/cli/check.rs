//! `rackhand check`: everything that is wrong, at once, with each outside system tried.

use std::{process::ExitCode, time::Duration};

use rackhand_agent::api::Auth;
use rackhand_bot::messenger::{Messenger, telegram::Telegram};
use rackhand_core::{
    clients::ironic::{Ironic, IronicError, NodeFilter},
    config::{Config, ConfigErrors},
    fault::chain,
};

use super::codes::FAILED;
use crate::process::Process;

/// Longest time of one try.
const PATIENCE: Duration = Duration::from_secs(25);

/// Tries everything and says what it saw.
pub async fn check(config: Result<Config, ConfigErrors>) -> anyhow::Result<ExitCode> {
    let config = match config {
        Ok(config) => {
            said("configuration", Ok("understood".to_owned()));
            config
        }
        Err(problems) => {
            said("configuration", Err(problems.to_string()));
            return Ok(ExitCode::from(FAILED));
        }
    };
    for warning in &config.warnings {
        println!("  !  {warning}");
    }
    let mut good = true;
    match Process::open(config).await {
        Err(error) => good &= said("database and keys", Err(format!("{error:#}"))),
        Ok(process) => {
            good &= said("database", Ok(process.config.database_url.to_string()));
            good &= said("master key", Ok(process.config.master_key_file.display().to_string()));
            if process.config.api.listen.is_some() {
                good &= said("api", api(&process.config));
            }
            good &= said("telegram", telegram(&process).await);
            good &= ironic(&process).await;
            good &= outside(&process).await;
        }
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

async fn outside(process: &Process) -> bool {
    let tools = match process.tools().await {
        Ok(tools) => tools,
        Err(error) => return said("ssh key and playbooks", Err(format!("{error:#}"))),
    };
    let mut good = said("ssh key", Ok(tools.key.public_line()));
    let version = tokio::time::timeout(PATIENCE, tools.ansible.version()).await;
    good &= said(
        "ansible",
        version.map_or_else(|_| Err("no answer".to_owned()), |version| version.map_err(|error| chain(&error))),
    );
    let provider = match &tools.provider {
        None => Err("no account: set TIME4VPS_USERNAME and TIME4VPS_PASSWORD (or _FILE)".to_owned()),
        Some(provider) => match provider.servers().await {
            Ok(servers) => Ok(format!("{} servers", servers.len())),
            Err(error) => Err(advised(&error, error.advice())),
        },
    };
    good & said("time4vps", provider)
}

/// Whom the door for programs lets in.
fn api(config: &Config) -> Result<String, String> {
    let auth = Auth::configured(&config.api, &config.api_jwt).map_err(|error| chain(&error))?;
    Ok(match auth {
        Auth::Token => "whoever has a token".to_owned(),
        Auth::Basic => "whoever has a token, which may come as name and password".to_owned(),
        Auth::Jwt(jwt) => format!("whoever has a JSON Web Token {jwt}"),
        Auth::None => "everybody on this machine, as an admin".to_owned(),
    })
}

async fn telegram(process: &Process) -> Result<String, String> {
    let Some(token) = &process.config.telegram.token else {
        return Err("no token: get one from BotFather and set TELEGRAM_BOT_TOKEN (or _FILE)".to_owned());
    };
    let telegram = Telegram::new(&process.config.telegram.api_url, token.clone()).map_err(|error| chain(&error))?;
    telegram.me().await.map(|name| format!("@{name}")).map_err(|error| chain(&error))
}

/// Nothing is said where no Ironic is configured: few have one.
async fn ironic(process: &Process) -> bool {
    let client = match Ironic::configured(&process.config.ironic, process.ops.clock.clone()) {
        Ok(None) => return true,
        Ok(Some(client)) => client,
        Err(error) => return said("ironic", Err(advised(&error, error.advice()))),
    };
    let tried = async {
        let version = client.version().await?;
        let nodes = client.nodes(&NodeFilter::default()).await?.len();
        Ok::<_, IronicError>(format!("version 1.{version}, {nodes} nodes"))
    };
    said("ironic", tried.await.map_err(|error| advised(&error, error.advice())))
}

fn advised(error: &dyn std::error::Error, advice: Option<&str>) -> String {
    advice.map_or_else(|| chain(error), |advice| format!("{}. {advice}", chain(error)))
}

fn said(what: &str, seen: Result<String, String>) -> bool {
    let good = seen.is_ok();
    let mark = if good { "  ok " } else { " BAD " };
    let (Ok(words) | Err(words)) = seen;
    println!("{mark} {what}: {words}");
    good
}
