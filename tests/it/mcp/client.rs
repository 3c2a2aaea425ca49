//! A client of two generations, as tests/peers/mcp/client.py drives it.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::harness::{Peer, need, root};

/// Each generation, with the revision of the protocol that it speaks with us.
pub const GENERATIONS: [(u8, &str); 2] = [(1, "2025-11-25"), (2, "2026-07-28")];

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(90);

/// A client with its connection. Dropped, it is killed.
pub struct Client {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// The revision of the protocol that was agreed on.
    pub version: String,
    /// What was told of progress, oldest first.
    pub progress: Vec<Value>,
    /// The forms that the person at the client was asked to fill in.
    pub asked: Vec<Value>,
}

impl Client {
    /// Connects to the server that `place` says; none where this run has no clients.
    pub async fn connect(generation: u8, place: Value) -> Option<Self> {
        let peers = need(Peer::Mcp)?;
        let mut child = Command::new(Path::new(&peers).join(format!("{generation}/bin/python")))
            .arg(root().join("tests/peers/mcp/client.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a client");
        let (input, output) = (child.stdin.take().expect("its input"), child.stdout.take().expect("its output"));
        let output = BufReader::new(output).lines();
        let (progress, asked) = (Vec::new(), Vec::new());
        let mut client = Self { _child: child, input, output, version: String::new(), progress, asked };
        let version = client.ask(&place).await.expect("a connection");
        version.as_str().expect("a version").clone_into(&mut client.version);
        Some(client)
    }

    /// Connects over HTTP with a token.
    pub async fn over_http(generation: u8, root: &str, token: &str) -> Option<Self> {
        Self::connect(generation, json!({ "url": format!("{root}/mcp"), "token": token })).await
    }

    /// Does one thing: its result, or the protocol's error.
    pub async fn ask(&mut self, what: &Value) -> Result<Value, Value> {
        self.input.write_all(format!("{what}\n").as_bytes()).await.expect("the client hears");
        loop {
            let line = tokio::time::timeout(PATIENCE, self.output.next_line()).await.expect("an answer in time");
            let line = line.expect("the client speaks").unwrap_or_else(|| panic!("the client died at {what}"));
            let mut line: Value = serde_json::from_str(&line).expect("JSON");
            if line.get("progress").is_some() {
                self.progress.push(line);
            } else if line.get("asked").is_some() {
                self.asked.push(line["asked"].take());
            } else if line.get("error").is_some() {
                return Err(line["error"].take());
            } else {
                return Ok(line["ok"].take());
            }
        }
    }

    /// Calls a tool: its result, good or bad. The client checks a good one against the tool's schema.
    pub async fn call(&mut self, name: &str, arguments: Value) -> Value {
        let what = json!({ "do": "call", "name": name, "arguments": arguments });
        self.ask(&what).await.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Calls a tool that does it: the structured result, which the text says too.
    pub async fn good(&mut self, name: &str, arguments: Value) -> Value {
        let result = self.call(name, arguments).await;
        assert_eq!(result["isError"], false, "{name}: {result}");
        let text = result["content"][0]["text"].as_str().expect("a text");
        assert_eq!(serde_json::from_str::<Value>(text).expect("JSON"), result["structuredContent"]);
        result["structuredContent"].clone()
    }

    /// Calls a tool that refuses: the problem.
    pub async fn problem(&mut self, name: &str, arguments: Value) -> Value {
        let result = self.call(name, arguments).await;
        assert_eq!(result["isError"], true, "{name}: {result}");
        result["structuredContent"].clone()
    }

    /// The tools that it is shown.
    pub async fn tools(&mut self) -> Vec<Value> {
        let listed = self.ask(&json!({ "do": "list_tools" })).await.expect("a list");
        listed["tools"].as_array().expect("tools").clone()
    }
}
