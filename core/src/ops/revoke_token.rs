//! The end of a token.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError, Operation, Rest, Spec, Topic};
use crate::model::{Risk, Role, Token};

/// Revokes a token: whoever comes with it is a stranger from then on.
pub struct RevokeToken;

/// Which token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeTokenInput {
    /// Its name.
    pub name: String,
}

#[async_trait]
impl Operation for RevokeToken {
    type Input = RevokeTokenInput;
    type Output = Token;
    const SPEC: Spec = Spec {
        name: "revoke_token",
        summary: "Revokes a token for good",
        topic: Topic::Authority,
        rest: &[Rest::delete("/tokens/{name}")],
        cli: "token revoke <name>",
        risk: Risk::Change,
        lowest: Role::Admin,
        repeatable: true,
        people_only: false,
    };

    fn target(input: &RevokeTokenInput) -> String {
        input.name.clone()
    }

    async fn run(cx: &mut Cx, input: RevokeTokenInput) -> Result<Token, OpError> {
        let missing = || OpError::NotFound { what: "token", name: input.name.chars().take(64).collect() };
        let token = cx.tx.token_by_name(&input.name).await?.ok_or_else(missing)?;
        cx.tx.revoke_token(token.id, cx.now).await?;
        cx.tx.token(token.id).await?.ok_or_else(missing)
    }
}
