//! The door for language models: the Model Context Protocol, over standard input and output and over HTTP.
//!
//! Tools are made from the table of operations, by the role of whoever calls; a model never does more than its
//! principal, and what destroys always waits for a person. Nothing here approves anything.

mod call;
mod caller;
mod complete;
mod elicit;
mod http;
mod prompts;
mod read;
mod resources;
mod stdio;
mod tools;
mod wait;

use rackhand_core::{model::Actor, ops::Ops};
use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, Extensions,
        GetPromptRequestParams, GetPromptResponse, Implementation, ListPromptsResult, ListResourceTemplatesResult,
        ListResourcesResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
        ServerCapabilities, ServerConfig,
    },
    service::RequestContext,
};

pub use self::{
    caller::Caller,
    http::{Service, Web, service, service_of},
    stdio::serve_stdio,
};
pub use rmcp::ServerHandler;

/// What every client is told at its start.
const INSTRUCTIONS: &str = "Rackhand looks after a fleet of servers. Tools that start long work answer with a job's id, \
    tools that destroy with an approval's id: a person has to approve in the chat, and no tool can. Follow either with \
    wait_for_operation, or ask get_operation. Servers are named by handles such as vps-267179.";

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
        let capabilities =
            ServerCapabilities::builder().enable_tools().enable_resources().enable_prompts().enable_completions();
        let me = Implementation::new("rackhand", env!("CARGO_PKG_VERSION")).with_title("Rackhand");
        ServerConfig::new(capabilities.build()).with_server_info(me).with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::offered_to(&self.actor(&context.extensions).await?)))
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
}
