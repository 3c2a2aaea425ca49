//! `rackhand chat`: the bot in this terminal.

use std::{io::IsTerminal, process::ExitCode, sync::Arc};

use rackhand_bot::{messenger::terminal::Terminal, sender::TERMINAL_CHAT};
use rackhand_core::{
    config::Config,
    model::{Person, Role},
    ops::{Answer, RedeemInvite},
};

use crate::{
    logging::start_logging,
    process::{Front, Parts, Process},
    serve,
};

/// What somebody has to know who never used it.
const GREETING: &str = "\n  You are an admin here. Try:  /status   /servers   /help\n  Buttons have numbers: type what \
                        stands before one to press it. Ctrl-D leaves.\n  The log is not shown: `rackhand chat 2>LOG` \
                        keeps it.\n";

/// Talks to the bot as an admin, on the configured database. Where nobody serves it, this process does.
pub async fn chat(config: Config) -> anyhow::Result<ExitCode> {
    // On one screen the log would tear the messages apart.
    if std::io::stderr().is_terminal() {
        println!("{GREETING}");
    } else {
        start_logging(&config)?;
    }
    let mut process = Process::open(config).await?;
    process.take_over().await?;
    talk(&process).await
}

/// The terminal chat until its end, with everything else running behind it.
pub async fn talk(process: &Process) -> anyhow::Result<ExitCode> {
    let person = local_person();
    let seen = process.ops.person_wrote(&person, None).await?;
    if let Some(seen) = seen
        && seen.user.role < Role::Admin
    {
        promote(process, &seen.user).await?;
    }
    let terminal = Arc::new(Terminal::stdio(person, process.ops.clock.now()));
    let stop = serve::stop_on_signal()?;
    process.run(Some(Front::Terminal(terminal)), Parts::ALL, &stop).await?;
    process.ops.store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Whoever has a shell here owns the database and the master key: they are an admin, by a code that they need not type.
async fn promote(process: &Process, user: &rackhand_core::model::User) -> anyhow::Result<()> {
    use rackhand_core::ops::{CreateInvite, CreateInviteInput};
    let invite = super::call::<CreateInvite>(process, &CreateInviteInput { role: Role::Admin }).await?;
    let input = RedeemInvite::input(&process.ops.keyring, &invite.code);
    match process.ops.call::<RedeemInvite>(&user.actor(), &input, None).await? {
        Answer::Done(_) | Answer::AwaitingApproval(_) => Ok(()),
    }
}

fn local_person() -> Person {
    let name = super::environment("USER").unwrap_or_else(|| "you".to_owned());
    let language = super::environment("LC_ALL").or_else(|| super::environment("LANG"));
    Person { telegram_id: TERMINAL_CHAT, username: None, first_name: name, last_name: None, language }
}
