//! Using a one-time code.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError, Operation, Spec};
use crate::{
    model::{Risk, Role, User},
    secret::Secret,
};

/// Uses a one-time code: the actor gets its role.
pub struct RedeemInvite;

/// The code. It is worth nothing once used, but it is not written to the audit in clear either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedeemInviteInput {
    /// What `/start` was followed by.
    pub code_hash: String,
}

impl RedeemInvite {
    /// The input for a code as it was typed.
    pub fn input(keyring: &crate::keyring::Keyring, code: &str) -> RedeemInviteInput {
        RedeemInviteInput { code_hash: keyring.code_hash(&Secret::new(code.trim().to_lowercase())) }
    }
}

#[async_trait]
impl Operation for RedeemInvite {
    type Input = RedeemInviteInput;
    type Output = User;
    const SPEC: Spec = Spec {
        name: "redeem_invite",
        summary: "Uses a one-time code: whoever uses it gets its role",
        risk: Risk::Change,
        lowest: Role::Guest,
        repeatable: false,
        people_only: true,
    };

    async fn run(cx: &mut Cx, input: RedeemInviteInput) -> Result<User, OpError> {
        let id = cx.actor.user.ok_or(OpError::PeopleOnly)?;
        let user = cx.tx.user(id).await?.ok_or(OpError::PeopleOnly)?;
        let invite = cx.tx.take_invite(&input.code_hash, id, cx.now).await?.ok_or(OpError::BadCode)?;
        // A code never takes rights away.
        if invite.role > user.role {
            cx.tx.set_role(id, user.role, invite.role).await?;
            return Ok(User { role: invite.role, ..user });
        }
        Ok(user)
    }
}
