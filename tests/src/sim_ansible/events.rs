//! Events as `ansible/plugins/callback/rackhand_events.py` writes them.

use std::{
    fs::{File, OpenOptions},
    io::Write,
};

use rackhand_core::clock::{Clock, SystemClock};
use serde_json::{Value, json};

/// Where events go: the file or FIFO that `RACKHAND_EVENTS` names, or nowhere.
pub(super) struct Events {
    out: Option<File>,
    seq: u64,
}

impl Events {
    pub(super) fn open() -> Result<Self, String> {
        // As the real plug-in finds it: it is a variable of this child process.
        let path = std::env::var_os("RACKHAND_EVENTS");
        let out = path.map(|path| OpenOptions::new().append(true).create(true).open(path)).transpose();
        Ok(Self { out: out.map_err(|error| format!("cannot open RACKHAND_EVENTS: {error}"))?, seq: 0 })
    }

    /// Writes one line.
    pub(super) fn emit(&mut self, event: &str, fields: &Value) {
        self.seq += 1;
        let mut line = json!({"seq": self.seq, "ts": SystemClock.now().0 / 1000, "event": event});
        merge(&mut line, fields);
        if let Some(out) = &mut self.out
            && out.write_all(format!("{line}\n").as_bytes()).is_err()
        {
            // The reader is gone: the run goes on without it.
            self.out = None;
        }
    }
}

/// Adds the fields of `more` to `fields`.
pub(super) fn merge(fields: &mut Value, more: &Value) {
    if let (Value::Object(fields), Value::Object(more)) = (fields, more) {
        fields.extend(more.clone());
    }
}
