//! Labels: what people and programs call a server's place, owner or purpose.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError, Operation, Rest, Spec, Topic};
use crate::model::{Risk, Role, Server};

/// The most labels of one server.
const MOST: usize = 32;
/// The longest key and the longest value, in characters.
const LONGEST: usize = 63;

/// Gives a server these labels in place of those it had.
pub struct LabelServer;

/// Which server, and which labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelInput {
    /// The server's handle, such as `vps-267179`.
    pub handle: String,
    /// All of its labels from now on, such as `env=prod`: at most 32; a key of 1 to 63 letters, digits, `-`, `_`, `.` or
    /// `/`, a value of at most 63 characters.
    #[schemars(extend("maxProperties" = MOST))]
    pub labels: BTreeMap<String, String>,
}

#[async_trait]
impl Operation for LabelServer {
    type Input = LabelInput;
    type Output = Server;
    const SPEC: Spec = Spec {
        name: "label_server",
        summary: "Gives a server these labels in place of those it had",
        topic: Topic::Fleet,
        rest: &[Rest::patch("/servers/{handle}").when_has("labels")],
        cli: "servers label <handle> <labels>",
        risk: Risk::Change,
        lowest: Role::Operator,
        repeatable: true,
        people_only: false,
    };

    fn target(input: &LabelInput) -> String {
        input.handle.clone()
    }

    async fn run(cx: &mut Cx, input: LabelInput) -> Result<Server, OpError> {
        check(&input.labels)?;
        let server = cx.held_server(&input.handle).await?;
        cx.tx.set_labels(server.id, &input.labels, cx.now).await?;
        Ok(cx.tx.require_server(server.id).await?)
    }
}

fn check(labels: &BTreeMap<String, String>) -> Result<(), OpError> {
    let bad = |path: String, message: &str| Err(OpError::BadInput { path, message: message.to_owned() });
    if labels.len() > MOST {
        return bad("labels".to_owned(), "at most 32 labels are expected");
    }
    for (key, value) in labels {
        if let Err(message) = check_label(key, value) {
            let shown: String = key.chars().take(LONGEST).collect();
            return bad(format!("labels.{shown}"), message);
        }
    }
    Ok(())
}

/// What is wrong with a label, and what was expected.
pub(super) fn check_label(key: &str, value: &str) -> Result<(), &'static str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if key.is_empty() || key.len() > LONGEST || !key.chars().all(fits) {
        return Err("a key of 1 to 63 letters, digits, `-`, `_`, `.` or `/` is expected");
    }
    if value.chars().count() > LONGEST || value.chars().any(char::is_control) {
        return Err("a value of at most 63 characters, on one line, is expected");
    }
    Ok(())
}
