//! Approvals, newest first.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError, Operation, Page, PageOf, Rest, Spec, Topic};
use crate::model::{Approval, Risk, Role};

/// Lists approvals.
pub struct ListApprovals;

/// Which approvals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListApprovalsInput {
    /// Only those that wait for an answer.
    pub open: bool,
    /// What `next` said on the page before; empty for the first page.
    pub cursor: String,
    /// How many at most, 1 to 500; 0 means 50.
    #[schemars(range(max = 500))]
    pub limit: u32,
}

#[async_trait]
impl Operation for ListApprovals {
    type Input = ListApprovalsInput;
    type Output = PageOf<Approval>;
    const SPEC: Spec = Spec {
        name: "list_approvals",
        summary: "Lists approvals, newest first",
        topic: Topic::Authority,
        rest: &[Rest::get("/approvals")],
        cli: "approvals list",
        risk: Risk::Read,
        lowest: Role::Viewer,
        repeatable: true,
        people_only: false,
    };

    async fn run(cx: &mut Cx, input: ListApprovalsInput) -> Result<PageOf<Approval>, OpError> {
        let page = Page::of(&input.cursor, input.limit)?;
        Ok(page.cut(cx.tx.approvals(input.open, &page.slice()).await?, |approval| approval.id.to_string()))
    }
}
