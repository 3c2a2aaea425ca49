//! Calling a tool: the operation of its name, as the model that acts for the caller.

use rackhand_core::{
    model::Actor,
    ops::{Answer, OpError, find},
};
use rmcp::{
    ErrorData, RoleServer,
    model::{CallToolRequestParams, CallToolResponse, CallToolResult, JsonObject},
    service::RequestContext,
};
use serde_json::Value;

use super::{Mcp, elicit, tools::Awaiting, wait};
use crate::api::Problem;

impl Mcp {
    pub(super) async fn call(
        &self,
        call: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let actor = self.actor(&context.extensions).await?;
        let input = if call.name == wait::NAME {
            Some((wait::tool().input_schema, "the operation to wait for"))
        } else {
            find(&call.name).map(|entry| (super::tools::object((entry.input)()), entry.spec.summary))
        };
        let Some((schema, about)) = input else {
            let name: String = call.name.chars().take(64).collect();
            return Err(ErrorData::invalid_params(format!("there is no tool {name:?}"), None));
        };
        let arguments = match elicit::completed(&call, &schema, about, context).await {
            elicit::Arguments::Known(arguments) => arguments,
            elicit::Arguments::Ask(question) => return Ok(question.into()),
        };
        let answer = if call.name == wait::NAME {
            self.wait(&actor, arguments, context).await
        } else {
            self.operation(&actor, &call.name, arguments).await
        };
        Ok(answer.unwrap_or_else(|error| refusal(error, &call.name, context)).into())
    }

    /// The operation of this name, and its answer as the tool's.
    async fn operation(&self, actor: &Actor, name: &str, input: JsonObject) -> Result<CallToolResult, OpError> {
        let answer = match self.ops.call_by_name(actor, name, &Value::Object(input), None).await? {
            Answer::Done(output) => output,
            Answer::AwaitingApproval(id) => serde_json::to_value(Awaiting::of(id)).map_err(OpError::Answer)?,
        };
        Ok(CallToolResult::structured(answer))
    }
}

/// The tool ran into an error that the model should read.
fn refusal(error: OpError, tool: &str, context: &RequestContext<RoleServer>) -> CallToolResult {
    CallToolResult::structured_error(Problem::from(error).to_value(tool, &context.id.to_string()))
}
