//! How things look in the chat: pure wording of facts, in the reader's language, with the buttons that they may press.
//!
//! [`render`] words whatever the outbox holds, at the moment of sending, from the newest facts.

pub mod approval;
pub mod help;
pub mod job;
pub mod node;
pub mod notice;
pub mod operation;
pub mod reason;
pub mod server;
pub mod status;
pub mod user;

use rackhand_core::{
    fault::{Fault, FaultKind},
    ids::UserId,
    keyring::{Aad, Keyring, KeyringError, Sealed},
    model::{Body, ButtonSpec, Outgoing, Role, User},
    ops::JobView,
    secret::Secret,
    store::{StoreError, Tx},
    units::Timestamp,
};

use crate::{
    html,
    messenger::{Button, Message},
    texts::{Lang, clean, plain, say},
    want::Want,
};

/// Items on one page of a list.
pub const PAGE: u32 = 8;

/// Longest line in a digest, in characters.
const MOST_IN_LINE: usize = 140;

/// Why a message could not be worded.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was sealed cannot be opened.
    #[error("a sealed message cannot be opened")]
    Keyring(#[from] KeyringError),
}

impl Fault for ViewError {
    fn kind(&self) -> FaultKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Keyring(_) => FaultKind::NeedsPerson,
        }
    }
}

/// Who reads, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    /// In which language.
    pub lang: Lang,
    /// With which role, at this moment.
    pub role: Role,
    /// The reader, where it is somebody known.
    pub user: Option<UserId>,
    /// Telegram's number of the reader.
    pub telegram_id: i64,
    /// The moment.
    pub now: Timestamp,
}

impl Reader {
    /// This person now.
    pub fn of(user: &User, now: Timestamp) -> Self {
        let lang = Lang::of(&user.language);
        Self { lang, role: user.role, user: Some(user.id), telegram_id: user.telegram_id, now }
    }

    /// Nobody known, who reads this chat.
    fn stranger(chat: i64, now: Timestamp) -> Self {
        Self { lang: Lang::En, role: Role::Guest, user: None, telegram_id: chat, now }
    }

    /// Whether the reader may ask for this operation.
    pub fn may(&self, operation: &str) -> bool {
        rackhand_core::ops::find(operation).is_some_and(|entry| self.role >= entry.spec.lowest)
    }
}

/// Words any message for the one who reads that chat, in their language, from the newest facts. `chat` is a private
/// chat's number, which is the person's; a chat of nobody known is spoken to in English as to a guest.
pub async fn render(
    tx: &mut Tx,
    now: Timestamp,
    keyring: &Keyring,
    chat: i64,
    body: &Body,
) -> Result<Message, ViewError> {
    let reader = match tx.user_by_telegram(chat).await? {
        Some(user) => Reader::of(&user, now),
        None => Reader::stranger(chat, now),
    };
    Ok(match body {
        Body::Ready { html, buttons } => ready(html, buttons),
        Body::Sealed { sealed } => {
            let sealed: Sealed = sealed.parse()?;
            Message::new(keyring.open(sealed_for(&chat.to_string()), &sealed)?.expose())
        }
        // What was promised to a member is not shown to whoever is none any more.
        Body::JobCard { .. } | Body::Digest { .. } if reader.role < Role::Viewer => no_access(&reader),
        Body::JobCard { job } => job::card(&reader, &JobView::load(tx, *job).await?),
        Body::Notice(notice) => notice::render(tx, &reader, notice).await?,
        Body::Digest { lines, count } => notice::digest(&reader, lines, *count),
    })
}

/// One short line of plain text for a message that is folded into a digest.
pub async fn digest_line(tx: &mut Tx, chat: i64, outgoing: &Outgoing) -> Result<String, ViewError> {
    let reader = match tx.user_by_telegram(chat).await? {
        Some(user) => Reader::of(&user, outgoing.created_at),
        None => Reader::stranger(chat, outgoing.created_at),
    };
    let message = match &outgoing.body {
        Body::Ready { html, .. } => Message::new(html.clone()),
        Body::Notice(notice) => notice::render(tx, &reader, notice).await?,
        Body::JobCard { job } if reader.role >= Role::Viewer => job::card(&reader, &JobView::load(tx, *job).await?),
        // Answers are never folded.
        Body::Sealed { .. } | Body::Digest { .. } | Body::JobCard { .. } => Message::default(),
    };
    let line = html_to_plain(message.html.lines().next().unwrap_or_default());
    Ok(line.chars().take(MOST_IN_LINE).collect())
}

/// Seals words for one chat alone.
pub fn seal(keyring: &Keyring, chat: i64, html: String) -> Result<Body, KeyringError> {
    let sealed = keyring.seal(sealed_for(&chat.to_string()), &Secret::new(html))?;
    Ok(Body::Sealed { sealed: sealed.to_string() })
}

fn sealed_for(chat: &str) -> Aad<'_> {
    Aad { table: "outbox", row: chat, column: "html" }
}

/// A message as the outbox keeps ready words.
pub fn body(message: Message) -> Body {
    let spec = |button: Button| ButtonSpec { label: button.label, data: button.data };
    let buttons = message.buttons.into_iter().map(|row| row.into_iter().map(spec).collect()).collect();
    Body::Ready { html: message.html, buttons }
}

/// Telegram's HTML without its tags.
pub fn html_to_plain(text: &str) -> String {
    let shown = html::Tokens(text).filter_map(|token| match token {
        html::Token::Char { decoded, .. } => Some(decoded),
        _ => None,
    });
    shown.collect()
}

/// A button whose answer takes the place of its message.
pub(crate) fn button(lang: Lang, key: &str, want: &Want) -> Button {
    Button { label: plain!(lang, key), data: want.data() }
}

/// A button whose answer comes below its message.
pub(crate) fn button_below(lang: Lang, key: &str, want: &Want) -> Button {
    Button { label: plain!(lang, key), data: format!("+{}", want.data()) }
}

/// A button with words from outside.
pub(crate) fn named(label: &str, want: &Want) -> Button {
    let label: String = clean(label).chars().take(40).collect();
    Button { label: if label.is_empty() { "…".to_owned() } else { label }, data: want.data() }
}

/// ◀ and ▶ under a list, as far as there is something there.
pub(crate) fn pager(from: u32, more: bool, want: impl Fn(u32) -> Want) -> Vec<Button> {
    let mut row = Vec::new();
    if from > 0 {
        row.push(named("◀", &want(from.saturating_sub(PAGE))));
    }
    if more {
        row.push(named("▶", &want(from.saturating_add(PAGE))));
    }
    row
}

/// Buttons two in a row, which is what a phone shows without cutting words.
pub(crate) fn rows(buttons: Vec<Button>) -> Vec<Vec<Button>> {
    let mut rows = Vec::with_capacity(buttons.len().div_ceil(2));
    let mut rest = buttons.into_iter().peekable();
    while rest.peek().is_some() {
        rows.push(rest.by_ref().take(2).collect());
    }
    rows
}

pub(crate) fn no_access(reader: &Reader) -> Message {
    Message::new(say!(reader.lang, "no-access-any-more"))
}

fn ready(html: &str, buttons: &[Vec<ButtonSpec>]) -> Message {
    let button = |spec: &ButtonSpec| Button { label: spec.label.clone(), data: spec.data.clone() };
    let buttons = buttons.iter().map(|row| row.iter().map(button).collect()).collect();
    Message { html: html.to_owned(), buttons, ..Message::default() }
}
