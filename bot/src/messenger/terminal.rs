//! The same bot in a terminal: lines typed are messages of one local person, in a private chat with the bot.
//!
//! A message is shown as `#7` and its text, with its buttons numbered below. Typing `2` presses button 2 of the lowest
//! message that has buttons, `#7.2` that of message 7, which a grave one wants; a number that is no button is a message
//! like any other. On a real
//! terminal a message that is edited is redrawn where it stands, as long as nothing was typed since and the screen holds
//! it; through a pipe, and for older ones, it is shown again after a `↻`. Two messengers cannot share one terminal.

mod input;
mod paint;
mod screen;

use async_trait::async_trait;
use rackhand_core::units::Timestamp;
use tokio::{
    io::{AsyncBufRead, AsyncWrite, BufReader},
    sync::Mutex,
};

use self::{input::Input, screen::Screen};
use super::{
    ChatId, CommandScope, Incoming, Kind, Message, MessageId, Messenger, Origin, Person, PressId, SendError, UpdateId,
};

/// How large the terminal is now: columns and rows; `None` when the output is no terminal.
pub type Size = Box<dyn Fn() -> Option<(usize, usize)> + Send + Sync>;

/// A chat in the terminal.
pub struct Terminal {
    origin: Origin,
    /// Added to the small numbers that people see, so that a number kept from an earlier run means nothing in this one.
    base: i64,
    input: Mutex<Input>,
    screen: Mutex<Screen>,
}

impl Terminal {
    /// A chat over the process's own standard input and output. tokio reads standard input in a thread that cannot be
    /// interrupted: leave `main` by `std::process::exit` or `Runtime::shutdown_background`, else the process waits for
    /// one more line.
    pub fn stdio(person: Person, started: Timestamp) -> Self {
        let size = || {
            let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
            Some((usize::from(size.ws_col), usize::from(size.ws_row))).filter(|(columns, _)| *columns > 0)
        };
        let input = Box::new(BufReader::new(tokio::io::stdin()));
        Self::new(person, started, input, Box::new(tokio::io::stdout()), Box::new(size))
    }

    /// A chat over any streams. `started` must be later than for an earlier chat with the same store behind it.
    pub fn new(
        person: Person,
        started: Timestamp,
        input: Box<dyn AsyncBufRead + Send + Unpin>,
        output: Box<dyn AsyncWrite + Send + Unpin>,
        size: Size,
    ) -> Self {
        let origin = Origin { chat: ChatId(person.telegram_id), private: true, person };
        Self {
            origin,
            base: started.0,
            input: Mutex::new(Input::new(input)),
            screen: Mutex::new(Screen::new(output, size)),
        }
    }

    fn own(&self, chat: ChatId) -> Result<(), SendError> {
        if chat == self.origin.chat {
            Ok(())
        } else {
            Err(SendError::Blocked { why: "only the person at the terminal can be written to".into() })
        }
    }

    async fn understand(&self, update: UpdateId, line: String) -> Incoming {
        let mut screen = self.screen.lock().await;
        let origin = self.origin.clone();
        let kind = match screen.pressed(&line) {
            Some((message, data)) => Kind::Press {
                origin,
                press: PressId(screen.begin_press().to_string()),
                message: MessageId(self.base + message),
                data,
            },
            None => Kind::Text { origin, text: line },
        };
        Incoming { update, kind }
    }
}

#[async_trait]
impl Messenger for Terminal {
    async fn send(&self, chat: ChatId, message: &Message) -> Result<MessageId, SendError> {
        self.own(chat)?;
        let number = self.screen.lock().await.show(message).await?;
        Ok(MessageId(self.base + number))
    }

    async fn edit(&self, chat: ChatId, id: MessageId, message: &Message) -> Result<(), SendError> {
        self.own(chat)?;
        self.screen.lock().await.change(id.0.saturating_sub(self.base), message).await
    }

    async fn answer_press(&self, press: &PressId, text: Option<&str>) -> Result<(), SendError> {
        let press = press.0.parse().map_err(|_| SendError::PressExpired)?;
        self.screen.lock().await.answer(press, text).await
    }

    /// Waits for a line, however long it takes; [`SendError::Left`] once the input has ended.
    async fn updates(&self, after: Option<UpdateId>) -> Result<Vec<Incoming>, SendError> {
        let mut input = self.input.lock().await;
        let after = after.map_or(0, |after| after.0.saturating_sub(self.base));
        if let Some(again) = input.waiting(after) {
            return Ok(vec![again]);
        }
        self.screen.lock().await.begin().await?;
        let line = input.line().await?;
        let number = input.next_number();
        let incoming = self.understand(UpdateId(self.base + number), line).await;
        input.keep(number, incoming.clone());
        self.screen.lock().await.typed().await?;
        Ok(vec![incoming])
    }

    /// A terminal has no menu.
    async fn set_commands(
        &self,
        _scope: CommandScope,
        _language: Option<&str>,
        _commands: &[(String, String)],
    ) -> Result<(), SendError> {
        Ok(())
    }

    async fn me(&self) -> Result<String, SendError> {
        Ok("rackhand".to_owned())
    }
}
