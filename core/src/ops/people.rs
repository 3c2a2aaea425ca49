//! Who writes: registered at the first message, their role looked up at every one.

use super::{OpError, Ops};
use crate::{
    model::{Body, Level, Notice, Person, Role, User},
    store::Mail,
};

/// Somebody who wrote.
#[derive(Clone, Debug)]
pub struct Seen {
    /// They, with the role that they have at this moment.
    pub user: User,
    /// It is their first message.
    pub new: bool,
}

impl Ops {
    /// Notes that a person wrote. `update` is the message's number: none is returned when it was handled before.
    pub async fn person_wrote(&self, person: &Person, update: Option<i64>) -> Result<Option<Seen>, OpError> {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        if let Some(update) = update
            && tx.is_noted(update).await?
        {
            return Ok(None);
        }
        let (user, new) = tx.person_seen(person, now).await?;
        if new {
            for admin in tx.users_from(Role::Admin).await? {
                let notice = Notice::GuestArrived { name: user.name(), telegram_id: user.telegram_id };
                let key = format!("guest:{}", user.telegram_id);
                let mail = Mail { chat: admin.telegram_id, key, level: Level::Info, body: Body::Notice(notice) };
                tx.mail_once(&mail, now).await?;
            }
        }
        tx.commit().await?;
        Ok(Some(Seen { user, new }))
    }
}
