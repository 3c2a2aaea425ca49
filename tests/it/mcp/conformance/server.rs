//! A server of the protocol that has what the suites call by name, and nothing else.
#![allow(deprecated, reason = "the later revision has no logging and sampling; the older one has, and its scenarios")]

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams, ContentBlock, ElicitRequestParams,
        GetPromptRequestParams, GetPromptResponse, GetTaskParams, GetTaskResult, Implementation, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, LoggingMessageNotificationParam,
        PaginatedRequestParams, ProgressNotificationParam, ReadResourceRequestParams, ReadResourceResponse,
        ServerCapabilities, ServerConfig, SetLevelRequestParams, Tool, UpdateTaskParams,
    },
    service::RequestContext,
    task_manager::TaskManager,
};
use serde_json::{Value, json};

use super::{rounds, tasks, things};

/// The server. Cheap to clone: every request gets one, and all share their tasks.
#[derive(Clone, Default)]
pub struct Fixtures {
    pub tasks: TaskManager,
}

impl ServerHandler for Fixtures {
    fn get_info(&self) -> ServerConfig {
        let offers = ServerCapabilities::builder().enable_tools().enable_resources().enable_prompts();
        let offers = offers.enable_completions().enable_tasks().enable_logging();
        ServerConfig::new(offers.build()).with_server_info(Implementation::new("fixtures", "1.0.0"))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        things::tools().into_iter().find(|tool| tool.name == name)
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(things::tools()))
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = call.name.to_string();
        if let Some(answer) = things::answer(&name) {
            return Ok(complete::<CallToolResult>(answer).into());
        }
        let rounds = rounds::of_tool(&name);
        if let Some(rounds) = &rounds {
            let given = (call.input_responses.as_ref(), call.request_state.as_deref());
            if let Some(question) = rounds::next(rounds, given, &context)? {
                return Ok(question.into());
            }
        }
        if let Some(work) = tasks::work(&call) {
            return self.work(work, &context).await;
        }
        if rounds.is_some() {
            return Ok(said("state-ok").into());
        }
        let arguments = call.arguments.unwrap_or_default();
        let text = |name| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
        let result = match name.as_str() {
            "greet" => said(format!("Hello, {}!", text("name"))),
            "test_tool_with_logging" => logged(&context).await,
            "test_logging_tool" if context.meta.log_level().is_some() => logged(&context).await,
            "test_tool_with_progress" => progressed(&context).await,
            "test_sampling" => sampled(text("prompt"), &context).await,
            _ => match things::form(&name, text("message")) {
                Some(form) => elicited(form, &context).await,
                None => things::has_tool(&name).then(|| said("done")).ok_or_else(no_such_tool)?,
            },
        };
        Ok(result.into())
    }

    async fn list_resources(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(read(things::resources())))
    }

    async fn list_resource_templates(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(read(things::templates())))
    }

    async fn read_resource(
        &self,
        wanted: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let unknown = || ErrorData::resource_not_found("there is nothing there", Some(json!({ "uri": wanted.uri })));
        let contents = things::resource(&wanted.uri).ok_or_else(unknown)?;
        Ok(ReadResourceResponse::Complete(complete(json!({ "contents": [contents] }))))
    }

    async fn list_prompts(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(read(things::prompts())))
    }

    async fn get_prompt(
        &self,
        wanted: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if wanted.name == rounds::PROMPT {
            let given = (wanted.input_responses.as_ref(), wanted.request_state.as_deref());
            if let Some(question) = rounds::next(&rounds::of_prompt(), given, &context)? {
                return Ok(question.into());
            }
        }
        let messages = things::prompt(&wanted.name, &wanted.arguments.unwrap_or_default());
        let messages = messages.ok_or_else(|| ErrorData::invalid_params("there is no such prompt", None))?;
        Ok(GetPromptResponse::Complete(complete(json!({ "messages": messages }))))
    }

    /// The older revision's: nothing is remembered from request to request, so that every level is told.
    async fn set_level(
        &self,
        _level: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if rounds::is_stateless(&context) {
            return Err(ErrorData::new(rmcp::model::ErrorCode::METHOD_NOT_FOUND, "logging/setLevel", None));
        }
        Ok(())
    }

    async fn get_task(
        &self,
        wanted: GetTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        self.tasks.get_task(&wanted.task_id).map(GetTaskResult::new)
    }

    async fn update_task(
        &self,
        wanted: UpdateTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.tasks.update_task(&wanted.task_id, wanted.input_responses)
    }

    async fn cancel_task(
        &self,
        wanted: CancelTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.tasks.cancel_task(&wanted.task_id)
    }
}

/// What the protocol's own form of it says, as a value of the library's.
pub fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a fixture in the protocol's form")
}

fn no_such_tool() -> ErrorData {
    ErrorData::invalid_params("there is no such tool", None)
}

/// The same of a whole result, which says of itself in the later revision that it is one.
fn complete<T: serde::de::DeserializeOwned>(mut result: Value) -> T {
    result["resultType"] = json!("complete");
    read(result)
}

/// A result that is one text.
pub fn said(text: impl Into<String>) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}

/// A result that is one text, of something that went wrong.
pub fn failed(text: impl Into<String>) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(text)])
}

async fn logged(context: &RequestContext<RoleServer>) -> CallToolResult {
    for text in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
        let line = LoggingMessageNotificationParam::new(rmcp::model::LoggingLevel::Info, json!(text));
        context.peer.notify_logging_message(line).await.expect("it is told");
    }
    said("told")
}

async fn progressed(context: &RequestContext<RoleServer>) -> CallToolResult {
    if let Some(token) = context.meta.get_progress_token() {
        for done in [0.0, 50.0, 100.0] {
            let progress = ProgressNotificationParam::new(token.clone(), done).with_total(100.0);
            context.peer.notify_progress(progress).await.expect("it is told");
        }
    }
    said("done")
}

/// Asks the client's model, as the older revision does it: by a request of the server's.
async fn sampled(prompt: &str, context: &RequestContext<RoleServer>) -> CallToolResult {
    if context.client_capabilities().is_none_or(|client| client.sampling.is_none()) {
        return failed("the client has no model to ask");
    }
    let message = json!({ "role": "user", "content": { "type": "text", "text": prompt } });
    let asked = context.peer.create_message(read(json!({ "messages": [message], "maxTokens": 100 }))).await;
    asked.map_or_else(|error| failed(error.to_string()), |answer| said(format!("LLM response: {answer:?}")))
}

/// Asks the person at the client, as the older revision does it: by a request of the server's.
async fn elicited(form: Value, context: &RequestContext<RoleServer>) -> CallToolResult {
    if context.client_capabilities().is_none_or(|client| client.elicitation.is_none()) {
        return failed("the client has nobody to ask");
    }
    let asked = context.peer.create_elicitation(read::<ElicitRequestParams>(form)).await;
    asked.map_or_else(|error| failed(error.to_string()), |answer| said(format!("User response: {answer:?}")))
}
