//! One server, with what is going on there.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, HandleInput, OpError, Operation, Rest, Spec, Topic, starting::PROVISION_VPS};
use crate::model::{Incident, Job, Risk, Role, Server};

/// Shows a server.
pub struct ShowServer;

/// A server and what is going on there.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ServerView {
    /// The record.
    pub server: Server,
    /// The job that has it, queued or active.
    pub job: Option<Job>,
    /// What is wrong with it.
    pub incidents: Vec<Incident>,
    /// Attempts that an episode may have.
    pub attempts_allowed: i64,
}

#[async_trait]
impl Operation for ShowServer {
    type Input = HandleInput;
    type Output = ServerView;
    const SPEC: Spec = Spec {
        name: "show_server",
        summary: "Shows one server: status, address, identity, what is going on",
        topic: Topic::Fleet,
        rest: &[Rest::get("/servers/{handle}")],
        cli: "servers show <handle>",
        risk: Risk::Read,
        lowest: Role::Viewer,
        repeatable: true,
        people_only: false,
    };

    fn target(input: &HandleInput) -> String {
        input.handle.clone()
    }

    async fn run(cx: &mut Cx, input: HandleInput) -> Result<ServerView, OpError> {
        let server = cx.server(&input.handle).await?;
        let job = cx.tx.open_job(PROVISION_VPS, server.id).await?;
        let incidents = cx.tx.open_incidents().await?;
        let incidents = incidents.into_iter().filter(|incident| incident.server == Some(server.id)).collect();
        Ok(ServerView { server, job, incidents, attempts_allowed: cx.ops.limits.attempts })
    }
}
