//! A person known beforehand: made or changed by number, without an invite.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, Language, OpError, Operation, Rest, Spec, Topic};
use crate::{
    model::{ActorKind, Person, Risk, Role, User},
    store::StoreError,
};

/// The longest first name, in characters: Telegram's own bound.
const LONGEST_NAME: usize = 64;

/// Makes a person known with a role, or changes them.
pub struct PutUser;

/// Who, and what they shall be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutUserInput {
    /// Telegram's number of the person.
    #[schemars(range(min = 1))]
    pub telegram_id: i64,
    /// The role that they get; guest takes everything away.
    pub role: Role,
    /// Their first name, until they write themselves and Telegram says it: 1 to 64 characters.
    #[serde(default)]
    #[schemars(length(min = 1, max = LONGEST_NAME))]
    pub first_name: Option<String>,
    /// The language in which they are written to; without it, English for somebody new, and the same as before for others.
    #[serde(default)]
    pub language: Option<Language>,
}

#[async_trait]
impl Operation for PutUser {
    type Input = PutUserInput;
    type Output = User;
    const SPEC: Spec = Spec {
        name: "put_user",
        summary: "Makes a person known by their Telegram number, with a role, or changes them",
        topic: Topic::Authority,
        rest: &[Rest::post("/users")],
        cli: "users put <telegram_id> <role>",
        risk: Risk::Change,
        lowest: Role::Admin,
        repeatable: true,
        people_only: false,
    };

    fn target(input: &PutUserInput) -> String {
        input.telegram_id.to_string()
    }

    async fn run(cx: &mut Cx, input: PutUserInput) -> Result<User, OpError> {
        check(&input)?;
        let known = cx.tx.user_by_telegram(input.telegram_id).await?;
        let touches_admin = input.role == Role::Admin || known.as_ref().is_some_and(|user| user.role == Role::Admin);
        if touches_admin && cx.actor.kind != ActorKind::Person {
            return Err(OpError::AdminsByPeople);
        }
        let user = match known {
            Some(user) => cx.give_role(user, input.role).await?,
            None => newcomer(cx, &input).await?,
        };
        if let Some(name) = &input.first_name {
            cx.tx.set_first_name(user.id, name).await?;
        }
        if let Some(language) = input.language {
            cx.tx.set_language(user.id, &language.to_string()).await?;
        }
        let gone = || StoreError::Changed("the user".to_owned());
        Ok(cx.tx.user(user.id).await?.ok_or_else(gone)?)
    }
}

fn check(input: &PutUserInput) -> Result<(), OpError> {
    let bad = |path: &str, message: &str| Err(OpError::BadInput { path: path.to_owned(), message: message.to_owned() });
    if input.telegram_id <= 0 {
        return bad("telegram_id", "a person's number at Telegram, which is above 0, is expected");
    }
    let fits = |name: &String| (1..=LONGEST_NAME).contains(&name.trim().chars().count());
    if input.first_name.as_ref().is_some_and(|name| !fits(name) || name.chars().any(char::is_control)) {
        return bad("first_name", "1 to 64 characters on one line are expected");
    }
    Ok(())
}

/// Nobody is told: a bot may not write first to somebody who never wrote to it.
async fn newcomer(cx: &mut Cx, input: &PutUserInput) -> Result<User, OpError> {
    let person = Person {
        telegram_id: input.telegram_id,
        username: None,
        first_name: input.first_name.clone().unwrap_or_else(|| input.telegram_id.to_string()),
        last_name: None,
        language: input.language.map(|language| language.to_string()),
    };
    let (user, _) = cx.tx.person_seen(&person, cx.now).await?;
    if user.role != input.role {
        cx.tx.set_role(user.id, user.role, input.role).await?;
    }
    Ok(user)
}
