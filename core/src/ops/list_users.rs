//! The people who wrote to the bot.

use async_trait::async_trait;

use super::{Cx, ListInput, OpError, Operation, Page, PageOf, Rest, Spec, Topic};
use crate::model::{Risk, Role, User};

/// Lists users.
pub struct ListUsers;

#[async_trait]
impl Operation for ListUsers {
    type Input = ListInput;
    type Output = PageOf<User>;
    const SPEC: Spec = Spec {
        name: "list_users",
        summary: "Lists the people who wrote to the bot, with their roles",
        topic: Topic::Authority,
        rest: &[Rest::get("/users")],
        cli: "users list",
        risk: Risk::Read,
        lowest: Role::Admin,
        repeatable: true,
        people_only: false,
    };

    async fn run(cx: &mut Cx, input: ListInput) -> Result<PageOf<User>, OpError> {
        let page = Page::of(&input.cursor, input.limit)?;
        Ok(page.cut(cx.tx.users(&page.slice()).await?, |user| user.id.to_string()))
    }
}
