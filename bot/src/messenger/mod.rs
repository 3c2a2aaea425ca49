//! How Rackhand talks with people: one trait, behind it Telegram ([`telegram`]) or the terminal ([`terminal`]).
//!
//! Texts are in Telegram's HTML subset. Pacing, repeating and remembering what was sent are the outbox's work, not done
//! here: each call is one try with a deadline.

pub mod telegram;
pub mod terminal;

use std::time::Duration;

use async_trait::async_trait;
use rackhand_core::fault::{Fault, FaultKind};
pub use rackhand_core::model::Person;

/// A chat. A person's private chat has the person's own number; a group's number is negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChatId(pub i64);

/// A message in a chat: unique in that chat alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub i64);

/// An update: they come in the order of these numbers, and the same number may come twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UpdateId(pub i64);

/// A press of a button, to be answered once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PressId(pub String);

/// A button under a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What stands on it: plain text.
    pub label: String,
    /// What its press brings: 1 to 64 bytes.
    pub data: String,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its name, with an extension.
    pub name: String,
    /// Its content: at most 50 MB in Telegram.
    pub bytes: Vec<u8>,
}

/// What is sent, or put in the place of what was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The text in Telegram's HTML subset: at most [`crate::html::MOST_IN_MESSAGE`], under a file
    /// [`crate::html::MOST_IN_CAPTION`].
    pub html: String,
    /// Rows of buttons under it.
    pub buttons: Vec<Vec<Button>>,
    /// Whether a press must not be meant for another message: in a terminal a bare number presses none of its buttons,
    /// because it may have come while the person typed.
    pub grave: bool,
    /// Whether it comes without a sound.
    pub silent: bool,
    /// A file that the text is then the caption of. An edit changes the caption and the buttons, never the file.
    pub document: Option<Document>,
}

/// Where an update comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The chat.
    pub chat: ChatId,
    /// Whether nobody but the person and the bot is in it.
    pub private: bool,
    /// Who wrote or pressed.
    pub person: Person,
}

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Its number.
    pub update: UpdateId,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of what comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text message.
    Text {
        /// Who wrote it, and where.
        origin: Origin,
        /// The text, without markup.
        text: String,
    },
    /// A press of a button. It may be old, repeated, or made up: `data` is no more than a claim.
    Press {
        /// Who pressed, and where.
        origin: Origin,
        /// The press itself, to be answered.
        press: PressId,
        /// The message whose button it was.
        message: MessageId,
        /// What the button carries.
        data: String,
    },
    /// Something that is neither: a photo, a message in another bot's or a channel's name, an update of a kind that did
    /// not exist when this was written.
    Unreadable {
        /// Who sent it, and where, as far as that can be read.
        origin: Option<Origin>,
    },
}

/// Whose menu a list of commands is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandScope {
    /// Everybody for whom there is no other list.
    Default,
    /// One chat.
    Chat(ChatId),
}

/// Why a call to the messenger failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Too many calls; the next one for this chat may come after this long.
    #[error("too many messages: wait {} s", retry_after.as_secs())]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// This chat cannot be written to: the person blocked the bot or is gone, the group is closed to it, or never was.
    #[error("this chat cannot be written to: {why}")]
    Blocked {
        /// The messenger's words.
        why: String,
    },
    /// The group became another chat.
    #[error("this group is now chat {}", to.0)]
    Moved {
        /// The new chat.
        to: ChatId,
    },
    /// The message already is as the edit would make it.
    #[error("the message is like this already")]
    NotModified,
    /// The message to be edited is gone, or can no longer be edited.
    #[error("the message is gone")]
    MessageGone,
    /// The press was answered already, or is too old to be.
    #[error("the press is too old, or was answered already")]
    PressExpired,
    /// The call is wrong in itself and will stay so.
    #[error("{method} was rejected: {what}")]
    Rejected {
        /// The call.
        method: &'static str,
        /// The messenger's words.
        what: String,
    },
    /// Another program polls with the same bot token.
    #[error("another program uses this bot's token ({what}): stop it, or give each its own bot")]
    Conflict {
        /// The messenger's words.
        what: String,
    },
    /// The bot token is not valid.
    #[error("Telegram does not know this bot token: check TELEGRAM_BOT_TOKEN against the one that @BotFather shows")]
    Unauthorized,
    /// No usable answer.
    #[error("{method} got no usable answer: {what}")]
    Unavailable {
        /// The call.
        method: &'static str,
        /// What came instead.
        what: String,
        /// Whether it may have taken effect all the same.
        maybe_done: bool,
    },
    /// The person at the terminal has left; nothing will come in any more.
    #[error("nobody is at the terminal any more")]
    Left,
}

impl Fault for SendError {
    fn kind(&self) -> FaultKind {
        match self {
            Self::TooMany { .. } => FaultKind::RateLimited,
            Self::Blocked { .. } => FaultKind::Forbidden,
            Self::Moved { .. } | Self::NotModified | Self::Conflict { .. } => FaultKind::Conflict,
            Self::MessageGone | Self::PressExpired => FaultKind::NotFound,
            Self::Rejected { .. } => FaultKind::Bug,
            Self::Unauthorized => FaultKind::Unauthenticated,
            Self::Unavailable { .. } | Self::Left => FaultKind::Unavailable,
        }
    }
}

/// A way to talk with people. Every call has a deadline.
#[async_trait]
pub trait Messenger: Send + Sync {
    /// Sends a message.
    async fn send(&self, chat: ChatId, message: &Message) -> Result<MessageId, SendError>;

    /// Puts `message` in the place of one that was sent before; buttons that it does not have are taken away.
    async fn edit(&self, chat: ChatId, id: MessageId, message: &Message) -> Result<(), SendError>;

    /// Tells who pressed that the press arrived, with a few words (at most 200 characters) or without.
    async fn answer_press(&self, press: &PressId, text: Option<&str>) -> Result<(), SendError>;

    /// Waits some seconds for what comes in, and answers with it in its order, or with nothing. All up to `after` is
    /// acknowledged and does not come again; the rest does.
    async fn updates(&self, after: Option<UpdateId>) -> Result<Vec<Incoming>, SendError>;

    /// Sets the commands (name, description) of the menu, for apps in `language` (two letters) or in any.
    async fn set_commands(
        &self,
        scope: CommandScope,
        language: Option<&str>,
        commands: &[(String, String)],
    ) -> Result<(), SendError>;

    /// The bot's own user name, as in `https://t.me/<name>?start=CODE`. Also proves that the token is good.
    async fn me(&self) -> Result<String, SendError>;
}

impl Message {
    /// A text.
    pub fn new(html: impl Into<String>) -> Self {
        Self { html: html.into(), ..Self::default() }
    }

    /// With one more row of buttons under it, each a label and its data.
    #[must_use]
    pub fn row<L: Into<String>, D: Into<String>>(mut self, buttons: impl IntoIterator<Item = (L, D)>) -> Self {
        let row = buttons.into_iter().map(|(label, data)| Button { label: label.into(), data: data.into() });
        self.buttons.push(row.collect());
        self
    }

    /// Without a sound.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.silent = true;
        self
    }

    /// With a file on it.
    #[must_use]
    pub fn document(mut self, name: impl Into<String>, bytes: Vec<u8>) -> Self {
        self.document = Some(Document { name: name.into(), bytes });
        self
    }
}
