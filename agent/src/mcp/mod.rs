//! The door for language models: the Model Context Protocol, over standard input and output and over HTTP.
//!
//! Tools are made from the table of operations, by the role of whoever calls; a model never does more than its
//! principal, and what destroys always waits for a person. Nothing here approves anything. What takes long is a task of
//! the protocol for clients that speak of tasks, and is waited for by a tool for all others.

mod call;
mod caller;
mod complete;
mod elicit;
mod http;
mod key;
mod prompts;
mod read;
mod resources;
mod stdio;
mod tasks;
mod tools;
mod wait;

use rackhand_core::{model::Actor, ops::Ops};
use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, CancelTaskParams, CompleteRequestParams, CompleteResult, Extensions,
        GetPromptRequestParams, GetPromptResponse, GetTaskParams, GetTaskResult, Implementation, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams, ProtocolVersion,
        ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig, UpdateTaskParams,
    },
    service::RequestContext,
};

pub use self::{
    caller::Caller,
    http::{Service, Web, service, service_of},
    stdio::{StdioError, serve_stdio},
};
pub use rmcp::ServerHandler;

/// What every client is told at its start.
const INSTRUCTIONS: &str = "Rackhand looks after two kinds of machines. Servers are rented from a provider and named by \
    handles such as vps-267179: list_servers shows them, set_up_server sets one up and keeps its disk, rebuild_server \
    wipes it first. Nodes are bare metal of OpenStack Ironic, named by a UUID or a name: list_nodes shows them, \
    provision_server installs an image on one, unprovision_server takes it down and wipes it. Tools that start long work \
    answer with the id of a job or a node, tools that destroy with an approval's: a person has to approve in the chat, \
    and no tool can. Follow each with wait_for_operation, or ask get_operation.";

/// Whether the request is of the protocol's revision 2026-07-28 or a later one. Revisions are dates.
fn is_later(context: &RequestContext<RoleServer>) -> bool {
    let version = context.protocol_version();
    version.is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
}

/// The server that answers one connection (standard input and output) or one request (HTTP).
#[derive(Clone)]
pub struct Mcp {
    ops: Ops,
    caller: Caller,
}

impl Mcp {
    /// A server that takes its callers for `caller`.
    pub fn new(ops: Ops, caller: Caller) -> Self {
        Self { ops, caller }
    }

    async fn actor(&self, extensions: &Extensions) -> Result<Actor, ErrorData> {
        self.caller.actor(&self.ops, extensions).await
    }
}

impl ServerHandler for Mcp {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_prompts()
            .enable_completions()
            .enable_tasks();
        let me = Implementation::new("rackhand", env!("CARGO_PKG_VERSION")).with_title("Rackhand");
        ServerConfig::new(capabilities.build()).with_server_info(me).with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let actor = self.actor(&context.extensions).await?;
        Ok(ListToolsResult::with_all_items(tools::offered_to(&actor, tasks::are_spoken(&context))))
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.call(call, &context).await
    }

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let actor = self.actor(&context.extensions).await?;
        self.resources(&actor, page.and_then(|page| page.cursor).unwrap_or_default()).await
    }

    async fn list_resource_templates(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(resources::templates()))
    }

    async fn read_resource(
        &self,
        wanted: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let actor = self.actor(&context.extensions).await?;
        Ok(self.resource(&actor, &wanted.uri).await?.into())
    }

    async fn list_prompts(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(prompts::all()))
    }

    async fn get_prompt(
        &self,
        wanted: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let actor = self.actor(&context.extensions).await?;
        Ok(self.prompt(&actor, &wanted).await?.into())
    }

    async fn complete(
        &self,
        wanted: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let actor = self.actor(&context.extensions).await?;
        self.completion(&actor, &wanted).await
    }

    async fn get_task(
        &self,
        wanted: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        tasks::require_spoken(&context)?;
        self.task(&self.actor(&context.extensions).await?, &wanted.task_id).await
    }

    // No task ever asks anything, so nothing that comes is an answer: it is ignored, as the extension wants.
    async fn update_task(
        &self,
        update: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        tasks::require_spoken(&context)?;
        self.view(&self.actor(&context.extensions).await?, &update.task_id).await.map(|_| ())
    }

    async fn cancel_task(
        &self,
        wanted: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        tasks::require_spoken(&context)?;
        self.cancel(&self.actor(&context.extensions).await?, &wanted.task_id).await
    }
}
