//! One job with its journal and the end of its story.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Cx, JobInput, OpError, Operation, Rest, Spec, Topic, ironic::JobNode};
use crate::{
    ids::JobId,
    model::{Job, JobEventRow, Risk, Role, Server, Step},
    store::{StoreResult, Tx},
};

/// Shows a job.
pub struct ShowJob;

/// A job and all that a person wants to see of it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct JobView {
    /// The job.
    pub job: Job,
    /// Its server.
    pub server: Option<Server>,
    /// Its node of Ironic's.
    pub node: Option<JobNode>,
    /// Its journal, in order.
    pub steps: Vec<Step>,
    /// The end of its story, oldest first; at most 30 lines.
    pub events: Vec<JobEventRow>,
    /// The running time of the last ones that went well, their median in ms.
    pub usual_ms: Option<i64>,
}

impl JobView {
    /// Reads it all at one moment.
    pub async fn load(tx: &mut Tx, id: JobId) -> StoreResult<Self> {
        let job = tx.require_job(id).await?;
        let server = match job.target {
            Some(id) => tx.server(id).await?,
            None => None,
        };
        let steps = tx.steps(id).await?;
        let events = tx.last_events(id, 30).await?;
        // A rebuild says nothing of how long a set-up takes.
        let alike = |params: &Value| ["mode", "reinstall"].iter().all(|key| params.get(key) == job.params.get(key));
        let past = tx.past_runs(&job.kind, 30).await?;
        let mut past: Vec<i64> = past.iter().filter(|(params, _)| alike(params)).map(|(_, ms)| *ms).collect();
        past.sort_unstable();
        let usual_ms = past.get(past.len() / 2).copied();
        let node = JobNode::of(&job);
        Ok(Self { job, server, node, steps, events, usual_ms })
    }
}

#[async_trait]
impl Operation for ShowJob {
    type Input = JobInput;
    type Output = JobView;
    const SPEC: Spec = Spec {
        name: "show_job",
        summary: "Shows one job: its steps, what happened, how it ended",
        topic: Topic::Work,
        rest: &[Rest::get("/jobs/{job}")],
        cli: "jobs show <job>",
        risk: Risk::Read,
        lowest: Role::Viewer,
        repeatable: true,
        people_only: false,
    };

    fn target(input: &JobInput) -> String {
        input.job.clone()
    }

    async fn run(cx: &mut Cx, input: JobInput) -> Result<JobView, OpError> {
        let job = cx.job(&input.job).await?;
        Ok(JobView::load(&mut cx.tx, job.id).await?)
    }
}
