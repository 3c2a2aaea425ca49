//! Approvals, newest first.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cx, OpError, Operation, Page, PageOf, Spec};
use crate::model::{Approval, Risk, Role};

/// Lists approvals.
pub struct ListApprovals;

/// Which approvals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListApprovalsInput {
    /// Only those that wait for an answer.
    pub open: bool,
    /// Which part of the list.
    pub page: Page,
}

#[async_trait]
impl Operation for ListApprovals {
    type Input = ListApprovalsInput;
    type Output = PageOf<Approval>;
    const SPEC: Spec = Spec {
        name: "list_approvals",
        summary: "Lists approvals, newest first",
        risk: Risk::Read,
        lowest: Role::Viewer,
        repeatable: true,
        people_only: false,
    };

    async fn run(cx: &mut Cx, input: ListApprovalsInput) -> Result<PageOf<Approval>, OpError> {
        let (offset, limit) = input.page.bounds();
        Ok(input.page.of(cx.tx.approvals(input.open, offset, limit).await?))
    }
}
