//! The `rackhand` program: the place where a process is put together, and its command line.

mod bench;
mod cli;
mod demo;
mod logging;
mod process;
mod serve;

use std::process::ExitCode;

fn main() -> ExitCode {
    // The process's one TLS; the second to choose would be refused, and there is none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let matches = cli::command().get_matches();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("rackhand: cannot start: {error}");
            return ExitCode::from(cli::codes::FAILED);
        }
    };
    let code = match runtime.block_on(cli::run(&matches)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("rackhand: {}", readable(&format!("{error:#}")));
            ExitCode::from(cli::codes::of(&error))
        }
    };
    // A thread that waits for a line on standard input would hold the end up.
    runtime.shutdown_background();
    code
}

/// Words of an error, some of which come from outside, as a terminal can take them.
fn readable(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}
