//! A program's way in.

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Cx, OpError, Operation, Ops, Spec, Topic};
use crate::{
    ids::TokenId,
    model::{Actor, Maker, Risk, Role, Token, hex},
    secret::Secret,
};

/// What every token begins with, so that scanners of leaked secrets know one.
const PREFIX: &str = "rh_";
/// How often a use is noted at most.
const NOTED_EACH: Duration = Duration::from_mins(1);
/// The longest name.
const LONGEST_NAME: usize = 64;

/// Makes a token for programs: REST and MCP.
pub struct CreateToken;

/// What it is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTokenInput {
    /// What people call it: 1 to 64 letters, digits, `-`, `_` or `.`.
    pub name: String,
    /// The most that it may do: viewer, operator or admin.
    pub role: Role,
    /// After so many days it is worth nothing; without it, it lasts until it is revoked.
    #[serde(default)]
    #[schemars(range(min = 1, max = 3650))]
    pub expires_days: Option<u32>,
}

/// A new token; its secret is shown this once.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NewToken {
    /// The secret, for `Authorization: Bearer`.
    pub secret: String,
    /// Its record.
    pub token: Token,
}

#[async_trait]
impl Operation for CreateToken {
    type Input = CreateTokenInput;
    type Output = NewToken;
    const SPEC: Spec = Spec {
        name: "create_token",
        summary: "Makes a token for a program; its secret is shown once",
        topic: Topic::Authority,
        rest: &[],
        cli: "token create <name> <role>",
        risk: Risk::Change,
        lowest: Role::Admin,
        repeatable: false,
        people_only: true,
    };
    const SECRET_ANSWER: bool = true;

    fn target(input: &CreateTokenInput) -> String {
        input.name.clone()
    }

    async fn run(cx: &mut Cx, input: CreateTokenInput) -> Result<NewToken, OpError> {
        let bad =
            |path: &str, message: &str| Err(OpError::BadInput { path: path.to_owned(), message: message.to_owned() });
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if input.name.is_empty() || input.name.len() > LONGEST_NAME || !input.name.chars().all(fits) {
            return bad("name", "1 to 64 letters, digits, `-`, `_` or `.` are expected");
        }
        if input.role == Role::Guest {
            return bad("role", "viewer, operator or admin is expected");
        }
        if input.expires_days.is_some_and(|days| !(1..=3650).contains(&days)) {
            return bad("expires_days", "1 to 3650 days are expected");
        }
        if cx.tx.token_by_name(&input.name).await?.is_some() {
            return bad("name", "another token has this name, or had it: choose a new one");
        }
        let life = input.expires_days.map(|days| Duration::from_hours(24 * u64::from(days)));
        let token = Token {
            id: TokenId::new(),
            name: input.name,
            role: input.role,
            made_by: cx.actor.to_string(),
            created_at: cx.now,
            expires_at: life.map(|life| cx.now.plus(life)),
            revoked_at: None,
            last_used_at: None,
            maker: cx.actor.user.map(|user| Maker { user, role: cx.actor.role }),
        };
        let secret = format!("{PREFIX}{}", hex(&rand::random::<[u8; 24]>()));
        cx.tx.add_token(&token, &hash(&secret)).await?;
        Ok(NewToken { secret, token })
    }
}

impl Ops {
    /// The program that comes with this secret; none for one that is unknown, revoked or too old, or whose maker may
    /// nothing any more.
    pub async fn bearer(&self, secret: &Secret) -> Result<Option<Actor>, OpError> {
        let now = self.clock.now();
        let found = self.store.glance().await?.token_by_hash(&hash(secret.expose())).await?;
        let Some(token) = found.filter(|token| token.role_at(now) > Role::Guest) else { return Ok(None) };
        if token.last_used_at.is_none_or(|last| now.since(last) > NOTED_EACH) {
            let mut tx = self.store.write().await?;
            tx.token_used(token.id, now).await?;
            tx.commit().await?;
        }
        Ok(Some(token.actor()))
    }
}

/// 192 random bits need no salt and no slow hash.
fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}
