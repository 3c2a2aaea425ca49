//! `rackhand audit …`

use std::process::ExitCode;

use clap::Subcommand;
use rackhand_bot::texts::clean;

use super::codes::FAILED;
use crate::process::Process;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Proves that no entry was changed, added or taken away.
    Verify,
    /// Prints the last entries.
    List {
        /// How many.
        #[arg(long, default_value_t = 50)]
        last: i64,
        /// As JSON, one entry a line.
        #[arg(long)]
        json: bool,
    },
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
        Verb::List { last, json } => {
            let mut tx = process.ops.store.read().await?;
            let newest = tx.audit_newest().await?;
            for entry in tx.audit((newest - last).max(0), *last).await? {
                if *json {
                    println!("{}", serde_json::to_string(&entry)?);
                } else {
                    let (at, actor, target) = (entry.at, clean(&entry.actor), clean(&entry.target));
                    println!("{:>6} {at} {:<8} {:<22} {target:<20} {actor}", entry.seq, entry.outcome, entry.operation);
                }
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}
