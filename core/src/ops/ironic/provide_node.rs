//! Making a managed node available: Ironic wipes it on the way, where it cleans, so a person approves exactly what will
//! be done.

use async_trait::async_trait;

use super::{NodeFault, NodeInput, ProvideParams, node_job::NodeJob, provide_plan};
use crate::{
    model::{Plan, Risk, Role},
    ops::{Cx, JobStarted, OpError, Operation, Outside, Reach, Rest, Spec, Topic},
};

/// Makes a managed node available.
pub struct ProvideNode;

#[async_trait]
impl Operation for ProvideNode {
    type Input = NodeInput;
    type Output = JobStarted;
    const SPEC: Spec = Spec {
        name: "provide_node",
        summary: "Makes a manageable node of Ironic available, wiped where its cleaning is on; needs an approval",
        topic: Topic::Ironic,
        rest: &[Rest::post("/nodes/{node}/provide").answers(202)],
        cli: "nodes provide <node>",
        risk: Risk::Destroy,
        lowest: Role::Admin,
        repeatable: true,
        people_only: false,
    };
    const REACH: Reach = Reach::Plan;
    const STARTS_JOB: bool = true;

    fn target(input: &NodeInput) -> String {
        input.node.clone()
    }

    async fn plan_outside(cx: &Outside, input: &NodeInput) -> Result<Option<Plan>, OpError> {
        let node = cx.ironic()?.node(&input.node).await;
        let node = node.map_err(|error| NodeFault::of(&input.node, error))?;
        Ok(Some(provide_plan(&node, input)?))
    }

    async fn run(cx: &mut Cx, _: NodeInput) -> Result<JobStarted, OpError> {
        let plan = cx.planned.as_ref().ok_or(OpError::NoPlan)?;
        let params = ProvideParams::of(plan).ok_or(OpError::NoPlan)?;
        let job = cx.file_node_job(&NodeJob::Provide(params)).await?;
        Ok(JobStarted { job: job.id, joined: false })
    }
}
