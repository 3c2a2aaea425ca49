//! A client of the revision 2026-07-28, byte by byte: every request says for itself what its sender understands.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::caller::{Answered, Caller};

/// A client of that revision.
#[derive(Clone)]
pub struct Later {
    caller: Caller,
    capabilities: Value,
}

impl Later {
    /// One that speaks of tasks.
    pub fn with_tasks(caller: &Caller) -> Self {
        let capabilities = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
        Self { caller: caller.clone(), capabilities }
    }

    /// One that knows the protocol alone.
    pub fn plain(caller: &Caller) -> Self {
        Self { caller: caller.clone(), capabilities: json!({}) }
    }

    /// The result, or the protocol's error.
    pub async fn ask(&self, method: &str, mut params: Value) -> Result<Value, Value> {
        let name = ["name", "taskId", "uri"].iter().find_map(|name| params[*name].as_str().map(str::to_owned));
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "later", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": self.capabilities,
        });
        let mut request = self
            .caller
            .at(Method::POST, "/mcp")
            .header("accept", "application/json, text/event-stream")
            .header("MCP-Protocol-Version", "2026-07-28")
            .header("Mcp-Method", method);
        if let Some(name) = name {
            request = request.header("Mcp-Name", name);
        }
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut answer = Answered::of(request.json(&body)).await.json();
        if answer["error"].is_null() { Ok(answer["result"].take()) } else { Err(answer["error"].take()) }
    }

    /// Calls a tool.
    pub async fn call(&self, name: &str, arguments: Value) -> Value {
        let params = json!({ "name": name, "arguments": arguments });
        self.ask("tools/call", params).await.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Calls a tool that becomes a task: its id.
    pub async fn begin(&self, name: &str, arguments: Value) -> String {
        let task = self.call(name, arguments).await;
        assert_eq!((&task["resultType"], &task["status"]), (&json!("task"), &json!("working")), "{task}");
        assert!(task["ttlMs"].is_null() && task["pollIntervalMs"].is_u64() && task.get("result").is_none(), "{task}");
        task["taskId"].as_str().unwrap().to_owned()
    }

    /// How a task stands.
    pub async fn task(&self, id: &str) -> Value {
        let task = self.ask("tasks/get", json!({ "taskId": id })).await.unwrap();
        assert_eq!((&task["resultType"], &task["taskId"]), (&json!("complete"), &json!(id)), "{task}");
        assert_eq!(task.get("result").is_some(), task["status"] == "completed", "{task}");
        task
    }
}
