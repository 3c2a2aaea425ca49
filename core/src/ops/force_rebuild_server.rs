//! Rebuilding by status: the status is set, and the reconciler starts the job.

use async_trait::async_trait;

use super::{
    Cx, HandleInput, OpError, Operation, Rest, Spec, Topic,
    rebuild_server::{Wiped, wiping_plan},
};
use crate::{
    model::{Plan, Risk, Role, Server},
    states::{ServerEvent, ServerStatus},
};

/// Sets the status `force_rebuild`.
pub struct ForceRebuildServer;

#[async_trait]
impl Operation for ForceRebuildServer {
    type Input = HandleInput;
    type Output = Server;
    const SPEC: Spec = Spec {
        name: "force_rebuild_server",
        summary: "Sets a server's status to force_rebuild: it is wiped and set up; needs an approval",
        topic: Topic::Fleet,
        rest: &[
            Rest::post("/servers/{handle}/force-rebuild").answers(202),
            Rest::patch("/servers/{handle}").answers(202).when("status", "force_rebuild"),
        ],
        cli: "servers force-rebuild <handle>",
        risk: Risk::Destroy,
        lowest: Role::Admin,
        repeatable: true,
        people_only: false,
    };

    fn target(input: &HandleInput) -> String {
        input.handle.clone()
    }

    async fn plan(cx: &mut Cx, input: &HandleInput) -> Result<Plan, OpError> {
        let server = cx.touchable(&input.handle).await?;
        let event = match server.status {
            ServerStatus::ForceRebuild => ServerEvent::Start,
            _ => ServerEvent::ForceRebuild,
        };
        cx.require_rebuildable(&server, event).await?;
        Ok(wiping_plan(Self::SPEC.name, &Wiped::of(&server)))
    }

    async fn run(cx: &mut Cx, input: HandleInput) -> Result<Server, OpError> {
        let server = cx.touchable(&input.handle).await?;
        let server = if server.status == ServerStatus::ForceRebuild {
            server
        } else {
            cx.tx.move_server(&server, ServerEvent::ForceRebuild, cx.now).await?
        };
        cx.tx.set_rebuild_approval(server.id, cx.approval).await?;
        Ok(cx.tx.require_server(server.id).await?)
    }
}
