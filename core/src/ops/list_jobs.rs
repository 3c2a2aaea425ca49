//! Jobs, newest first.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError, Operation, Page, PageOf, Rest, Spec, Topic, ironic::JobNode};
use crate::{
    model::{Job, Risk, Role},
    store::JobFilter,
};

/// Lists jobs.
pub struct ListJobs;

/// Which jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListJobsInput {
    /// Only those of this server.
    pub handle: Option<String>,
    /// Only those that have not ended.
    pub open: bool,
    /// What `next` said on the page before; empty for the first page.
    pub cursor: String,
    /// How many at most, 1 to 500; 0 means 50.
    #[schemars(range(max = 500))]
    pub limit: u32,
}

#[async_trait]
impl Operation for ListJobs {
    type Input = ListJobsInput;
    type Output = PageOf<JobLine>;
    const SPEC: Spec = Spec {
        name: "list_jobs",
        summary: "Lists jobs, newest first",
        topic: Topic::Work,
        rest: &[Rest::get("/jobs")],
        cli: "jobs list",
        risk: Risk::Read,
        lowest: Role::Viewer,
        repeatable: true,
        people_only: false,
    };

    async fn run(cx: &mut Cx, input: ListJobsInput) -> Result<PageOf<JobLine>, OpError> {
        let target = match &input.handle {
            Some(handle) => Some(cx.server(handle).await?.id),
            None => None,
        };
        let page = Page::of(&input.cursor, input.limit)?;
        let jobs = cx.tx.jobs(&JobFilter { target, open: input.open }, &page.slice()).await?;
        let page = page.cut(jobs, |job| job.id.to_string());
        let mut items = Vec::with_capacity(page.items.len());
        for job in page.items {
            let server = match job.target {
                Some(id) => Some(cx.tx.require_server(id).await?.handle),
                None => None,
            };
            let node = JobNode::of(&job);
            items.push(JobLine { job, server, node });
        }
        Ok(PageOf { items, next: page.next })
    }
}

/// A job with what it is about: its server, or its node.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct JobLine {
    /// The job.
    pub job: Job,
    /// The handle of its server.
    pub server: Option<String>,
    /// Its node of Ironic's.
    pub node: Option<JobNode>,
}
