//! Rebuilding a server: its disk is lost, so a person approves exactly what will be done.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{Cx, HandleInput, JobStarted, OpError, Operation, Spec};
use crate::model::{Plan, ProvisionMode, Risk, Role, Server};

/// Wipes a server, installs its operating system anew and sets it up.
pub struct RebuildServer;

#[async_trait]
impl Operation for RebuildServer {
    type Input = HandleInput;
    type Output = JobStarted;
    const SPEC: Spec = Spec {
        name: "rebuild_server",
        summary: "Wipes a server, reinstalls its system and sets it up; needs an approval",
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
        cx.require_rebuildable(&server).await?;
        Ok(wiping_plan(Self::SPEC.name, input, &server))
    }

    async fn run(cx: &mut Cx, input: HandleInput) -> Result<JobStarted, OpError> {
        let server = cx.touchable(&input.handle).await?;
        cx.file_provisioning(&server, ProvisionMode::Rebuild, true).await
    }
}

impl Cx {
    /// Says now what would refuse the rebuild later: nobody should approve what cannot run.
    pub(super) async fn require_rebuildable(&mut self, server: &Server) -> Result<(), OpError> {
        if server.address.is_none() {
            return Err(OpError::NoAddress(server.handle.clone()));
        }
        if server.provisioning_attempts >= self.ops.limits.attempts {
            let attempts = server.provisioning_attempts;
            return Err(OpError::AttemptsSpent { handle: server.handle.clone(), attempts });
        }
        self.require_idle(server).await
    }
}

/// The plan of an operation that wipes a server's disk.
pub(super) fn wiping_plan(operation: &str, input: &HandleInput, server: &Server) -> Plan {
    let none = || "none".to_owned();
    Plan {
        operation: operation.to_owned(),
        input: serde_json::json!({ "handle": input.handle }),
        target: server.handle.clone(),
        identity: BTreeMap::from([
            ("provider".to_owned(), server.provider.clone()),
            ("provider_id".to_owned(), server.provider_id.clone()),
            ("address".to_owned(), server.address.map_or_else(none, |address| address.to_string())),
            ("host_key".to_owned(), server.host_key.clone().unwrap_or_else(none)),
        ]),
        losses: vec!["loss-disk".to_owned(), "loss-backups".to_owned()],
    }
}
