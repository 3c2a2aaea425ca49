//! How it all is, on one screen.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError, Operation, Rest, Spec, Topic};
use crate::{
    model::{Incident, Risk, Role},
    states::{JobStatus, ServerStatus},
    units::Timestamp,
};

/// Shows how it all is.
pub struct ShowStatus;

/// Nothing is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// How it all is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// This program's version.
    pub version: String,
    /// Servers by status.
    pub servers: Vec<(ServerStatus, i64)>,
    /// Jobs by status.
    pub jobs: Vec<(JobStatus, i64)>,
    /// What is wrong.
    pub incidents: Vec<Incident>,
    /// Questions that wait for an answer.
    pub approvals: i64,
    /// Messages that wait to be sent.
    pub outbox: i64,
    /// Since when the oldest of them waits.
    pub outbox_since: Option<Timestamp>,
}

#[async_trait]
impl Operation for ShowStatus {
    type Input = Nothing;
    type Output = Status;
    const SPEC: Spec = Spec {
        name: "show_status",
        summary: "Shows how it all is: servers, jobs, incidents, approvals, messages",
        topic: Topic::Platform,
        rest: &[Rest::get("/status")],
        cli: "status",
        risk: Risk::Read,
        lowest: Role::Viewer,
        repeatable: true,
        people_only: false,
    };

    async fn run(cx: &mut Cx, _: Nothing) -> Result<Status, OpError> {
        let (outbox, outbox_since) = cx.tx.outbox_depth().await?;
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            servers: cx.tx.count_servers().await?,
            jobs: cx.tx.count_jobs().await?,
            incidents: cx.tx.open_incidents().await?,
            approvals: cx.tx.count_open_approvals().await?,
            outbox,
            outbox_since,
        })
    }
}
