//! One turn of a chat: its most urgent message, one call, and what came of it.

use std::{sync::Arc, time::Duration};

use rackhand_core::{
    clock::SharedClock,
    fault::chain,
    model::Outgoing,
    store::{Due, Sent, Store, StoreError, StoreResult, Tx},
};
use tracing::{debug, error, warn};

use super::{
    Budgets, Render, RenderError, digest,
    lease::Held,
    pace::{Pace, is_group},
    parts::{parts, unmarked},
    quiet::{ALL, backoff},
};
use crate::messenger::{ChatId, Message, MessageId, Messenger, SendError};

/// How long all wait when Telegram refuses the bot itself: a person must mend that.
const NO_BOT: Duration = Duration::from_mins(1);
/// How long a chat waits when the database failed in its turn.
const DATABASE_WAIT: Duration = Duration::from_secs(2);
/// From this failure on, other messages of the chat go first: this one may be the reason.
const SUSPICIOUS: i64 = 3;

/// What every turn works with.
pub(super) struct Desk {
    pub(super) store: Store,
    pub(super) clock: SharedClock,
    pub(super) messenger: Arc<dyn Messenger>,
    pub(super) render: Arc<dyn Render>,
    pub(super) budgets: Budgets,
    pub(super) pace: Arc<Pace>,
    pub(super) held: Arc<Held>,
    pub(super) chats: super::Chats,
}

/// How a turn ended.
pub(super) enum Ended {
    /// A call was answered, and this is what the chat has due next.
    Sent { next: Option<Due> },
    /// The database knows what is next.
    Ask,
}

/// What a look at a chat finds.
enum Found {
    Nothing,
    /// The person wants nothing from the bot.
    Blocked,
    /// The most urgent message does not fit into the hour.
    OverBudget,
    /// It cannot be worded.
    Unworded(Box<Outgoing>, RenderError),
    Next(Box<Work>),
}

/// A call to be made.
struct Work {
    mail: Outgoing,
    message: Message,
    /// The message that is edited; none if a new one is sent.
    edited: Option<MessageId>,
    /// Whether more messages follow before all is said.
    more: bool,
}

/// Gives a chat its turn.
pub(super) async fn turn(desk: Arc<Desk>, chat: i64) -> Ended {
    match desk.turn(chat).await {
        Ok(ended) => ended,
        Err(error) => {
            warn!(chat, error = chain(&error), "a turn of the outbox failed");
            desk.pace.quiet().hold(chat, desk.clock.now().plus(DATABASE_WAIT));
            Ended::Ask
        }
    }
}

impl Desk {
    async fn turn(&self, chat: i64) -> StoreResult<Ended> {
        let mut found = self.look(chat).await?;
        if let Found::OverBudget = found {
            digest::fold(self, chat).await?;
            found = self.look(chat).await?;
        }
        match found {
            Found::Nothing | Found::OverBudget => Ok(Ended::Ask),
            Found::Blocked => {
                let mut tx = self.fenced().await?;
                tx.chat_closed(chat, "this person blocked the bot").await?;
                tx.commit().await?;
                Ok(Ended::Ask)
            }
            Found::Unworded(mail, why) => self.give_up(&mail, &why).await,
            Found::Next(work) => self.deliver(&work).await,
        }
    }

    async fn look(&self, chat: i64) -> StoreResult<Found> {
        let now = self.clock.now();
        let mut tx = self.store.read().await?;
        let Some(mail) = tx.next_for(chat, now).await? else { return Ok(Found::Nothing) };
        if tx.user_by_telegram(chat).await?.is_some_and(|user| user.blocked) {
            return Ok(Found::Blocked);
        }
        let is_digest = mail.key.starts_with("digest:");
        let is_new = mail.sent_at.is_none() && mail.parts_sent == 0;
        if mail.level.foldable() && is_new && !is_digest && !is_group(chat) {
            let spent = tx.spent_since(chat, digest::hour_before(now)).await?;
            if digest::is_spent(spent, self.budgets.person_per_hour) {
                return Ok(Found::OverBudget);
            }
        }
        match self.render.render(&mut tx, chat, &mail.body).await {
            Ok(message) => Ok(Found::Next(Box::new(work(mail, message)))),
            Err(RenderError::Store(error)) => Err(error),
            Err(error) => Ok(Found::Unworded(Box::new(mail), error)),
        }
    }

    async fn give_up(&self, mail: &Outgoing, why: &RenderError) -> StoreResult<Ended> {
        if matches!(why, RenderError::Gone { .. }) {
            debug!(chat = mail.chat, key = mail.key, error = %why, "nothing to tell any more");
        } else {
            error!(chat = mail.chat, key = mail.key, error = %why, "a message cannot be worded: a bug of ours");
        }
        let mut tx = self.fenced().await?;
        tx.mail_undeliverable(mail.id, &chain(why)).await?;
        tx.commit().await?;
        Ok(Ended::Ask)
    }

    async fn deliver(&self, work: &Work) -> StoreResult<Ended> {
        let chat = work.mail.chat;
        self.pace.wait_for_all().await;
        let may_call = {
            let (now, mut quiet) = (self.clock.now(), self.pace.quiet());
            let may_call = self.held.is_trusted() && quiet.until(chat, now).is_none();
            if may_call {
                quiet.calling(chat, now);
            }
            may_call
        };
        if !may_call {
            return Ok(Ended::Ask);
        }
        let came = match work.edited {
            Some(id) => self.messenger.edit(ChatId(chat), id, &work.message).await.map(|()| id),
            None => self.messenger.send(ChatId(chat), &work.message).await,
        };
        let came = match (came, work.edited) {
            (Err(SendError::NotModified), Some(id)) => Ok(id),
            (came, _) => came,
        };
        if !matches!(came, Err(SendError::Unavailable { .. } | SendError::TooMany { .. })) {
            self.pace.quiet().answered(chat);
        }
        match came {
            Ok(id) => self.sent(work, id).await,
            Err(SendError::TooMany { retry_after }) => self.refused(chat, retry_after).await,
            Err(error) => self.failed(work, &error).await,
        }
    }

    /// What was sent must be noted, or it comes again: a database that is away for a moment is waited for.
    async fn sent(&self, work: &Work, id: MessageId) -> StoreResult<Ended> {
        loop {
            match self.note_sent(work, id).await {
                Err(error @ StoreError::Database(_)) if self.held.is_trusted() => {
                    warn!(
                        chat = work.mail.chat,
                        error = chain(&error),
                        "a sent message is not noted yet; trying again"
                    );
                    self.clock.sleep(DATABASE_WAIT / 4).await;
                }
                noted => return noted.map(|next| Ended::Sent { next }),
            }
        }
    }

    async fn note_sent(&self, work: &Work, id: MessageId) -> StoreResult<Option<Due>> {
        let (mail, now) = (&work.mail, self.clock.now());
        let mut tx = self.fenced().await?;
        if work.more {
            tx.mail_part_sent(mail.id, mail.revision, mail.parts_sent + 1).await?;
        } else {
            let next = now.plus(Duration::from_secs(1) / self.budgets.chat_per_second.max(1));
            tx.mail_sent(&Sent { id: mail.id, revision: mail.revision, message_id: id.0 }, next, now).await?;
        }
        let due = tx.chat_due(mail.chat, now).await?;
        tx.commit().await?;
        Ok(due)
    }

    /// Not fenced: every replica must keep to it.
    async fn refused(&self, chat: i64, wait: Duration) -> StoreResult<Ended> {
        let now = self.clock.now();
        let scope = self.pace.quiet().refused(chat, wait, now);
        let whom = if scope == ALL { "all" } else { "this chat" };
        warn!(chat, wait_s = wait.as_secs(), whom, "Telegram asks for silence");
        let mut tx = self.store.write().await?;
        tx.pause_chat(scope, now.plus(wait)).await?;
        tx.commit().await?;
        Ok(Ended::Ask)
    }

    async fn failed(&self, work: &Work, why: &SendError) -> StoreResult<Ended> {
        let (mail, now, words) = (&work.mail, self.clock.now(), chain(why));
        match why {
            SendError::Unauthorized | SendError::Conflict { .. } | SendError::Left | SendError::PressExpired => {
                error!(error = words, "nothing can be sent");
                self.pace.quiet().hold(ALL, now.plus(NO_BOT));
                return Ok(Ended::Ask);
            }
            SendError::Rejected { .. } => {
                error!(
                    chat = mail.chat,
                    key = mail.key,
                    html = work.message.html,
                    error = words,
                    "rejected: a bug of ours"
                );
            }
            _ => warn!(chat = mail.chat, key = mail.key, error = words, "a message was not delivered"),
        }
        let mut tx = self.fenced().await?;
        match why {
            SendError::Blocked { .. } => tx.chat_closed(mail.chat, &words).await?,
            SendError::Moved { to } => tx.chat_moved(mail.chat, to.0).await?,
            SendError::MessageGone => tx.mail_unsent(mail.id).await?,
            SendError::Rejected { .. } if !mail.plain => tx.mail_as_plain(mail.id, mail.revision, &words).await?,
            // What cannot be edited at all can perhaps be said anew.
            SendError::Rejected { .. } if work.edited.is_some() => tx.mail_unsent(mail.id).await?,
            SendError::Rejected { .. } => tx.mail_undeliverable(mail.id, &words).await?,
            _ => {
                let wait = self.pace.quiet().failed(mail.chat, now);
                let suspect = mail.attempts + 1 >= SUSPICIOUS;
                let wait = if suspect { backoff(mail.attempts + 2).max(wait + DATABASE_WAIT) } else { wait };
                tx.mail_postponed(mail.id, now.plus(wait), &words).await?;
            }
        }
        tx.commit().await?;
        Ok(Ended::Ask)
    }

    async fn fenced(&self) -> StoreResult<Tx> {
        let mut tx = self.store.write().await?;
        self.held.fence(&mut tx).await?;
        Ok(tx)
    }
}

/// The next call for a message: an edit while it is short, as it was; else one part after the other.
fn work(mail: Outgoing, message: Message) -> Work {
    let message = if mail.plain { unmarked(message) } else { message };
    let has_file = message.document.is_some();
    let mut parts = parts(message);
    let place = usize::try_from(mail.parts_sent).unwrap_or(0).min(parts.len() - 1);
    let more = place + 1 < parts.len();
    let message = parts.swap_remove(place);
    // A text cannot be edited into a file.
    let becomes_file = message.document.is_some() && !has_file;
    let edited = mail.message_id.filter(|_| place == 0 && !becomes_file).map(MessageId);
    Work { mail, message, edited, more }
}
