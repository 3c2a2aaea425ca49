//! Taking a server under management, and letting go of it. What nobody took is never touched.

use async_trait::async_trait;

use super::{Cx, HandleInput, OpError, Operation, Spec, Topic};
use crate::{
    model::{Risk, Role, Server},
    states::{ServerEvent, ServerStatus},
};

/// Takes a server under management: it will be set up.
pub struct ManageServer;

#[async_trait]
impl Operation for ManageServer {
    type Input = HandleInput;
    type Output = Server;
    const SPEC: Spec = Spec {
        name: "manage_server",
        summary: "Takes a discovered server under management, so that it is set up",
        topic: Topic::Fleet,
        rest: &[],
        cli: "servers manage <handle>",
        risk: Risk::Change,
        lowest: Role::Admin,
        repeatable: true,
        people_only: true,
    };

    fn target(input: &HandleInput) -> String {
        input.handle.clone()
    }

    async fn run(cx: &mut Cx, input: HandleInput) -> Result<Server, OpError> {
        let server = cx.held_server(&input.handle).await?;
        if let Some(why) = server.untouchable().filter(|why| *why != "unmanaged") {
            return Err(OpError::Untouchable { handle: server.handle, why });
        }
        if server.managed && server.status != ServerStatus::Discovered {
            return Ok(server);
        }
        let server = cx.tx.move_server(&server, ServerEvent::Manage, cx.now).await?;
        cx.tx.set_managed(server.id, true, cx.now).await?;
        Ok(Server { managed: true, ..server })
    }
}

/// Lets go of a server: nothing touches it any more.
pub struct UnmanageServer;

#[async_trait]
impl Operation for UnmanageServer {
    type Input = HandleInput;
    type Output = Server;
    const SPEC: Spec = Spec {
        name: "unmanage_server",
        summary: "Lets go of a server: nothing touches it any more",
        topic: Topic::Fleet,
        rest: &[],
        cli: "servers unmanage <handle>",
        risk: Risk::Change,
        lowest: Role::Admin,
        repeatable: true,
        people_only: true,
    };

    fn target(input: &HandleInput) -> String {
        input.handle.clone()
    }

    async fn run(cx: &mut Cx, input: HandleInput) -> Result<Server, OpError> {
        let server = cx.held_server(&input.handle).await?;
        if !server.managed {
            return Ok(server);
        }
        cx.require_idle(&server).await?;
        let server = cx.tx.move_server(&server, ServerEvent::Unmanage, cx.now).await?;
        cx.tx.set_managed(server.id, false, cx.now).await?;
        // Whoever takes it again says thereby that it is ours, whatever key it shows by then.
        cx.tx.pin_host_key(server.id, None, cx.now).await?;
        Ok(Server { managed: false, ..server })
    }
}
