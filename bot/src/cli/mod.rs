//! The command line.

mod audit;
mod bench;
pub mod chat;
mod check;
mod invite;
mod jobs;
mod mcp;
mod servers;

use std::{path::PathBuf, process::ExitCode};

use anyhow::bail;
use clap::{Parser, Subcommand, ValueEnum};
use rackhand_core::{
    config::{self, Config},
    model::Actor,
    ops::{Answer, Operation},
    states,
};

use crate::{
    demo,
    process::{Parts, Process},
    serve,
};

/// Something failed.
pub const FAILED: u8 = 1;
/// What was asked for is refused, or not there.
pub const REFUSED: u8 = 2;

/// The hired hand for your servers.
#[derive(Debug, Parser)]
#[command(name = "rackhand", version, about, after_help = "Exit status: 0 done, 1 failed, 2 refused or not found.")]
pub struct Command {
    /// The configuration file; else `RACKHAND_CONFIG`, ./rackhand.toml or /etc/rackhand/rackhand.toml.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serves: chat, jobs, reconcilers, REST.
    Serve {
        /// Only this part, for several processes on PostgreSQL.
        #[arg(long)]
        only: Option<Part>,
    },
    /// Talks to the bot in this terminal, as an admin, on the configured database.
    Chat,
    /// The whole product with a simulated provider and simulated hosts, in this terminal.
    Demo,
    /// Says all that is wrong with the configuration, and tries each outside system.
    Check,
    /// Brings the database's tables up to date.
    Migrate,
    /// Serves a language model's client over standard input and output (MCP), as the holder of `RACKHAND_TOKEN`, or
    /// else as whoever has this shell.
    Mcp {
        /// viewer (where nothing is said), operator or admin: the most that the model may do without a token
        #[arg(long)]
        role: Option<rackhand_core::model::Role>,
    },
    /// Jobs.
    Jobs {
        #[command(subcommand)]
        verb: jobs::Verb,
    },
    /// Servers.
    Servers {
        #[command(subcommand)]
        verb: servers::Verb,
    },
    /// Makes a one-time invite.
    Invite {
        /// viewer, operator or admin
        role: rackhand_core::model::Role,
    },
    /// The record of what was done.
    Audit {
        #[command(subcommand)]
        verb: audit::Verb,
    },
    /// Measures.
    Bench {
        #[command(subcommand)]
        verb: bench::Verb,
    },
    /// Prints the states and moves of everything, as docs/states.md.
    States,
    /// Prints a configuration file with every key.
    ExampleConfig,
    /// Plays a playbook on a simulated host; `demo` runs it in place of ansible-playbook.
    #[command(hide = true, disable_help_flag = true, disable_version_flag = true)]
    SimulatedAnsiblePlaybook {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Part {
    /// The chat.
    Bot,
    /// Jobs and reconcilers.
    Worker,
    /// The door for programs: REST.
    Api,
}

/// Does what the command says.
pub async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let file = command.config;
    match command.verb {
        Verb::Serve { only } => {
            let none = Parts { bot: false, worker: false, api: false };
            let parts = match only {
                None => Parts::ALL,
                Some(Part::Bot) => Parts { bot: true, ..none },
                Some(Part::Worker) => Parts { worker: true, ..none },
                Some(Part::Api) => Parts { api: true, ..none },
            };
            serve::serve(load(file)?, parts).await
        }
        Verb::Chat => chat::chat(load(file)?).await,
        Verb::Demo => demo::demo().await,
        Verb::Check => check::check(config::load(environment, file)).await,
        Verb::Migrate => {
            let process = Process::open(load(file)?).await?;
            println!("{} is up to date", process.config.database_url);
            Ok(ExitCode::SUCCESS)
        }
        Verb::Mcp { role } => {
            mcp::mcp(load(file)?, role, environment("RACKHAND_TOKEN").filter(|token| !token.is_empty())).await
        }
        Verb::Jobs { verb } => jobs::run(&Process::open(load(file)?).await?, verb).await,
        Verb::Servers { verb } => servers::run(&Process::open(load(file)?).await?, verb).await,
        Verb::Invite { role } => invite::invite(&Process::open(load(file)?).await?, role).await,
        Verb::Audit { verb } => audit::run(&Process::open(load(file)?).await?, &verb).await,
        Verb::Bench { verb } => bench::run(verb).await,
        Verb::States => {
            print!("{}", states::markdown());
            Ok(ExitCode::SUCCESS)
        }
        Verb::ExampleConfig => {
            print!("{}", config::example());
            Ok(ExitCode::SUCCESS)
        }
        Verb::SimulatedAnsiblePlaybook { args } => {
            let code = rackhand_tests::sim_ansible::simulated_playbook(args).await;
            Ok(ExitCode::from(u8::try_from(code).unwrap_or(FAILED)))
        }
    }
}

/// The process's environment, read at the start and nowhere else.
#[allow(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn load(file: Option<PathBuf>) -> anyhow::Result<Config> {
    config::load(environment, file).map_err(|problems| anyhow::anyhow!("{problems}"))
}

/// Calls an operation as whoever has this shell.
async fn call<O: Operation>(process: &Process, input: &O::Input) -> anyhow::Result<O::Output> {
    match process.ops.call::<O>(&Actor::shell(), input, None).await? {
        Answer::Done(output) => Ok(output),
        Answer::AwaitingApproval(id) => bail!("it waits for an approval: {id}"),
    }
}
