//! What the door itself wants to know, asked for in the caller's name.

use rackhand_core::{
    fault::{Fault, FaultKind},
    model::Actor,
    ops::{Answer, OpError, Operation},
};
use rmcp::{ErrorData, model::ErrorCode};
use serde_json::json;

use super::Mcp;
use crate::api::Problem;

impl Mcp {
    /// What a reading operation answers.
    pub(super) async fn read<O: Operation>(&self, actor: &Actor, input: &O::Input) -> Result<O::Output, OpError> {
        match self.ops.call::<O>(actor, input, None).await? {
            Answer::Done(output) => Ok(output),
            // Only what destroys asks, and that does not only read.
            Answer::AwaitingApproval(_) => Err(OpError::NoPlan),
        }
    }
}

/// An error of a resource, a prompt or a completion, as the protocol wants it.
pub(super) fn error_data(error: OpError) -> ErrorData {
    let code = match error.kind() {
        FaultKind::NotFound => ErrorCode::RESOURCE_NOT_FOUND,
        FaultKind::Invalid | FaultKind::Conflict => ErrorCode::INVALID_PARAMS,
        FaultKind::Forbidden | FaultKind::Unauthenticated | FaultKind::NeedsPerson => ErrorCode::INVALID_REQUEST,
        FaultKind::RateLimited | FaultKind::Unavailable | FaultKind::Bug => ErrorCode::INTERNAL_ERROR,
    };
    let problem = Problem::from(error);
    ErrorData::new(code, problem.detail, Some(json!({ "code": problem.code })))
}
