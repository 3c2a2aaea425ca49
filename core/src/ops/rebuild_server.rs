//! Rebuilding a server: its disk is lost, so a person approves exactly what will be done.

use std::{collections::BTreeMap, net::IpAddr};

use async_trait::async_trait;

use super::{Answer, Cx, HandleInput, JobStarted, OpError, Operation, Ops, Rest, Spec, Topic, approved::used};
use crate::{
    ids::ApprovalId,
    model::{Actor, Plan, ProvisionMode, Risk, Role, Server},
    states::{Machine, ServerEvent},
};

/// Wipes a server, installs its operating system anew and sets it up.
pub struct RebuildServer;

#[async_trait]
impl Operation for RebuildServer {
    type Input = HandleInput;
    type Output = JobStarted;
    const SPEC: Spec = Spec {
        name: "rebuild_server",
        summary: "Wipes a server, reinstalls its system and sets it up; needs an approval",
        topic: Topic::Fleet,
        rest: &[Rest::post("/servers/{handle}/rebuild").answers(202)],
        cli: "servers rebuild <handle>",
        risk: Risk::Destroy,
        lowest: Role::Admin,
        repeatable: true,
        people_only: false,
    };
    const STARTS_JOB: bool = true;

    fn target(input: &HandleInput) -> String {
        input.handle.clone()
    }

    async fn plan(cx: &mut Cx, input: &HandleInput) -> Result<Plan, OpError> {
        let server = cx.touchable(&input.handle).await?;
        cx.require_rebuildable(&server, ServerEvent::Start).await?;
        Ok(wiping_plan(Self::SPEC.name, &Wiped::of(&server)))
    }

    async fn run(cx: &mut Cx, input: HandleInput) -> Result<JobStarted, OpError> {
        let server = cx.touchable(&input.handle).await?;
        cx.file_provisioning(&server, ProvisionMode::Rebuild, true).await
    }
}

impl Cx {
    /// Says now what would refuse the rebuild later: nobody should approve what cannot run.
    pub(super) async fn require_rebuildable(&mut self, server: &Server, event: ServerEvent) -> Result<(), OpError> {
        server.status.after(event).map_err(OpError::Illegal)?;
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

/// The server whose disk a plan wipes, and what proves that it is this one.
pub(super) struct Wiped<'a> {
    /// The name that people type.
    pub handle: &'a str,
    /// Whose it is.
    pub provider: &'a str,
    /// The provider's name for it.
    pub provider_id: &'a str,
    /// Where it is.
    pub address: Option<IpAddr>,
    /// The pinned host key.
    pub host_key: Option<&'a str>,
}

impl<'a> Wiped<'a> {
    /// The server as its row says now.
    pub fn of(server: &'a Server) -> Self {
        Self {
            handle: &server.handle,
            provider: &server.provider,
            provider_id: &server.provider_id,
            address: server.address,
            host_key: server.host_key.as_deref(),
        }
    }
}

/// The plan of an operation that wipes a server's disk.
pub(super) fn wiping_plan(operation: &str, server: &Wiped<'_>) -> Plan {
    let none = || "none".to_owned();
    Plan {
        operation: operation.to_owned(),
        input: serde_json::json!({ "handle": server.handle }),
        target: server.handle.to_owned(),
        identity: BTreeMap::from([
            ("provider".to_owned(), server.provider.to_owned()),
            ("provider_id".to_owned(), server.provider_id.to_owned()),
            ("address".to_owned(), server.address.map_or_else(none, |address| address.to_string())),
            ("host_key".to_owned(), server.host_key.map_or_else(none, str::to_owned)),
        ]),
        losses: vec!["loss-disk".to_owned(), "loss-backups".to_owned()],
    }
}

impl Ops {
    /// Starts the rebuild that a server's status asks for, with the approval that set the status. Where the server is no
    /// longer what was approved, a person is asked anew.
    pub async fn rebuild_approved(
        &self,
        actor: &Actor,
        input: &HandleInput,
        approval: ApprovalId,
    ) -> Result<Answer<JobStarted>, OpError> {
        let mut cx = self.cx(self.store.write().await?, actor);
        let server = cx.touchable(&input.handle).await?;
        let allowed = cx.tx.approval(approval).await?.filter(|approval| {
            let plan = wiping_plan(&approval.plan.operation, &Wiped::of(&server));
            used(&cx.ops.keyring, approval) && approval.job.is_none() && plan.hash() == approval.plan_hash
        });
        let Some(allowed) = allowed else {
            cx.tx.set_rebuild_approval(server.id, None).await?;
            cx.tx.commit().await?;
            return self.call::<RebuildServer>(actor, input, None).await;
        };
        cx.approval = Some(allowed.id);
        cx.actor.user = allowed.requester;
        let started = cx.file_provisioning(&server, ProvisionMode::Rebuild, true).await?;
        cx.seal_approval(&allowed, Some(started.job)).await?;
        let detail = serde_json::json!({ "approval": allowed.id, "job": started.job });
        cx.audit(RebuildServer::SPEC.name, &server.handle, "done", &detail).await?;
        cx.tx.commit().await?;
        Ok(Answer::Done(started))
    }
}
