//! Language models, by tools called by name: over HTTP for whoever holds a token, over pipes for whoever has a shell.

use async_trait::async_trait;
use rackhand_agent::mcp::{self, Mcp};
use rackhand_core::{
    model::{ActorKind, Role},
    ops::Ops,
    secret::Secret,
    store::Engine,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf},
    sync::Mutex,
};

use super::{Call, Door, Outcome, Who, ground::with_ironic, keeps_to_the_table, of_problem, programs::secret};
use crate::{
    api::caller::{self, Caller},
    databases::Database,
    desk::Desk,
    mcp::tools::rpc,
};

const ROLES: [Role; 3] = [Role::Viewer, Role::Operator, Role::Admin];

#[tokio::test]
async fn over_mcp() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let (ops, _ironic) = with_ironic(&Desk::new(&db).await.ops).await;
    let door = caller::Door::open(&ops).await;
    for role in [None].into_iter().chain(ROLES.map(Some)) {
        let who = Who { door: "mcp", kind: ActorKind::Model, role };
        keeps_to_the_table(&ops, &who, &Web(door.caller(&secret(&ops, role).await)), 1).await;
    }
}

#[tokio::test]
async fn over_mcp_by_pipes() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let (ops, _ironic) = with_ironic(&Desk::new(&db).await.ops).await;
    for role in ROLES {
        let who = Who { door: "mcp pipes", kind: ActorKind::Model, role: Some(role) };
        keeps_to_the_table(&ops, &who, &Pipes::open(&ops, mcp::Caller::Shell(role)).await, 1).await;
        let token = mcp::Caller::Token(Secret::new(secret(&ops, Some(role)).await));
        keeps_to_the_table(&ops, &who, &Pipes::open(&ops, token).await, 1).await;
    }
    let who = Who { door: "mcp pipes", kind: ActorKind::Model, role: None };
    let stranger = mcp::Caller::Token(Secret::new(secret(&ops, None).await));
    keeps_to_the_table(&ops, &who, &Pipes::open(&ops, stranger).await, 1).await;
}

/// A model's client in front of the door over HTTP.
struct Web(Caller);

#[async_trait]
impl Door for Web {
    async fn ask(&self, call: &Call) -> Vec<Outcome> {
        let answered =
            rpc(&self.0, "tools/call", &json!({ "name": call.row.operation, "arguments": call.input })).await;
        let body = answered.json();
        vec![match answered.status.as_u16() {
            200 => outcome(call, &body),
            _ => of_problem(body["code"].as_str().unwrap(), call),
        }]
    }
}

fn outcome(call: &Call, answer: &Value) -> Outcome {
    let error = answer["error"]["message"].as_str();
    if error.is_some_and(|message| message.starts_with("nobody knows who asks")) {
        return Outcome::Nobody;
    }
    let result = &answer["result"]["structuredContent"];
    assert!(result.is_object(), "{}: {answer}", call.row.operation);
    if answer["result"]["isError"] == true {
        return of_problem(result["code"].as_str().unwrap(), call);
    }
    // What shows an approval has that id too.
    let asks = result["status"] == "awaiting_approval" && result["approval_id"].is_string();
    if asks { Outcome::Ask } else { Outcome::Run }
}

/// A model's client that started the server for itself: what it hears, and where it speaks.
struct Pipes(Mutex<(Heard, WriteHalf<DuplexStream>)>);

type Heard = Lines<BufReader<ReadHalf<DuplexStream>>>;

impl Pipes {
    async fn open(ops: &Ops, caller: mcp::Caller) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let server = Mcp::new(ops.clone(), caller);
        tokio::spawn(async move {
            let running = rmcp::serve_server(server, tokio::io::split(theirs)).await.unwrap();
            let _ = running.waiting().await;
        });
        let (read, write) = tokio::io::split(ours);
        let pipes = Self(Mutex::new((BufReader::new(read).lines(), write)));
        let me = json!({ "name": "test", "version": "1" });
        let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": me });
        pipes.call("initialize", &hello).await;
        pipes.write(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        pipes
    }

    async fn call(&self, method: &str, params: &Value) -> Value {
        self.write(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })).await;
        let line = self.0.lock().await.0.next_line().await.unwrap().expect("an answer");
        serde_json::from_str(&line).unwrap()
    }

    async fn write(&self, message: &Value) {
        self.0.lock().await.1.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }
}

#[async_trait]
impl Door for Pipes {
    async fn ask(&self, call: &Call) -> Vec<Outcome> {
        let params = json!({ "name": call.row.operation, "arguments": call.input });
        vec![outcome(call, &self.call("tools/call", &params).await)]
    }
}
