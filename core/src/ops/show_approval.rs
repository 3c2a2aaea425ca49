//! One question to a person, and what became of it.

use async_trait::async_trait;

use super::{ApprovalInput, Cx, OpError, Operation, Rest, Spec, Topic};
use crate::model::{Approval, Risk, Role};

/// Shows an approval.
pub struct ShowApproval;

#[async_trait]
impl Operation for ShowApproval {
    type Input = ApprovalInput;
    type Output = Approval;
    const SPEC: Spec = Spec {
        name: "show_approval",
        summary: "Shows one approval: the plan, who asked, what was answered, the job that it started",
        topic: Topic::Authority,
        rest: &[Rest::get("/approvals/{approval}")],
        cli: "approvals show <approval>",
        risk: Risk::Read,
        lowest: Role::Viewer,
        repeatable: true,
        people_only: false,
    };

    fn target(input: &ApprovalInput) -> String {
        input.approval.to_string()
    }

    async fn run(cx: &mut Cx, input: ApprovalInput) -> Result<Approval, OpError> {
        let not_found = || OpError::NotFound { what: "approval", name: input.approval.to_string() };
        cx.tx.approval(input.approval).await?.ok_or_else(not_found)
    }
}
