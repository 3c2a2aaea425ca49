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
    /// In the order in which they were shown last.
    messages: VecDeque<(i64, Message)>,
    /// What stands right above the cursor without a gap, the newest last.
    blocks: Vec<Block>,
    /// Whether the prompt was shown for the first time.
    prompted: bool,
    last_press: u64,
    presses: BTreeSet<u64>,
}

struct Block {
    message: i64,
    /// What stands before its number.
    mark: &'static str,
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
            blocks: Vec::new(),
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
        let place = self.messages.iter().position(|(kept, _)| *kept == number).ok_or(SendError::MessageGone)?;
        let old = &mut self.messages[place].1;
        if (&old.html, &old.buttons) == (&message.html, &message.buttons) {
            return Err(SendError::NotModified);
        }
        let says_more = old.html != message.html || !message.buttons.is_empty();
        *old = message.clone();
        if self.redraw(number).await? {
            return Ok(());
        }
        if (self.size)().is_some() || says_more {
            let lowest = self.messages.remove(place);
            self.messages.extend(lowest);
            self.print(number, message, "↻ ").await?;
        }
        Ok(())
    }

    /// The button that a line presses: its message and its data.
    pub(super) fn pressed(&self, line: &str) -> Option<(i64, String)> {
        let (message, button) = if let Some(place) = line.strip_prefix('#') {
            let (number, button) = place.split_once('.')?;
            let number: i64 = number.parse().ok()?;
            (self.messages.iter().find(|(kept, _)| *kept == number)?, button)
        } else {
            let lowest = self.messages.iter().rev().find(|(_, message)| !message.buttons.is_empty());
            (lowest.filter(|(_, message)| !message.grave)?, line)
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
        self.blocks.clear();
        let words = paint::plain(text);
        self.around(&format!("» {words}\n")).await
    }

    /// The chat begins: somebody waits for what the person types.
    pub(super) async fn begin(&mut self) -> Result<(), SendError> {
        if self.prompted { Ok(()) } else { self.typed().await }
    }

    /// The person ended a line: what stands above the cursor is theirs.
    pub(super) async fn typed(&mut self) -> Result<(), SendError> {
        self.blocks.clear();
        self.prompted = true;
        if (self.size)().is_some() { self.write(PROMPT).await } else { Ok(()) }
    }

    /// Draws message `number` and what stands below it anew, where the screen still holds them all.
    async fn redraw(&mut self, number: i64) -> Result<bool, SendError> {
        let Some(size) = (self.size)() else { return Ok(false) };
        let Some(place) = self.blocks.iter().position(|block| block.message == number) else { return Ok(false) };
        let rows: usize = self.blocks[place..].iter().map(|block| block.rows).sum();
        if rows >= size.1 || self.blocks[place..].iter().any(|block| block.size != size) {
            return Ok(false);
        }
        if self.overwrite(place, rows).await? {
            return Ok(true);
        }
        self.write(&format!("\r\x1b[{rows}A\x1b[J")).await?;
        for below in self.blocks.split_off(place) {
            let kept = self.messages.iter().find(|(kept, _)| *kept == below.message);
            if let Some(message) = kept.map(|(_, message)| message.clone()) {
                self.print(below.message, &message, below.mark).await?;
            }
        }
        Ok(true)
    }

    /// Writes the message of a block over its old lines, `up` rows above the cursor, where it has as many as before: what
    /// is being typed below stays.
    async fn overwrite(&mut self, place: usize, up: usize) -> Result<bool, SendError> {
        let block = &self.blocks[place];
        let Some((number, message)) = self.messages.iter().find(|(kept, _)| *kept == block.message) else {
            return Ok(false);
        };
        let lines = Paint { columns: Some(block.size.0) }.message(*number, message, block.mark);
        if lines.len() != block.rows {
            return Ok(false);
        }
        let rows = lines.join("\x1b[K\n");
        self.write(&format!("\x1b7\r\x1b[{up}A{rows}\x1b[K\x1b8")).await?;
        Ok(true)
    }

    async fn print(&mut self, number: i64, message: &Message, mark: &'static str) -> Result<(), SendError> {
        let size = (self.size)();
        let lines = Paint { columns: size.map(|(columns, _)| columns) }.message(number, message, mark);
        self.stack(size.map(|size| Block { message: number, mark, rows: lines.len(), size }));
        let mut text = lines.join("\n");
        text.push('\n');
        self.around(&text).await
    }

    /// Notes a block that is about to stand below the others. What the screen cannot hold any more is forgotten, and so
    /// is what stands above an earlier drawing of the same message.
    fn stack(&mut self, block: Option<Block>) {
        let Some(block) = block else { return };
        if let Some(place) = self.blocks.iter().position(|other| other.message == block.message) {
            self.blocks.drain(..=place);
        }
        let height = block.size.1;
        self.blocks.push(block);
        while self.blocks.iter().map(|block| block.rows).sum::<usize>() >= height && !self.blocks.is_empty() {
            self.blocks.remove(0);
        }
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
