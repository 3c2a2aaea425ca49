//! Tools whose work is a task, where the client knows tasks.

use std::time::Duration;

use rackhand_core::clock::{Clock, SystemClock};
use rmcp::{
    ErrorData, RoleServer,
    model::{CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, CreateTaskResult},
    service::RequestContext,
    task_manager::{TaskContext, TaskExit, TaskOptions},
};
use serde_json::Value;

use super::{
    rounds,
    server::{Fixtures, failed, read, said},
};

/// How often a client should look.
const POLL_MS: u64 = 100;

/// What is to be done.
pub enum Work {
    /// Time passes. Also done at once, for whoever knows no tasks.
    Pass(Duration),
    /// The tool runs into an error.
    Fail,
    /// The server does.
    Break,
    /// These questions are answered.
    Ask(&'static [&'static str]),
    /// Nothing is left but to say so.
    Say(String),
}

/// The work of a tool; none where it is done at once.
pub fn work(call: &CallToolRequestParams) -> Option<Work> {
    let seconds = call.arguments.as_ref().and_then(|arguments| arguments.get("seconds")).and_then(Value::as_u64);
    let name = call.input_responses.iter().find_map(|answers| answers.get("user_name"));
    let name = name.and_then(|answer| answer["content"]["name"].as_str()).unwrap_or_default();
    Some(match call.name.as_ref() {
        "slow_compute" => Work::Pass(Duration::from_secs(seconds.unwrap_or_default())),
        "failing_job" => Work::Fail,
        "protocol_error_job" => Work::Break,
        "confirm_delete" => Work::Ask(&["confirm"]),
        "multi_input" => Work::Ask(&["first", "second"]),
        "test_tool_with_task" => Work::Say(format!("Hello, {name}!")),
        _ => return None,
    })
}

impl Fixtures {
    /// Begins the work as a task.
    ///
    /// # Errors
    /// The client knows no tasks, and it cannot be done otherwise.
    pub async fn work(&self, work: Work, context: &RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        if context.client_capabilities().is_some_and(|client| client.supports_tasks()) {
            let options = TaskOptions::new().with_poll_interval_ms(POLL_MS);
            let task = self.tasks.spawn(options, |task| Box::pin(async move { work.done(&task).await }));
            return Ok(CreateTaskResult::new(task).into());
        }
        let Work::Pass(time) = work else {
            let tasks = ClientCapabilities::builder().enable_tasks().build();
            return Err(ErrorData::missing_required_client_capability(tasks));
        };
        SystemClock.sleep(time).await;
        Ok(said("passed").into())
    }
}

impl Work {
    async fn done(self, task: &TaskContext) -> Result<CallToolResult, TaskExit> {
        match self {
            Self::Pass(time) => tokio::select! {
                () = SystemClock.sleep(time) => Ok(said("passed")),
                () = task.cancelled() => Err(TaskExit::Cancelled),
            },
            Self::Fail => Ok(failed("it failed")),
            Self::Break => Err(ErrorData::internal_error("it broke", None).into()),
            Self::Ask(questions) => {
                let ask =
                    |key: &'static str| task.request_input(key, read(rounds::form("Sure?", "confirm", "boolean")));
                futures::future::try_join_all(questions.iter().map(|key| ask(key))).await?;
                Ok(said("answered"))
            }
            Self::Say(text) => Ok(said(text)),
        }
    }
}
