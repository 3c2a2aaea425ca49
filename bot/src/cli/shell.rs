//! What a shell is given: completions, and the manual.

use std::process::ExitCode;

use anyhow::Context;
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

/// Prints the completions of all commands for a shell.
pub fn completions(mut command: Command, shell: Shell) -> ExitCode {
    clap_complete::generate(shell, &mut command, "rackhand", &mut std::io::stdout());
    ExitCode::SUCCESS
}

/// Prints the manual's page of the command that these words name, or of the whole.
pub fn man(mut command: Command, words: &[String]) -> anyhow::Result<ExitCode> {
    command.build();
    let mut page = &command;
    for word in words {
        page = page.find_subcommand(word).with_context(|| format!("there is no command {word:?}"))?;
    }
    // A page is called like its command: rackhand-servers-label.
    let name = page.get_display_name().unwrap_or("rackhand").to_owned();
    Man::new(page.clone().name(name)).render(&mut std::io::stdout())?;
    Ok(ExitCode::SUCCESS)
}
