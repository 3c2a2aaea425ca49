//! Jobs, newest first.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError, Operation, Page, PageOf, Spec};
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
    /// Which part of the list.
    pub page: Page,
}

#[async_trait]
impl Operation for ListJobs {
    type Input = ListJobsInput;
    type Output = PageOf<JobLine>;
    const SPEC: Spec = Spec {
        name: "list_jobs",
        summary: "Lists jobs, newest first",
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
        let (offset, limit) = input.page.bounds();
        let jobs = cx.tx.jobs(&JobFilter { target, open: input.open }, offset, limit).await?;
        let page = input.page.of(jobs);
        let mut items = Vec::with_capacity(page.items.len());
        for job in page.items {
            let server = match job.target {
                Some(id) => Some(cx.tx.require_server(id).await?.handle),
                None => None,
            };
            items.push(JobLine { job, server });
        }
        Ok(PageOf { items, more: page.more })
    }
}

/// A job with its server's handle.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct JobLine {
    /// The job.
    pub job: Job,
    /// The handle of its server.
    pub server: Option<String>,
}
