//! Keeping a server for something: reserved servers are never touched.

use async_trait::async_trait;

use super::{Cx, HandleInput, OpError, Operation, Spec, Topic, starting::PROVISION_VPS};
use crate::{
    model::{Risk, Role, Server},
    states::{ServerEvent, ServerStatus},
};

/// Keeps a server: nothing touches it.
pub struct ReserveServer;

#[async_trait]
impl Operation for ReserveServer {
    type Input = HandleInput;
    type Output = Server;
    const SPEC: Spec = Spec {
        name: "reserve_server",
        summary: "Keeps a server for something: nothing touches it until it is released",
        topic: Topic::Fleet,
        rest: &[],
        cli: "servers reserve <handle>",
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
        if server.status == ServerStatus::Reserved {
            return Ok(server);
        }
        cx.require_idle(&server).await?;
        Ok(cx.tx.move_server(&server, ServerEvent::Reserve, cx.now).await?)
    }
}

/// Ends the keeping: the server is as if it had just been discovered.
pub struct ReleaseServer;

#[async_trait]
impl Operation for ReleaseServer {
    type Input = HandleInput;
    type Output = Server;
    const SPEC: Spec = Spec {
        name: "release_server",
        summary: "Releases a reserved server; it is unmanaged then, until an admin takes it",
        topic: Topic::Fleet,
        rest: &[],
        cli: "servers release <handle>",
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
        // The job that a status asked for would run although the status was taken back.
        cx.require_idle(&server).await?;
        let server = cx.tx.move_server(&server, ServerEvent::Release, cx.now).await?;
        if server.status == ServerStatus::Discovered {
            cx.tx.set_managed(server.id, false, cx.now).await?;
        }
        cx.tx.set_rebuild_approval(server.id, None).await?;
        Ok(cx.tx.require_server(server.id).await?)
    }
}

impl Cx {
    /// No job has the server, or will.
    pub(super) async fn require_idle(&mut self, server: &Server) -> Result<(), OpError> {
        match self.tx.open_job(PROVISION_VPS, server.id).await? {
            Some(job) => Err(OpError::Busy { handle: server.handle.clone(), job: job.id }),
            None => Ok(()),
        }
    }
}
