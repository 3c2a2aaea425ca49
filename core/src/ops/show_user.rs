//! One person.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError, Operation, Rest, Spec, Topic};
use crate::model::{Risk, Role, User};

/// Shows a user.
pub struct ShowUser;

/// Which user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserInput {
    /// Telegram's number of the person.
    pub telegram_id: i64,
}

#[async_trait]
impl Operation for ShowUser {
    type Input = UserInput;
    type Output = User;
    const SPEC: Spec = Spec {
        name: "show_user",
        summary: "Shows one person: names, role, language, when they last wrote",
        topic: Topic::Authority,
        rest: &[Rest::get("/users/{telegram_id}")],
        cli: "users show <telegram_id>",
        risk: Risk::Read,
        lowest: Role::Admin,
        repeatable: true,
        people_only: false,
    };

    fn target(input: &UserInput) -> String {
        input.telegram_id.to_string()
    }

    async fn run(cx: &mut Cx, input: UserInput) -> Result<User, OpError> {
        let not_found = || OpError::NotFound { what: "user", name: input.telegram_id.to_string() };
        cx.tx.user_by_telegram(input.telegram_id).await?.ok_or_else(not_found)
    }
}
