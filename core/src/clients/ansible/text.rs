//! What `ansible-playbook` says: struck of secrets, cut to what a person can read.

use std::{cmp::Reverse, future::pending};

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::secret::Secret;

/// The most characters of a message in an error.
const MESSAGE_MAX: usize = 1000;
/// The most bytes of output that are kept.
const TAIL_MAX: usize = 64 * 1024;
/// The most lines of output that an error quotes.
const LINES_MAX: usize = 8;

/// Strikes the secrets of one run out of what is said about it.
#[derive(Debug)]
pub(super) struct Redactor(Vec<Secret>);

impl Redactor {
    /// For these secrets. Outputs show a text also in its JSON form, so that is struck out, too.
    pub(super) fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let forms = |secret: &Secret| {
            let json = serde_json::Value::from(secret.expose()).to_string();
            [secret.clone(), Secret::new(json.trim_matches('"'))]
        };
        let mut all: Vec<Secret> = secrets.into_iter().flat_map(forms).collect();
        // One may be part of another, whose rest would be told.
        all.sort_by_key(|secret| Reverse(secret.expose().len()));
        Self(all)
    }

    /// `text` without them, and with at most about 1000 characters: its beginning and, mostly, its end.
    pub(super) fn message(&self, text: &str) -> String {
        cut(self.0.iter().fold(text.trim().to_owned(), |text, secret| secret.redact(&text)))
    }
}

/// The last 64 KiB of an output.
#[derive(Debug, Default)]
pub(super) struct Tail(Vec<u8>);

impl Tail {
    /// Takes in the next bytes of `source`, which is `None` after its end; waits for ever if it is so already.
    pub(super) async fn read<R: AsyncRead + Unpin>(&mut self, source: &mut Option<R>) {
        let Some(reader) = source else { return pending().await };
        let mut buffer = [0; 8192];
        match reader.read(&mut buffer).await {
            Ok(count @ 1..) => self.push(&buffer[..count]),
            _ => *source = None,
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        if self.0.len() > 2 * TAIL_MAX {
            self.0.drain(..self.0.len() - TAIL_MAX);
        }
    }

    /// The first line, if it is among what was kept.
    pub(super) fn first_line(&self) -> Option<String> {
        String::from_utf8_lossy(&self.0).lines().next().map(|line| line.trim().to_owned())
    }

    /// The last lines that say something: no blank ones, headings or recap.
    pub(super) fn last_lines(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        let says = |line: &&str| {
            let line = line.trim();
            !(line.is_empty() || line.ends_with("****") || line.contains("unreachable=") || line.starts_with("ok: ["))
        };
        let mut lines: Vec<_> = text.lines().rev().filter(says).take(LINES_MAX).collect();
        lines.reverse();
        if lines.is_empty() { "it said nothing".to_owned() } else { lines.join("\n") }
    }
}

fn cut(text: String) -> String {
    let count = text.chars().count();
    if count <= MESSAGE_MAX {
        return text;
    }
    let head: String = text.chars().take(MESSAGE_MAX / 4).collect();
    let end: String = text.chars().skip(count - MESSAGE_MAX * 3 / 4).collect();
    format!("{head} … {end}")
}
