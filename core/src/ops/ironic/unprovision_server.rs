//! Taking a node down: what is on it is lost, so a person approves exactly what will be done.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CourseStatus, NodeFault, NodeJob, UnprovisionParams, unprovision_plan};
use crate::{
    ids::JobId,
    model::{Plan, Risk, Role},
    ops::{Cx, OpError, Operation, Outside, Reach, Rest, Spec, Topic},
    units::Timestamp,
};

/// Takes a node down.
pub struct UnprovisionServer;

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnprovisionRequest {
    /// The node's UUID or name.
    pub server_id: String,
    /// Whether its disks are wiped; they are, unless said otherwise, where Ironic's cleaning is on.
    #[serde(default = "yes")]
    pub clean: bool,
}

/// That it was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnprovisionResponse {
    /// What to ask with how it goes: the node's UUID.
    pub operation_id: String,
    /// The node's UUID.
    pub server_id: String,
    /// The node's name, or its UUID where it has none.
    pub server_name: String,
    /// How far it is.
    pub status: CourseStatus,
    /// The same in words.
    pub message: String,
    /// When it was allowed.
    pub started_at: Timestamp,
    /// The job that does it.
    pub job: JobId,
}

#[async_trait]
impl Operation for UnprovisionServer {
    type Input = UnprovisionRequest;
    type Output = UnprovisionResponse;
    const SPEC: Spec = Spec {
        name: "unprovision_server",
        summary: "Takes a bare-metal node of Ironic down and, unless told not to, wipes it; needs an approval",
        topic: Topic::Ironic,
        rest: &[Rest::post("/unprovision").answers(202)],
        cli: "nodes unprovision <server_id>",
        risk: Risk::Destroy,
        lowest: Role::Admin,
        repeatable: true,
        people_only: false,
    };
    const REACH: Reach = Reach::Plan;
    const STARTS_JOB: bool = true;

    fn target(input: &UnprovisionRequest) -> String {
        input.server_id.clone()
    }

    async fn plan_outside(cx: &Outside, input: &UnprovisionRequest) -> Result<Option<Plan>, OpError> {
        let node = cx.ironic()?.node(&input.server_id).await;
        let node = node.map_err(|error| NodeFault::of(&input.server_id, error))?;
        Ok(Some(unprovision_plan(&node, input)?))
    }

    async fn run(cx: &mut Cx, _: UnprovisionRequest) -> Result<UnprovisionResponse, OpError> {
        let plan = cx.planned.as_ref().ok_or(OpError::NoPlan)?;
        let params = UnprovisionParams::of(plan).ok_or(OpError::NoPlan)?;
        let job = cx.file_node_job(&NodeJob::Unprovision(params.clone())).await?;
        let name = params.plan.target;
        Ok(UnprovisionResponse {
            operation_id: params.node.clone(),
            server_id: params.node,
            message: format!("Server {name} will be unprovisioned by job {}", job.id),
            server_name: name,
            status: CourseStatus::Accepted,
            started_at: job.created_at,
            job: job.id,
        })
    }
}

fn yes() -> bool {
    true
}
