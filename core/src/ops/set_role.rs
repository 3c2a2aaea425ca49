//! Giving a person another role.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError, Operation, Spec, Topic};
use crate::{
    model::{Body, Level, Notice, Risk, Role, User},
    store::Mail,
};

/// Gives a person another role; `guest` takes everything away.
pub struct SetRole;

/// Who, and which role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRoleInput {
    /// Telegram's number of the person.
    pub telegram_id: i64,
    /// The role that they get.
    pub role: Role,
}

#[async_trait]
impl Operation for SetRole {
    type Input = SetRoleInput;
    type Output = User;
    const SPEC: Spec = Spec {
        name: "set_role",
        summary: "Gives a person another role; guest takes everything away",
        topic: Topic::Authority,
        rest: &[],
        cli: "users set-role <telegram_id> <role>",
        risk: Risk::Change,
        lowest: Role::Admin,
        repeatable: true,
        people_only: true,
    };

    fn target(input: &SetRoleInput) -> String {
        input.telegram_id.to_string()
    }

    async fn run(cx: &mut Cx, input: SetRoleInput) -> Result<User, OpError> {
        let not_found = || OpError::NotFound { what: "user", name: input.telegram_id.to_string() };
        let user = cx.tx.user_by_telegram(input.telegram_id).await?.ok_or_else(not_found)?;
        cx.give_role(user, input.role).await
    }
}

impl Cx {
    /// Gives a person another role and tells them; an admin stays.
    pub(super) async fn give_role(&mut self, user: User, role: Role) -> Result<User, OpError> {
        if user.role == role {
            return Ok(user);
        }
        if user.role == Role::Admin && self.tx.hold_admins().await? <= 1 {
            return Err(OpError::LastAdmin);
        }
        self.tx.set_role(user.id, user.role, role).await?;
        let body = Body::Notice(Notice::RoleChanged { role, by: self.actor.name.clone() });
        let key = format!("role:{}", self.now.0);
        self.tx.mail(&Mail { chat: user.telegram_id, key, level: Level::Warning, body }, self.now).await?;
        Ok(User { role, ..user })
    }
}
