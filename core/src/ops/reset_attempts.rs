//! A new episode: after too many failures, a person who has looked at the server lets it be tried again.

use async_trait::async_trait;

use super::{Cx, HandleInput, OpError, Operation, Spec, Topic};
use crate::model::{Risk, Role, Server};

/// Sets the attempts of a server back to none.
pub struct ResetAttempts;

#[async_trait]
impl Operation for ResetAttempts {
    type Input = HandleInput;
    type Output = Server;
    const SPEC: Spec = Spec {
        name: "reset_attempts",
        summary: "Lets a server that failed too often be tried again",
        topic: Topic::Fleet,
        rest: &[],
        cli: "servers reset-attempts <handle>",
        risk: Risk::Change,
        lowest: Role::Admin,
        repeatable: true,
        people_only: true,
    };

    fn target(input: &HandleInput) -> String {
        input.handle.clone()
    }

    async fn run(cx: &mut Cx, input: HandleInput) -> Result<Server, OpError> {
        let server = cx.touchable(&input.handle).await?;
        cx.require_idle(&server).await?;
        cx.tx.reset_attempts(server.id).await?;
        Ok(cx.tx.require_server(server.id).await?)
    }
}
