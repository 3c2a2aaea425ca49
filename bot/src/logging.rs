//! The process's own story, on standard error: one line for each event, whatever came in from outside.

use std::{
    fmt::{self, Debug, Write},
    io::{self, IsTerminal},
};

use anyhow::Context;
use rackhand_bot::texts::is_misleading;
use rackhand_core::config::{Config, LogFormat};
use tracing::{Level, field::Field};
use tracing_subscriber::{
    EnvFilter,
    field::MakeExt,
    filter::filter_fn,
    fmt::format::{Writer, debug_fn},
    prelude::*,
};

/// Sends the process's own story to standard error.
pub fn start_logging(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log.filter).with_context(|| {
        format!("log.filter {:?} is not a filter, such as info or rackhand_core=debug", config.log.filter)
    })?;
    // Below that level rmcp tells all that clients send, and some of it is secret.
    let discreet = filter_fn(|it| !it.target().starts_with("rmcp") || *it.level() <= Level::INFO);
    let registry = tracing_subscriber::registry().with(filter).with(discreet);
    let out = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    match config.log.format {
        LogFormat::Json => registry.with(out.json()).init(),
        LogFormat::Text => {
            let fields = debug_fn(write_field).delimited(" ");
            registry.with(out.with_ansi(io::stderr().is_terminal()).fmt_fields(fields)).init();
        }
    }
    Ok(())
}

fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> fmt::Result {
    match field.name() {
        "message" => {}
        // Where a record of the crate `log` is from; the line says so already.
        name if name.starts_with("log.") => return Ok(()),
        name => write!(writer, "{name}=")?,
    }
    write!(Escaped(writer), "{value:?}")
}

/// Writes what could move a cursor, begin a line or turn the direction of reading as what it is: `\u{202e}`. Others'
/// libraries, too, log what strangers send, and as it came.
struct Escaped<'a, 'w>(&'a mut Writer<'w>);

impl Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let forges = |c: char| c.is_control() || is_misleading(c);
        for part in text.split_inclusive(forges) {
            let mut plain = part.chars();
            match plain.next_back().filter(|last| forges(*last)) {
                Some(last) => write!(self.0, "{}{}", plain.as_str(), last.escape_default())?,
                None => self.0.write_str(part)?,
            }
        }
        Ok(())
    }
}
