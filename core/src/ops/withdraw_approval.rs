//! Taking a question back: whoever asked for something may think better of it while nobody has answered.

use async_trait::async_trait;
use serde_json::json;

use super::{
    ApprovalInput, Cx, OpError, Operation, OperationView, Rest, Spec, Topic,
    answer_approval::{held, settle},
};
use crate::{
    model::{Approval, Risk, Role},
    states::{ApprovalEvent, ApprovalStatus},
};

/// Takes a question back.
pub struct WithdrawApproval;

#[async_trait]
impl Operation for WithdrawApproval {
    type Input = ApprovalInput;
    // How it stands afterwards, which somebody's answer may have decided a moment before.
    type Output = OperationView;
    const SPEC: Spec = Spec {
        name: "withdraw_approval",
        summary: "Takes back a question of one's own that nobody has answered yet",
        topic: Topic::Authority,
        rest: &[Rest::post("/approvals/{approval}/withdraw")],
        cli: "approvals withdraw <approval>",
        risk: Risk::Change,
        lowest: Role::Operator,
        repeatable: true,
        people_only: false,
    };

    fn target(input: &ApprovalInput) -> String {
        input.approval.to_string()
    }

    async fn run(cx: &mut Cx, input: ApprovalInput) -> Result<OperationView, OpError> {
        let approval = held(cx, input.approval).await?;
        if !approval.is_asked_by(&cx.actor) {
            return Err(OpError::NotAsker { asker: approval.requested_by });
        }
        if approval.status == ApprovalStatus::Asked && approval.expires_at > cx.now {
            settle(cx, &approval, ApprovalEvent::Withdraw, Approval::WITHDRAWN).await?;
            let detail = json!({
                "approval": approval.id,
                "requested_by": approval.requested_by,
                "plan_hash": approval.plan_hash,
            });
            cx.audit(&approval.plan.operation, &approval.plan.target, Approval::WITHDRAWN, &detail).await?;
        }
        cx.operation(&approval.id.to_string()).await
    }
}
