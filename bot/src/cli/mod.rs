//! The command line: a command for every operation of the table, made from it, and some that have a shape of their own.

mod audit;
mod bench;
pub mod chat;
mod check;
pub mod codes;
mod door;
mod follow;
mod mcp;
mod operations;
mod shell;
mod story;
mod views;

use std::{path::PathBuf, process::ExitCode};

use anyhow::bail;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use rackhand_core::{
    config::{self, Config},
    model::Actor,
    ops::{Answer, Operation},
    states,
};
use serde_json::Value;

use crate::{
    demo,
    process::{Parts, Process},
    serve,
};

use self::{
    codes::FAILED,
    door::{Door, NotThere},
    operations::{Called, called},
};

/// The hired hand for your servers.
#[derive(Debug, Parser)]
#[command(name = "rackhand", version, about, after_help = codes::HELP)]
struct Command {
    /// The configuration file; else `RACKHAND_CONFIG`, ./rackhand.toml or /etc/rackhand/rackhand.toml.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    /// Another Rackhand to ask over REST, with `RACKHAND_TOKEN` or `RACKHAND_TOKEN_FILE`; else `RACKHAND_URL`.
    #[arg(long, global = true)]
    url: Option<String>,
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
    /// Prints the description of REST in OpenAPI 3.1, as docs/openapi.json and `/openapi.json`.
    Openapi,
    /// Prints a configuration file with every key.
    ExampleConfig,
    /// Prints completions for a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Prints the manual, or the page of one command, in roff: `rackhand man servers label | man -l -`.
    Man {
        /// The command's words.
        words: Vec<String>,
    },
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

impl Verb {
    /// Its word, where it is about this machine's own database and would mislead whoever means another's.
    fn of_this_machine(&self) -> Option<&'static str> {
        match self {
            Self::Chat => Some("chat"),
            Self::Check => Some("check"),
            Self::Migrate => Some("migrate"),
            Self::Audit { .. } => Some("audit verify"),
            _ => None,
        }
    }
}

/// All commands.
pub fn command() -> clap::Command {
    operations::add_to(Command::command())
}

/// Does what was typed.
pub async fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    match called(matches) {
        Some(called) => {
            let called = called?;
            let (url, config) = (matches.get_one("url").cloned(), matches.get_one("config").cloned());
            operate(&Door::open(url, config).await?, &called).await
        }
        None => Box::pin(run_own(Command::from_arg_matches(matches)?)).await,
    }
}

/// Calls an operation and shows its answer.
async fn operate(door: &Door, called: &Called) -> anyhow::Result<ExitCode> {
    let answer = match door.call(called.entry, &called.input, called.key.as_deref()).await? {
        Answer::Done(answer) => answer,
        Answer::AwaitingApproval(id) => return follow::awaiting(door, called, id).await,
    };
    if called.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        println!("{}", views::shown(called.entry.spec.name, &answer));
        if let Some(next) = answer.get("next").and_then(Value::as_str) {
            eprintln!("There is more: --cursor {}, or a larger --limit.", rackhand_bot::texts::clean(next));
        }
    }
    match answer.get("job").and_then(Value::as_str).and_then(|job| job.parse().ok()) {
        Some(job) if called.follow => follow::job(door, job).await,
        _ => Ok(ExitCode::SUCCESS),
    }
}

async fn run_own(command: Command) -> anyhow::Result<ExitCode> {
    let file = command.config;
    if let (Some(word), Some(_)) = (command.verb.of_this_machine(), door::elsewhere(command.url)) {
        return Err(NotThere { command: word.to_owned() }.into());
    }
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
            let token = environment("RACKHAND_TOKEN").filter(|token| !token.is_empty());
            Box::pin(mcp::mcp(load(file)?, role, token)).await
        }
        Verb::Audit { verb } => audit::run(&Process::open_existing(load(file)?).await?, &verb).await,
        Verb::Bench { verb } => bench::run(verb).await,
        Verb::States => {
            print!("{}", states::markdown());
            Ok(ExitCode::SUCCESS)
        }
        Verb::Openapi => {
            println!("{}", serde_json::to_string_pretty(&rackhand_agent::api::document())?);
            Ok(ExitCode::SUCCESS)
        }
        Verb::ExampleConfig => {
            print!("{}", config::example());
            Ok(ExitCode::SUCCESS)
        }
        Verb::Completions { shell } => Ok(shell::completions(self::command(), shell)),
        Verb::Man { words } => shell::man(self::command(), &words),
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
