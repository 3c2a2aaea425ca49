//! What programs are answered in place of what a person has to approve first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::ApprovalId;

/// It waits for a person: nothing was done yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Awaiting {
    /// Always the same.
    pub status: AwaitingStatus,
    /// The question: `show_approval` (GET /approvals/{approval}) tells what became of it.
    pub approval_id: ApprovalId,
    /// What to ask with how it goes, as after all that takes long: `get_operation` (GET /operations/{id}) and
    /// `wait_for_operation` take it as `id`, and so does what tells of that very work, such as `check_unprovision_status`.
    pub operation_id: ApprovalId,
    /// What that means.
    pub message: String,
    /// Who can answer it, and where.
    pub approve_with: String,
}

/// How such an answer is told from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AwaitingStatus {
    /// A person is asked.
    AwaitingApproval,
}

impl Awaiting {
    /// That this question was asked.
    pub fn of(approval: ApprovalId) -> Self {
        Self {
            status: AwaitingStatus::AwaitingApproval,
            approval_id: approval,
            operation_id: approval,
            message:
                "nothing has been done: a person has to approve exactly this first; operation_id tells how it goes"
                    .to_owned(),
            approve_with: "an admin presses Approve under the bot's message in the chat; no program can".to_owned(),
        }
    }
}
