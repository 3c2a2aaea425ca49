//! The messages on the screen.

use std::collections::{BTreeSet, VecDeque};

use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::{
    super::{Message, SendError},
    Size,
    paint::{self, Paint},
};

/// So many messages can still be edited and pressed.
const MOST_MESSAGES: usize = 500;
/// So many presses can wait for their answer.
const MOST_PRESSES: usize = 100;
const PROMPT: &str = "› ";

pub(super) struct Screen {
    output: Box<dyn AsyncWrite + Send + Unpin>,
    size: Size,
    last_message: i64,
    messages: VecDeque<(i64, Message)>,
    /// The block right above the cursor, if nothing came after it.
    newest: Option<Block>,
    /// Whether the prompt was shown for the first time.
    prompted: bool,
    last_press: u64,
    presses: BTreeSet<u64>,
}

struct Block {
    message: i64,
    rows: usize,
    size: (usize, usize),
}

impl Screen {
    pub(super) fn new(output: Box<dyn AsyncWrite + Send + Unpin>, size: Size) -> Self {
        Self {
            output,
            size,
            last_message: 0,
            messages: VecDeque::new(),
            newest: None,
            prompted: false,
            last_press: 0,
            presses: BTreeSet::new(),
        }
    }

    /// Shows a new message. Answers its number.
    pub(super) async fn show(&mut self, message: &Message) -> Result<i64, SendError> {
        self.last_message += 1;
        let number = self.last_message;
        self.messages.push_back((number, message.clone()));
        if self.messages.len() > MOST_MESSAGES {
            self.messages.pop_front();
        }
        self.print(number, message, "").await?;
        Ok(number)
    }

    /// Puts `message` in the place of message `number`.
    pub(super) async fn change(&mut self, number: i64, message: &Message) -> Result<(), SendError> {
        let kept = self.messages.iter_mut().find(|(kept, _)| *kept == number);
        let old = &mut kept.ok_or(SendError::MessageGone)?.1;
        if (&old.html, &old.buttons) == (&message.html, &message.buttons) {
            return Err(SendError::NotModified);
        }
        let says_more = old.html != message.html || !message.buttons.is_empty();
        *old = message.clone();
        let size = (self.size)();
        let newest = self.newest.take_if(|block| block.message == number && Some(block.size) == size);
        if let Some(block) = newest.filter(|block| block.rows < block.size.1) {
            self.write(&format!("\r\x1b[{}A\x1b[J", block.rows)).await?;
            return self.print(number, message, "").await;
        }
        if size.is_some() || says_more {
            self.print(number, message, "↻ ").await?;
        }
        Ok(())
    }

    /// The button that a line presses: its message and its data.
    pub(super) fn pressed(&self, line: &str) -> Option<(i64, String)> {
        let (message, button) = match line.strip_prefix('#') {
            Some(place) => {
                let (number, button) = place.split_once('.')?;
                let number: i64 = number.parse().ok()?;
                (self.messages.iter().find(|(kept, _)| *kept == number)?, button)
            }
            None => (self.messages.iter().rev().find(|(_, message)| !message.buttons.is_empty())?, line),
        };
        let place = button.parse::<usize>().ok()?.checked_sub(1)?;
        let button = message.1.buttons.iter().flatten().nth(place)?;
        Some((message.0, button.data.clone()))
    }

    /// A press begins, and waits for its answer.
    pub(super) fn begin_press(&mut self) -> u64 {
        self.last_press += 1;
        self.presses.insert(self.last_press);
        if self.presses.len() > MOST_PRESSES {
            self.presses.pop_first();
        }
        self.last_press
    }

    /// A press gets its answer.
    pub(super) async fn answer(&mut self, press: u64, text: Option<&str>) -> Result<(), SendError> {
        if !self.presses.remove(&press) {
            return Err(SendError::PressExpired);
        }
        let Some(text) = text else { return Ok(()) };
        self.newest = None;
        let words = paint::plain(text);
        self.around(&format!("» {words}\n")).await
    }

    /// The chat begins: somebody waits for what the person types.
    pub(super) async fn begin(&mut self) -> Result<(), SendError> {
        if self.prompted { Ok(()) } else { self.typed().await }
    }

    /// The person ended a line: what stands above the cursor is theirs.
    pub(super) async fn typed(&mut self) -> Result<(), SendError> {
        self.newest = None;
        self.prompted = true;
        if (self.size)().is_some() { self.write(PROMPT).await } else { Ok(()) }
    }

    async fn print(&mut self, number: i64, message: &Message, mark: &str) -> Result<(), SendError> {
        let size = (self.size)();
        let lines = Paint { columns: size.map(|(columns, _)| columns) }.message(number, message, mark);
        self.newest = size.map(|size| Block { message: number, rows: lines.len(), size });
        let mut text = lines.join("\n");
        text.push('\n');
        self.around(&text).await
    }

    /// Writes whole lines; on a terminal the prompt makes way and comes back below.
    async fn around(&mut self, text: &str) -> Result<(), SendError> {
        self.prompted = true;
        match (self.size)() {
            Some(_) => self.write(&format!("\r\x1b[J{text}{PROMPT}")).await,
            None => self.write(text).await,
        }
    }

    async fn write(&mut self, text: &str) -> Result<(), SendError> {
        // A terminal that cannot be written to is one that somebody closed.
        self.output.write_all(text.as_bytes()).await.map_err(|_| SendError::Left)?;
        self.output.flush().await.map_err(|_| SendError::Left)
    }
}
