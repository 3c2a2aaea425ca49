//! The `rackhand` program: the place where a process is put together, and its command line.

mod bench;
mod cli;
mod demo;
mod process;
mod serve;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // The process's one TLS; the second to choose would be refused, and there is none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let command = cli::Command::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("rackhand: cannot start: {error}");
            return ExitCode::from(cli::FAILED);
        }
    };
    let code = match runtime.block_on(cli::run(command)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("rackhand: {error:#}");
            ExitCode::from(cli::FAILED)
        }
    };
    // A thread that waits for a line on standard input would hold the end up.
    runtime.shutdown_background();
    code
}
