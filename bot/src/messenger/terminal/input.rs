//! Lines that a person types, and those that were not acknowledged yet.

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use super::super::{Incoming, SendError};

/// A line longer than this many bytes comes in pieces, as Telegram sends a long text in several messages.
const MOST_IN_LINE: usize = 16 * 1024;

pub(super) struct Input {
    reader: Box<dyn AsyncBufRead + Send + Unpin>,
    /// What was read of a line whose end has not come: kept here, so that a caller may give up waiting.
    begun: Vec<u8>,
    /// A line that was read and has not become an update yet, kept for the same reason.
    unread: Option<String>,
    ended: bool,
    last: i64,
    /// Not acknowledged yet: at most one, since no line is read while one waits.
    kept: Option<(i64, Incoming)>,
}

impl Input {
    pub(super) fn new(reader: Box<dyn AsyncBufRead + Send + Unpin>) -> Self {
        Self { reader, begun: Vec::new(), unread: None, ended: false, last: 0, kept: None }
    }

    /// The next line that says anything, without white space at its ends.
    pub(super) async fn line(&mut self) -> Result<String, SendError> {
        loop {
            if let Some(line) = &self.unread {
                return Ok(line.clone());
            }
            if self.ended {
                return Err(SendError::Left);
            }
            if self.fill().await || self.ended {
                let line = String::from_utf8_lossy(&self.begun).trim().to_owned();
                self.begun.clear();
                self.unread = Some(line).filter(|line| !line.is_empty());
            }
        }
    }

    /// Reads on; `true` when a line is complete.
    async fn fill(&mut self) -> bool {
        let Ok(bytes) = self.reader.fill_buf().await else {
            self.ended = true;
            return false;
        };
        self.ended = bytes.is_empty();
        let room = MOST_IN_LINE.saturating_sub(self.begun.len());
        let bytes = &bytes[..bytes.len().min(room)];
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (taken, text) = end.map_or((bytes.len(), bytes), |end| (end + 1, &bytes[..end]));
        self.begun.extend_from_slice(text);
        self.reader.consume(taken);
        end.is_some() || self.begun.len() >= MOST_IN_LINE
    }

    /// The update that was handed out and not acknowledged: everything up to number `after` is.
    pub(super) fn waiting(&mut self, after: i64) -> Option<Incoming> {
        self.kept.take_if(|(number, _)| *number <= after);
        self.kept.as_ref().map(|(_, incoming)| incoming.clone())
    }

    pub(super) fn next_number(&mut self) -> i64 {
        self.last += 1;
        self.last
    }

    pub(super) fn keep(&mut self, number: i64, incoming: Incoming) {
        self.kept = Some((number, incoming));
        self.unread = None;
    }
}
