//! The people who wrote to the bot.

use async_trait::async_trait;

use super::{Cx, OpError, Operation, Page, PageOf, Spec};
use crate::model::{Risk, Role, User};

/// Lists users.
pub struct ListUsers;

#[async_trait]
impl Operation for ListUsers {
    type Input = Page;
    type Output = PageOf<User>;
    const SPEC: Spec = Spec {
        name: "list_users",
        summary: "Lists the people who wrote to the bot, with their roles",
        risk: Risk::Read,
        lowest: Role::Admin,
        repeatable: true,
        people_only: false,
    };

    async fn run(cx: &mut Cx, page: Page) -> Result<PageOf<User>, OpError> {
        let (offset, limit) = page.bounds();
        Ok(page.of(cx.tx.users(offset, limit).await?))
    }
}
