//! Calling a tool: the operation of its name, as the model that acts for the caller.

use rackhand_core::{
    model::Actor,
    ops::{Answer, Awaiting, Entry, OpError, find},
};
use rmcp::{
    ErrorData, RoleServer,
    model::{CallToolRequestParams, CallToolResponse, CallToolResult, JsonObject},
    service::RequestContext,
};
use serde_json::Value;

use super::{Mcp, elicit, key, tasks, tools, wait};
use crate::api::Problem;

impl Mcp {
    pub(super) async fn call(
        &self,
        call: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let actor = self.actor(&context.extensions).await?;
        let entry = find(&call.name);
        let (schema, about) = match entry {
            Some(entry) => (tools::object((entry.input)()), entry.spec.summary),
            None if call.name == wait::NAME => (wait::tool().input_schema, "the operation to wait for"),
            None => {
                let name: String = call.name.chars().take(64).collect();
                return Err(ErrorData::invalid_params(format!("there is no tool {name:?}"), None));
            }
        };
        let arguments = match elicit::completed(&call, &schema, about, context).await {
            elicit::Arguments::Known(arguments) => arguments,
            elicit::Arguments::Ask(question) => return Ok(question.into()),
        };
        let answer = match entry {
            Some(entry) => self.operation(&actor, entry, arguments, tasks::are_spoken(context)).await,
            None => self.wait(&actor, arguments, context).await.map(CallToolResponse::from),
        };
        Ok(answer.unwrap_or_else(|error| refusal(error, &call.name, context).into()))
    }

    /// The operation's answer as the tool's; what goes on as a task, for whoever speaks of them.
    async fn operation(
        &self,
        actor: &Actor,
        entry: &Entry,
        mut input: JsonObject,
        as_task: bool,
    ) -> Result<CallToolResponse, OpError> {
        let key = key::taken(entry, &mut input)?;
        let answer = self.ops.call_by_name(actor, entry.spec.name, &Value::Object(input), key.as_deref()).await?;
        if let Some(id) = tasks::id_of(entry, &answer).filter(|_| as_task) {
            return Ok(self.new_task(actor, id).await?.into());
        }
        let answer = match answer {
            Answer::Done(output) => output,
            Answer::AwaitingApproval(id) => serde_json::to_value(Awaiting::of(id)).map_err(OpError::Answer)?,
        };
        Ok(CallToolResult::structured(answer).into())
    }
}

/// The tool ran into an error that the model should read.
fn refusal(error: OpError, tool: &str, context: &RequestContext<RoleServer>) -> CallToolResult {
    CallToolResult::structured_error(Problem::from(error).to_value(tool, &context.id.to_string()))
}
