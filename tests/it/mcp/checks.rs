//! That the clients check what they are answered: other tests lean on it.

use rackhand_agent::mcp::{self, Web};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ListToolsResult, PaginatedRequestParams,
        ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::client::{Client, Sdk};

/// A server whose one tool promises a number, and answers with whatever it is given.
#[derive(Clone)]
struct Echo;

impl ServerHandler for Echo {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let schema = json!({ "type": "object", "properties": { "n": { "type": "integer" } }, "required": ["n"] });
        let schema = schema.as_object().cloned().unwrap();
        let tool = Tool::new("echo", "Says it again", json!({ "type": "object" }).as_object().cloned().unwrap());
        Ok(ListToolsResult::with_all_items(vec![tool.with_raw_output_schema(schema.into())]))
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        Ok(CallToolResult::structured(Value::Object(call.arguments.unwrap_or_default())).into())
    }
}

#[tokio::test]
async fn an_answer_that_is_not_what_its_schema_says_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let web = Web { listen: address, hosts: Vec::new(), origins: Vec::new() };
    let router = axum::Router::new().nest_service("/mcp", mcp::service_of(Echo, &web, stop.clone()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    for sdk in Sdk::ALL {
        let Some(mut client) = Client::over_http(sdk, &format!("http://{address}"), "").await else { return };
        assert_eq!(client.good("echo", json!({ "n": 1 })).await, json!({ "n": 1 }));
        for bad in [json!({ "n": "one" }), json!({})] {
            let answer = client.ask(&json!({ "do": "call", "name": "echo", "arguments": bad })).await;
            assert!(answer.is_err(), "{sdk:?} takes {bad}: {answer:?}");
        }
    }
}
