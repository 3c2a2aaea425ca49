//! The events of a run, as `ansible/plugins/callback/rackhand_events.py` writes them: one JSON object a line.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    path::Path,
};

use serde::Deserialize;
use serde_json::Value;
use tokio::{
    net::unix::pipe,
    select,
    sync::mpsc::{Sender, error::TrySendError},
};

use super::{PlaybookEvent, text::Redactor};

/// The most bytes of a line; the plug-in cuts texts long before that.
const LINE_MAX: usize = 256 * 1024;

/// The reading end of a run's events.
#[derive(Debug)]
pub(super) struct Events<'a> {
    pipe: pipe::Receiver,
    line: Vec<u8>,
    redactor: &'a Redactor,
    listener: Sender<PlaybookEvent>,
    /// What the listener has no room for yet: every failure, at most as many as the playbook has tasks, and the newest
    /// progress.
    waiting: VecDeque<PlaybookEvent>,
    /// What is known of the run by now.
    seen: Seen,
}

/// What the events of a run have said.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The task under way, or the last one.
    pub(super) task: Option<String>,
    /// The last failure that was not ignored: task and message.
    pub(super) failure: Option<(String, String)>,
    /// Why the server is out of reach.
    pub(super) unreachable: Option<String>,
    /// The report of checks.
    pub(super) health: Option<Value>,
    /// Tasks that went well.
    pub(super) ok: u32,
    /// Those of them that changed something.
    pub(super) changed: u32,
    total: Option<u32>,
}

impl<'a> Events<'a> {
    /// Opens the FIFO at `path`: for writing, too, so that it has no end while no writer is there.
    pub(super) fn open(path: &Path, redactor: &'a Redactor, listener: Sender<PlaybookEvent>) -> io::Result<Self> {
        let pipe = pipe::OpenOptions::new().read_write(true).open_receiver(path)?;
        Ok(Self { pipe, line: Vec::new(), redactor, listener, waiting: VecDeque::new(), seen: Seen::default() })
    }

    /// Passes events on as they come. Ends only if they cannot be read.
    pub(super) async fn follow(&mut self) -> io::Error {
        loop {
            let woken = select! {
                readable = self.pipe.readable() => readable,
                Ok(_) = self.listener.reserve(), if !self.waiting.is_empty() => Ok(()),
            };
            self.catch_up();
            let read = woken.and_then(|()| self.drain());
            if let Err(error) = read {
                return error;
            }
        }
    }

    /// Passes on the rest, for which a listener that lags may take its time.
    pub(super) fn finish(mut self) -> io::Result<Seen> {
        let read = self.drain();
        let (listener, waiting) = (self.listener, self.waiting);
        tokio::spawn(async move {
            for news in waiting {
                // One that left misses nothing.
                let _ = listener.send(news).await;
            }
        });
        read.map(|()| self.seen)
    }

    /// Passes on what has been written by now.
    fn drain(&mut self) -> io::Result<()> {
        let mut buffer = [0; 8192];
        loop {
            match self.pipe.try_read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.feed(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() + part.len() <= LINE_MAX {
                self.line.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                // A line that was cut, or that is not of ours, says nothing.
                if let Ok(event) = serde_json::from_slice(&self.line)
                    && let Some(news) = self.seen.take(event, self.redactor)
                {
                    self.pass(news);
                }
                self.line.clear();
            }
        }
    }

    fn catch_up(&mut self) {
        while let Some(earlier) = self.waiting.pop_front() {
            if let Err(TrySendError::Full(earlier)) = self.listener.try_send(earlier) {
                self.waiting.push_front(earlier);
                return;
            }
        }
    }

    /// Never waits: a listener that lags costs the run nothing.
    fn pass(&mut self, news: PlaybookEvent) {
        self.catch_up();
        if !self.waiting.is_empty() {
            wait(&mut self.waiting, news);
        } else if let Err(TrySendError::Full(news)) = self.listener.try_send(news) {
            self.waiting.push_back(news);
        }
    }
}

/// Takes `news` in, in place of the progress that it makes old.
fn wait(waiting: &mut VecDeque<PlaybookEvent>, news: PlaybookEvent) {
    use PlaybookEvent::{TaskDone, TaskFailed, TaskStarted};
    match news {
        TaskStarted { .. } => waiting.retain(|old| matches!(old, TaskFailed { .. })),
        TaskDone { .. } => waiting.retain(|old| !matches!(old, TaskDone { .. })),
        TaskFailed { .. } => {}
    }
    waiting.push_back(news);
}

impl Seen {
    fn take(&mut self, event: Wire, redactor: &Redactor) -> Option<PlaybookEvent> {
        let name = redactor.message(&event.task.unwrap_or_default());
        match event.event.as_str() {
            "play_start" => self.total = event.tasks,
            "handler_start" => self.task = Some(name),
            "task_start" => {
                self.total = event.of.or(self.total);
                self.task = Some(name.clone());
                return Some(PlaybookEvent::TaskStarted { number: event.n.unwrap_or(0), total: self.total, name });
            }
            "ok" | "changed" | "skipped" => {
                return Some(PlaybookEvent::TaskDone { name, changed: event.event == "changed", ms: event.ms });
            }
            "failed" => {
                let message = redactor.message(&event.result.unwrap_or_default().words());
                if !event.ignored {
                    self.failure = Some((name.clone(), message.clone()));
                }
                return Some(PlaybookEvent::TaskFailed { name, message, ignored: event.ignored });
            }
            "unreachable" => {
                self.unreachable = Some(redactor.message(&event.result.unwrap_or_default().words()));
            }
            "health" => self.health = event.checks,
            "stats" => {
                self.ok = event.hosts.values().map(|host| host.ok).sum();
                self.changed = event.hosts.values().map(|host| host.changed).sum();
            }
            _ => {}
        }
        None
    }
}

/// Any event; each kind has some of these.
#[derive(Debug, Deserialize)]
struct Wire {
    event: String,
    n: Option<u32>,
    of: Option<u32>,
    tasks: Option<u32>,
    task: Option<String>,
    ms: Option<i64>,
    result: Option<WireResult>,
    #[serde(default)]
    ignored: bool,
    checks: Option<Value>,
    #[serde(default)]
    hosts: BTreeMap<String, WireHost>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireResult {
    msg: Option<Value>,
    stderr: Option<Value>,
    stdout: Option<Value>,
    censored: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireHost {
    ok: u32,
    changed: u32,
}

impl WireResult {
    /// What a task said about its end: its message, and what the command wrote that it ran.
    fn words(&self) -> String {
        let text = |value: &Option<Value>| match value {
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let command = [&self.stderr, &self.stdout].into_iter().map(text).find(|said| !said.is_empty());
        let mut said: Vec<String> = [Some(text(&self.msg)), command, Some(text(&self.censored))]
            .into_iter()
            .flatten()
            .filter(|said| !said.is_empty())
            .collect();
        said.dedup();
        if said.is_empty() { "it said nothing".to_owned() } else { said.join(": ") }
    }
}
