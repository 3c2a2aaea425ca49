//! `rackhand audit …`

use std::process::ExitCode;

use clap::Subcommand;

use super::codes::FAILED;
use crate::process::Process;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Proves that no entry was changed, added or taken away.
    Verify,
}

pub async fn run(process: &Process, verb: &Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Verify => match process.ops.verify_audit().await? {
            Ok(entries) => {
                println!("the audit holds: {entries} entries");
                Ok(ExitCode::SUCCESS)
            }
            Err(fault) => {
                println!("THE AUDIT IS BROKEN: {fault}");
                Ok(ExitCode::from(FAILED))
            }
        },
    }
}
