//! A one-time way in.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError, Operation, Ops, Spec, Topic};
use crate::{
    ids::InviteId,
    model::{Invite, Risk, Role},
    secret::Secret,
    units::Timestamp,
};

/// Makes a one-time code that gives a role.
pub struct CreateInvite;

/// Which role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateInviteInput {
    /// The role that whoever uses the code gets.
    pub role: Role,
}

/// A new invite; its code is shown this once.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NewInvite {
    /// The code, for `/start CODE`.
    pub code: String,
    /// The role that it gives.
    pub role: Role,
    /// After this moment it is worth nothing.
    pub expires_at: Timestamp,
}

#[async_trait]
impl Operation for CreateInvite {
    type Input = CreateInviteInput;
    type Output = NewInvite;
    const SPEC: Spec = Spec {
        name: "create_invite",
        summary: "Makes a one-time invite that gives a role",
        topic: Topic::Authority,
        rest: &[],
        cli: "invite <role>",
        risk: Risk::Change,
        lowest: Role::Admin,
        repeatable: false,
        people_only: true,
    };
    const SECRET_ANSWER: bool = true;

    fn target(input: &CreateInviteInput) -> String {
        input.role.to_string()
    }

    async fn run(cx: &mut Cx, input: CreateInviteInput) -> Result<NewInvite, OpError> {
        if input.role == Role::Guest {
            let message = "viewer, operator or admin is expected: everybody who writes is a guest already".to_owned();
            return Err(OpError::BadInput { path: "role".to_owned(), message });
        }
        let user = cx.actor.user;
        new_invite(cx, input.role, user).await
    }
}

/// What the audit calls the making of the first admin's code, which is no operation: nobody asks for it.
pub(super) const FIRST_ADMIN_CODE: &str = "first_admin_code";

impl Ops {
    /// The first admin's code, as long as there is no admin; codes made earlier are worth nothing then. It goes to the
    /// terminal of whoever started Rackhand: nobody becomes admin by being first to write.
    pub async fn first_admin_code(&self) -> Result<Option<NewInvite>, OpError> {
        let actor = crate::model::Actor::system("start");
        let mut cx = self.cx(self.store.write().await?, &actor);
        if cx.tx.count_role(Role::Admin).await? > 0 {
            return Ok(None);
        }
        cx.tx.drop_first_admin_codes().await?;
        let invite = new_invite(&mut cx, Role::Admin, None).await?;
        cx.audit(FIRST_ADMIN_CODE, "admin", "done", &serde_json::Value::Null).await?;
        cx.tx.commit().await?;
        Ok(Some(invite))
    }
}

async fn new_invite(cx: &mut Cx, role: Role, made_by: Option<crate::ids::UserId>) -> Result<NewInvite, OpError> {
    let code = random_code();
    let invite = Invite { id: InviteId::new(), role, made_by, expires_at: cx.now.plus(cx.ops.limits.invite_life) };
    let hash = cx.ops.keyring.code_hash(&Secret::new(code.clone()));
    cx.tx.add_invite(&invite, &hash).await?;
    Ok(NewInvite { code, role, expires_at: invite.expires_at })
}

/// 16 characters from 32: 80 bits, easy to read out, fit for a Telegram link.
fn random_code() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    rand::random::<[u8; 16]>().iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}
