//! The people who wrote to the bot.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError, Operation, Page, PageOf, Rest, Spec, Topic};
use crate::model::{Risk, Role, User};

/// Lists users.
pub struct ListUsers;

/// Which people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListUsersInput {
    /// Only those in this role.
    pub role: Option<Role>,
    /// What `next` said on the page before; empty for the first page.
    pub cursor: String,
    /// How many at most, 1 to 500; 0 means 50.
    #[schemars(range(max = 500))]
    pub limit: u32,
}

#[async_trait]
impl Operation for ListUsers {
    type Input = ListUsersInput;
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

    async fn run(cx: &mut Cx, input: ListUsersInput) -> Result<PageOf<User>, OpError> {
        let page = Page::of(&input.cursor, input.limit)?;
        Ok(page.cut(cx.tx.users(input.role, &page.slice()).await?, |user| user.id.to_string()))
    }
}
