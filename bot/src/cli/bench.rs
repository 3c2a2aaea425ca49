//! `rackhand bench …`

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;

use crate::bench;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Jobs per second, and the time from asking to starting, beside the disk's own rate.
    Jobs {
        /// Where the SQLite file is made, and the disk's rate measured.
        #[arg(long, default_value = ".")]
        dir: PathBuf,
        /// A PostgreSQL database that is used for nothing else, as postgres://…
        #[arg(long)]
        postgres: Option<String>,
    },
    /// What Rackhand's REST costs beside the same questions to a fast upstream. Use a release build.
    Api {
        /// Where the SQLite file is made.
        #[arg(long, default_value = ".")]
        dir: PathBuf,
    },
}

/// Measures and prints.
pub async fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Jobs { dir, postgres } => bench::jobs(&dir, postgres.as_deref()).await?,
        Verb::Api { dir } => bench::api(&dir).await?,
    }
    Ok(ExitCode::SUCCESS)
}
