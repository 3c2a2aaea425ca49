//! Messages to people.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

use crate::{
    ids::{ApprovalId, JobId, NoticeId, ServerId},
    units::Timestamp,
};

/// How loud a message is. The order is the order of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Display, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Level {
    /// Never folded, never held back.
    Critical,
    /// The answer to what a person just asked: they sit and wait for it.
    Reply,
    /// Something failed.
    Error,
    /// Something is off.
    Warning,
    /// Good to know.
    Info,
}

impl Level {
    /// The place in the sending order, smallest first; kept in the database for its index.
    pub fn rank(self) -> i64 {
        self as i64
    }

    /// Whether the hourly budget of a person may fold it into a digest.
    pub fn foldable(self) -> bool {
        matches!(self, Self::Error | Self::Warning | Self::Info)
    }
}

/// What a message says: words that are ready, or a thing that the sender words at the moment of sending, in the
/// reader's language and from the newest facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// Words that are ready (Telegram's HTML) with rows of buttons.
    Ready {
        /// The text.
        html: String,
        /// Rows of buttons.
        buttons: Vec<Vec<ButtonSpec>>,
    },
    /// Words that nobody but their reader may see, such as an invite's code: sealed for the chat they go to, so that
    /// the outbox holds no code in clear.
    Sealed {
        /// The text (Telegram's HTML), sealed by the keyring.
        sealed: String,
    },
    /// A live picture of a job: edited as the job goes on.
    JobCard {
        /// Which job.
        job: JobId,
    },
    /// Something happened.
    Notice(Notice),
    /// What did not fit into a person's hourly budget, in one message that is edited in place.
    Digest {
        /// One line for each folded message, newest last; bounded.
        lines: Vec<String>,
        /// How many were folded in all.
        count: i64,
    },
}

/// A button: what it shows and what a press of it sends (at most 64 bytes).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ButtonSpec {
    /// What it shows.
    pub label: String,
    /// What a press sends.
    pub data: String,
}

/// Something that people are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// A job ended, or is parked.
    JobEnded {
        /// Which job.
        job: JobId,
    },
    /// A plan waits for a yes.
    ApprovalAsked {
        /// Which.
        approval: ApprovalId,
    },
    /// An approval will expire soon.
    ApprovalExpiring {
        /// Which.
        approval: ApprovalId,
    },
    /// The provider lists a server that is new to us.
    ServerDiscovered {
        /// Which.
        server: ServerId,
    },
    /// An incident opened.
    IncidentOpened {
        /// The incident's id.
        incident: String,
    },
    /// An incident is over.
    IncidentResolved {
        /// The incident's id.
        incident: String,
    },
    /// Somebody unknown wrote to the bot.
    GuestArrived {
        /// How they call themselves.
        name: String,
        /// Telegram's number of them.
        telegram_id: i64,
    },
    /// The reader's role changed.
    RoleChanged {
        /// The role now.
        role: super::Role,
        /// Who changed it.
        by: String,
    },
    /// Words for which there is no kind: benches and `rackhand notify`.
    Plain {
        /// The words, plain text.
        text: String,
    },
}

/// A row of the outbox, as the sender takes it.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Its id.
    pub id: NoticeId,
    /// The chat.
    pub chat: i64,
    /// Unique in its chat: the same key again changes the message rather than adding one.
    pub key: String,
    /// How loud.
    pub level: Level,
    /// What it says.
    pub body: Body,
    /// Which version of it is wanted.
    pub revision: i64,
    /// How many messages of this version are sent: a long text is several.
    pub parts_sent: i64,
    /// Whether it goes out as plain text, since Telegram refused its markup.
    pub plain: bool,
    /// Telegram's number of the message, once sent.
    pub message_id: Option<i64>,
    /// When it was first sent.
    pub sent_at: Option<Timestamp>,
    /// Failed tries since the last success.
    pub attempts: i64,
    /// When it was written.
    pub created_at: Timestamp,
}
