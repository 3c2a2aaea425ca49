//! The language that a person reads.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError, Operation, Spec, Topic};
use crate::model::{Risk, Role};

/// Sets the actor's own language.
pub struct SetLanguage;

/// Which language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetLanguageInput {
    /// `en` or `ru`.
    pub language: Language,
}

/// The languages that Rackhand speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Language {
    /// English.
    En,
    /// Russian.
    Ru,
}

#[async_trait]
impl Operation for SetLanguage {
    type Input = SetLanguageInput;
    type Output = Language;
    const SPEC: Spec = Spec {
        name: "set_language",
        summary: "Sets the language in which you are written to",
        topic: Topic::Chat,
        rest: &[],
        cli: "",
        risk: Risk::Change,
        lowest: Role::Guest,
        repeatable: true,
        people_only: true,
    };

    async fn run(cx: &mut Cx, input: SetLanguageInput) -> Result<Language, OpError> {
        let id = cx.actor.user.ok_or(OpError::PeopleOnly)?;
        cx.tx.set_language(id, &input.language.to_string()).await?;
        Ok(input.language)
    }
}
