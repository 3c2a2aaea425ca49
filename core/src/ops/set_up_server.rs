//! Setting a server up: its disk stays, its root password is reset.

use async_trait::async_trait;

use super::{Cx, HandleInput, JobStarted, OpError, Operation, Rest, Spec, Topic};
use crate::{
    model::{ProvisionMode, Risk, Role},
    states::ServerStatus,
};

/// Sets a server up, or up again.
pub struct SetUpServer;

#[async_trait]
impl Operation for SetUpServer {
    type Input = HandleInput;
    type Output = JobStarted;
    const SPEC: Spec = Spec {
        name: "set_up_server",
        summary: "Sets a managed server up (again): access, firewall, Docker; its disk stays",
        topic: Topic::Fleet,
        rest: &[Rest::post("/servers/{handle}/provision").answers(202)],
        cli: "servers provision <handle>",
        risk: Risk::Change,
        lowest: Role::Operator,
        repeatable: true,
        people_only: false,
    };
    const STARTS_JOB: bool = true;

    fn target(input: &HandleInput) -> String {
        input.handle.clone()
    }

    async fn run(cx: &mut Cx, input: HandleInput) -> Result<JobStarted, OpError> {
        let server = cx.touchable(&input.handle).await?;
        // Setting it up would forget the rebuild that it waits for.
        if server.status == ServerStatus::ForceRebuild {
            return Err(OpError::RebuildWished(server.handle));
        }
        let mode = if server.status == ServerStatus::Error { ProvisionMode::Recover } else { ProvisionMode::Setup };
        cx.file_provisioning(&server, mode, false).await
    }
}
