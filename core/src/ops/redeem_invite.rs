//! Using a one-time code.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError, Operation, Spec, Topic};
use crate::{
    model::{Risk, Role, User},
    secret::Secret,
};

/// More keys than a rotation ever leaves.
const MOST_KEYS: usize = 16;

/// Uses a one-time code: the actor gets its role.
pub struct RedeemInvite;

/// The code. It is worth nothing once used, but it is not written to the audit in clear either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedeemInviteInput {
    /// The keyed hashes of what `/start` was followed by, one for each of our keys: the code may be older than the
    /// newest key.
    #[schemars(length(max = 16))]
    pub code_hashes: Vec<String>,
}

impl RedeemInvite {
    /// The input for a code as it was typed.
    pub fn input(keyring: &crate::keyring::Keyring, code: &str) -> RedeemInviteInput {
        RedeemInviteInput { code_hashes: keyring.code_hashes(&Secret::new(code.trim().to_lowercase())) }
    }
}

#[async_trait]
impl Operation for RedeemInvite {
    type Input = RedeemInviteInput;
    type Output = User;
    const SPEC: Spec = Spec {
        name: "redeem_invite",
        summary: "Uses a one-time code: whoever uses it gets its role",
        topic: Topic::Authority,
        rest: &[],
        cli: "",
        risk: Risk::Change,
        lowest: Role::Guest,
        repeatable: false,
        people_only: true,
    };

    async fn run(cx: &mut Cx, input: RedeemInviteInput) -> Result<User, OpError> {
        let id = cx.actor.user.ok_or(OpError::PeopleOnly)?;
        let user = cx.tx.user(id).await?.ok_or(OpError::PeopleOnly)?;
        let hashes = input.code_hashes.get(..MOST_KEYS).unwrap_or(&input.code_hashes);
        let invite = cx.tx.take_invite(hashes, id, cx.now).await?.ok_or(OpError::BadCode)?;
        // A code never takes rights away.
        if invite.role > user.role {
            cx.tx.set_role(id, user.role, invite.role).await?;
            return Ok(User { role: invite.role, ..user });
        }
        Ok(user)
    }
}
