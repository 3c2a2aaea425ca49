//! People: guests, members, their roles.

use rackhand_core::{
    clock::Stopwatch,
    model::{Role, User},
    ops::{Answer, ListUsers, ListUsersInput, OpError, Page, RedeemInvite, SetRole, SetRoleInput},
};

use super::{Asked, Reply, RouteError, Router, reply::Place};
use crate::{
    commands::parse,
    messenger::UpdateId,
    texts::plain,
    views::{self, PAGE, Reader, help, user},
};

/// A stranger who keeps writing is told so often what to do: once in this time, in ms.
const TOLD_EACH: i64 = 3_600_000;
/// So many people are looked through for one.
const MOST_PEOPLE: u32 = 10_000;

impl Router {
    /// A guest has one thing that they may do: use a code. All else is answered, once an hour, with how to get one.
    pub(super) async fn guest(
        &self,
        update: UpdateId,
        user: &User,
        reader: &Reader,
        text: &str,
    ) -> Result<(), RouteError> {
        let watch = Stopwatch::start();
        let asked = Asked { update, user, reader: *reader, message: None, below: true, watch };
        let flooded = self.flood(&asked).is_some();
        let code = parse(text).filter(|(name, code)| name == "start" && !code.is_empty()).map(|(_, code)| code);
        let reply = match code {
            _ if flooded => Reply::default(),
            Some(code) => self.redeem(&asked, code).await?,
            None => {
                let hour = reader.now.0 / TOLD_EACH;
                let body = views::body(help::stranger(reader.lang, &user.first_name, user.telegram_id));
                Reply::default().and(Place::Once { key: format!("stranger:{hour}"), body })
            }
        };
        self.write(&asked, reply, "guest").await?;
        if code.is_some() {
            self.keep_menu(user.telegram_id).await;
        }
        Ok(())
    }

    pub(super) async fn use_code(&self, asked: &Asked<'_>, code: &str) -> Result<User, RouteError> {
        self.done::<RedeemInvite>(asked, &RedeemInvite::input(&self.ops.keyring, code)).await
    }

    pub(super) async fn list_users(&self, asked: &Asked<'_>, from: u32) -> Result<Reply, RouteError> {
        let page = ListUsersInput { cursor: Page::skip(from), limit: PAGE, ..ListUsersInput::default() };
        let list = self.done::<ListUsers>(asked, &page).await?;
        Ok(Reply::here(user::list(&asked.reader, from, &list)))
    }

    pub(super) async fn show_user(&self, asked: &Asked<'_>, telegram_id: i64) -> Result<Reply, RouteError> {
        let mut page = ListUsersInput { limit: 500, ..ListUsersInput::default() };
        for _ in 0..MOST_PEOPLE / 500 {
            let Answer::Done(part) = self.ops.call::<ListUsers>(&asked.user.actor(), &page, None).await? else { break };
            if let Some(user) = part.items.iter().find(|user| user.telegram_id == telegram_id) {
                return Ok(Reply::here(user::card(&asked.reader, user)));
            }
            let Some(next) = part.next else { break };
            page.cursor = next;
        }
        Err(OpError::NotFound { what: "user", name: telegram_id.to_string() }.into())
    }

    pub(super) async fn set_role(&self, asked: &Asked<'_>, telegram_id: i64, role: Role) -> Result<Reply, RouteError> {
        let changed = self.done::<SetRole>(asked, &SetRoleInput { telegram_id, role }).await?;
        self.renew_menu(telegram_id).await;
        let toast =
            plain!(asked.reader.lang, "toast-role", name = changed.name(), role = user::role(asked.reader.lang, role));
        // Whoever changes their own role may not see this card any more.
        if telegram_id == asked.user.telegram_id {
            return Ok(Reply::again().toast(toast));
        }
        Ok(Reply::here(user::card(&asked.reader, &changed)).toast(toast))
    }
}
