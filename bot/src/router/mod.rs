//! What a person writes or presses becomes an operation's call, and its answer goes into the outbox.
//!
//! Each update is handled once: an operation is called with the update's number as its key, so that a repetition does
//! nothing and answers the same; the answer is written in one transaction with the note that the update was handled. The
//! role is read from the database for each message and each press, never from a button.

mod answers;
mod floods;
mod jobs;
mod menu;
mod named;
mod nodes;
mod people;
mod poll;
mod reply;
mod servers;
mod taken;
mod typed;
mod waits;

use std::sync::{Arc, OnceLock};

use rackhand_core::{
    clock::Stopwatch,
    fault::{Fault, FaultKind, chain},
    keyring::KeyringError,
    model::{Body, Level, Role, User},
    ops::{OpError, Ops, Seen},
    store::{Mail, StoreError, Tx},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

pub use poll::{Polling, poll};
pub use waits::Silent;

use self::{
    floods::Floods,
    menu::Menus,
    reply::{Place, Reply},
};
use crate::{
    messenger::{Incoming, Kind, MessageId, Messenger, Origin, PressId, UpdateId},
    texts::{Lang, plain, say},
    views::{self, Reader},
    want::Pressed,
};

/// Why an update was not handled. Nothing was answered; it is handled when it comes again.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    /// An operation failed for no fault of the person's.
    #[error(transparent)]
    Operation(#[from] OpError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys failed.
    #[error("the keyring failed")]
    Keyring(#[from] KeyringError),
    /// Ironic kept silent for longer than a person waits in a chat.
    #[error("Ironic keeps silent")]
    Silent(Silent),
}

impl Fault for RouteError {
    fn kind(&self) -> FaultKind {
        match self {
            Self::Operation(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Keyring(_) => FaultKind::Bug,
            Self::Silent(_) => FaultKind::Unavailable,
        }
    }
}

/// The chat door.
pub struct Router {
    ops: Ops,
    messenger: Arc<dyn Messenger>,
    /// There are links to the bot, as Telegram has and a terminal has not.
    links: bool,
    bot: OnceLock<String>,
    /// Where it polls: nothing is waited for beyond this.
    stop: OnceLock<CancellationToken>,
    floods: Floods,
    menus: Menus,
}

/// A person's wish on its way.
pub(crate) struct Asked<'a> {
    update: UpdateId,
    user: &'a User,
    reader: Reader,
    /// The message whose button was pressed; none when it was typed.
    message: Option<MessageId>,
    /// The answer comes below, also to a press.
    below: bool,
    /// How long the person waits.
    watch: Stopwatch,
}

impl Router {
    /// The door on these operations. `links` says that `https://t.me/<bot>` leads here.
    pub fn new(ops: Ops, messenger: Arc<dyn Messenger>, links: bool) -> Self {
        let (floods, menus) = (Floods::default(), Menus::default());
        Self { ops, messenger, links, bot: OnceLock::new(), stop: OnceLock::new(), floods, menus }
    }

    /// Handles what came in; what was handled before is passed over.
    pub async fn handle(&self, incoming: Incoming) -> Result<(), RouteError> {
        let update = incoming.update;
        match incoming.kind {
            Kind::Text { origin, text } if origin.private => self.text(update, &origin, &text).await,
            Kind::Press { origin, press, message, data } => {
                let toast = self.press(update, &origin, message, &data).await?;
                self.answer_press(&press, toast.as_deref()).await;
                Ok(())
            }
            Kind::Unreadable { origin: Some(origin) } if origin.private => self.unreadable(update, &origin).await,
            Kind::Text { origin, .. } | Kind::Unreadable { origin: Some(origin) } => self.group(update, &origin).await,
            Kind::Unreadable { origin: None } => self.note(update, "unreadable").await,
        }
    }

    /// Gives an update up that fails whenever it is handled: the person is told, and the others go on.
    async fn give_up(&self, incoming: &Incoming) -> Result<(), RouteError> {
        let (origin, press) = match &incoming.kind {
            Kind::Text { origin, .. } | Kind::Unreadable { origin: Some(origin) } => (origin, None),
            Kind::Press { origin, press, .. } => (origin, Some(press)),
            Kind::Unreadable { origin: None } => return self.note(incoming.update, "given up").await,
        };
        let lang = Lang::of(origin.person.language.as_deref().unwrap_or_default());
        let reply = Reply::below(views::body(help_bug(lang)));
        if origin.private {
            self.write_reply(incoming.update, origin.chat.0, None, reply, "given up").await?;
        }
        if let Some(press) = press {
            self.answer_press(press, None).await;
        }
        Ok(())
    }

    async fn text(&self, update: UpdateId, origin: &Origin, text: &str) -> Result<(), RouteError> {
        let Some(seen) = self.seen(update, origin).await? else { return Ok(()) };
        let user = &seen.user;
        let reader = Reader::of(user, self.ops.clock.now());
        if user.role == Role::Guest {
            return self.guest(update, user, &reader, text).await;
        }
        let asked = Asked { update, user, reader, message: None, below: true, watch: Stopwatch::start() };
        if let Some(reply) = self.flood(&asked) {
            return self.write(&asked, reply, "flood").await;
        }
        let reply = match self.typed(&asked, text).await {
            Ok(reply) => reply,
            Err(RouteError::Operation(error)) if is_persons(&error) => self.refusal(&asked, &error).await?,
            Err(RouteError::Silent(silent)) => silent.told(&asked),
            Err(error) => return Err(error),
        };
        self.write(&asked, reply, "text").await?;
        self.keep_menu(user.telegram_id).await;
        Ok(())
    }

    /// Handles a press; answers with the words for over the screen.
    async fn press(
        &self,
        update: UpdateId,
        origin: &Origin,
        message: MessageId,
        data: &str,
    ) -> Result<Option<String>, RouteError> {
        let lang = Lang::of(origin.person.language.as_deref().unwrap_or_default());
        // A button works in the private chat of the person it was made for, and nowhere else.
        if !origin.private || origin.chat.0 != origin.person.telegram_id {
            self.note(update, "press of another's").await?;
            return Ok(Some(plain!(lang, "toast-not-yours")));
        }
        let Some(seen) = self.seen(update, origin).await? else { return Ok(None) };
        let user = &seen.user;
        let reader = Reader::of(user, self.ops.clock.now());
        if user.role == Role::Guest {
            self.note(update, "press of a guest").await?;
            return Ok(Some(plain!(reader.lang, "toast-guest")));
        }
        let Some(pressed) = Pressed::of_data(data) else {
            self.note(update, "unknown press").await?;
            return Ok(Some(plain!(reader.lang, "toast-unknown")));
        };
        let (message, below) = (Some(message), pressed.below);
        let asked = Asked { update, user, reader, message, below, watch: Stopwatch::start() };
        if self.flood(&asked).is_some() {
            self.note(update, "flood").await?;
            return Ok(Some(plain!(reader.lang, "toast-flood")));
        }
        let reply = match self.answer(&asked, &pressed.want).await {
            Ok(reply) => reply,
            Err(RouteError::Operation(error)) if is_persons(&error) => self.refusal(&asked, &error).await?,
            Err(RouteError::Silent(silent)) => silent.told(&asked),
            Err(error) => return Err(error),
        };
        let toast = reply.toast.clone();
        self.write(&asked, reply, data).await?;
        self.keep_menu(user.telegram_id).await;
        Ok(toast)
    }

    async fn unreadable(&self, update: UpdateId, origin: &Origin) -> Result<(), RouteError> {
        let Some(seen) = self.seen(update, origin).await? else { return Ok(()) };
        let reader = Reader::of(&seen.user, self.ops.clock.now());
        if seen.user.role == Role::Guest {
            return self.guest(update, &seen.user, &reader, "").await;
        }
        let user = &seen.user;
        let asked = Asked { update, user, reader, message: None, below: true, watch: Stopwatch::start() };
        let words = crate::messenger::Message::new(say!(reader.lang, "text-only"));
        let reply = self.flood(&asked).unwrap_or_else(|| Reply::below(views::body(words)));
        self.write(&asked, reply, "unreadable").await
    }

    /// A group is told once that this is no place for it.
    async fn group(&self, update: UpdateId, origin: &Origin) -> Result<(), RouteError> {
        let lang = Lang::of(origin.person.language.as_deref().unwrap_or_default());
        let words = crate::messenger::Message::new(say!(lang, "group"));
        let mail = Mail { chat: origin.chat.0, key: "group".to_owned(), level: Level::Info, body: views::body(words) };
        let now = self.ops.clock.now();
        let mut tx = self.ops.store.write().await?;
        if tx.note_update(update.0, "group", now).await? {
            tx.mail_once(&mail, now).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn seen(&self, update: UpdateId, origin: &Origin) -> Result<Option<Seen>, RouteError> {
        Ok(self.ops.person_wrote(&origin.person, Some(update.0)).await?)
    }

    /// Notes an update that is answered with nothing.
    async fn note(&self, update: UpdateId, caused: &str) -> Result<(), RouteError> {
        let mut tx = self.ops.store.write().await?;
        tx.note_update(update.0, caused, self.ops.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    async fn write(&self, asked: &Asked<'_>, reply: Reply, caused: &str) -> Result<(), RouteError> {
        let mut reply = reply;
        if asked.below {
            reply.all_below();
        }
        self.write_reply(asked.update, asked.user.telegram_id, asked.message, reply, caused).await
    }

    /// Writes an answer and that the update was handled, in one transaction. Where another replica has handled it
    /// meanwhile, nothing is written.
    async fn write_reply(
        &self,
        update: UpdateId,
        chat: i64,
        message: Option<MessageId>,
        reply: Reply,
        caused: &str,
    ) -> Result<(), RouteError> {
        let now = self.ops.clock.now();
        let mut tx = self.ops.store.write().await?;
        if !tx.note_update(update.0, caused, now).await? {
            debug!(update = update.0, "was handled meanwhile");
            return Ok(());
        }
        for place in reply.places {
            self.put(&mut tx, update, chat, message, place).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn put(
        &self,
        tx: &mut Tx,
        update: UpdateId,
        chat: i64,
        message: Option<MessageId>,
        place: Place,
    ) -> Result<(), StoreError> {
        let now = self.ops.clock.now();
        let mail = |key: String, body: Body| Mail { chat, key, level: Level::Reply, body };
        match (place, message) {
            (Place::Here(body), Some(message)) => tx.replace_message(chat, message.0, &body, now).await,
            (Place::Here(body) | Place::Below(body), _) => {
                tx.mail(&mail(format!("reply:{}", update.0), body), now).await
            }
            (Place::Again, Some(message)) => tx.touch_message(chat, message.0).await,
            (Place::Again, None) => Ok(()),
            (Place::Live { key, body, instead }, _) => tx.mail_below(&mail(key, body), &instead, now).await,
            (Place::Once { key, body }, _) => tx.mail_once(&mail(key, body), now).await,
        }
    }

    async fn answer_press(&self, press: &PressId, toast: Option<&str>) {
        let toast: Option<String> = toast.map(|text| text.chars().take(200).collect());
        if let Err(error) = self.messenger.answer_press(press, toast.as_deref()).await {
            // What the press did is done; only the words over the screen are missed.
            debug!(error = chain(&error), "a press could not be answered");
        }
    }

    /// The bot's name for links, asked for once.
    async fn bot_name(&self) -> Option<&str> {
        if !self.links {
            return None;
        }
        if self.bot.get().is_none() {
            match self.messenger.me().await {
                Ok(name) => drop(self.bot.set(name)),
                Err(error) => warn!(error = chain(&error), "the bot's name is not known: no link in the invite"),
            }
        }
        self.bot.get().map(String::as_str)
    }
}

/// Whether an error is an answer for the person, rather than a fault of ours that may pass.
fn is_persons(error: &OpError) -> bool {
    // An Ironic that is away may stay away: the person is told, rather than the message kept for later.
    matches!(error, OpError::Node(_))
        || !matches!(error.kind(), FaultKind::Unavailable | FaultKind::RateLimited | FaultKind::Bug)
}

fn help_bug(lang: Lang) -> crate::messenger::Message {
    crate::messenger::Message::new(say!(lang, "error-bug"))
}

impl Asked<'_> {
    /// The key under which an operation is called for this update.
    pub(crate) fn key(&self) -> String {
        format!("update:{}", self.update.0)
    }
}
