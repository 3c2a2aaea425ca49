//! Clients that others wrote, as tests/peers/mcp/client.py and tests/peers/mcp/client.mjs drive them.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::conformance::{NEW, OLD};
use crate::harness::{Peer, need, root};

/// What a client is built on, and which revision of the protocol it speaks with us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sdk {
    /// Python's `mcp` 1, which knows the older revision alone.
    PythonOld,
    /// Python's `mcp` 2.
    PythonNew,
    /// TypeScript's `@modelcontextprotocol/client`, which is told to speak the older revision.
    TypeScriptOld,
    /// TypeScript's `@modelcontextprotocol/client`, which finds out by itself what we speak.
    TypeScriptNew,
}

impl Sdk {
    /// Those of both languages and both revisions.
    pub const ALL: [Self; 4] = [Self::PythonOld, Self::PythonNew, Self::TypeScriptOld, Self::TypeScriptNew];

    /// The revision of the protocol that it speaks with us.
    pub const fn revision(self) -> &'static str {
        match self {
            Self::PythonOld | Self::TypeScriptOld => OLD,
            Self::PythonNew | Self::TypeScriptNew => NEW,
        }
    }

    /// The client's program, among the `peers`.
    fn program(self, peers: &Path) -> Command {
        let (interpreter, script) = match self {
            Self::PythonOld => ("1/bin/python", "client.py"),
            Self::PythonNew => ("2/bin/python", "client.py"),
            Self::TypeScriptOld | Self::TypeScriptNew => ("node/node_modules/.bin/node", "client.mjs"),
        };
        let mut command = Command::new(peers.join(interpreter));
        command.arg(root().join("tests/peers/mcp").join(script));
        command
    }
}

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(90);

/// A client with its connection. Dropped, it is killed.
pub struct Client {
    sdk: Sdk,
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
    pub async fn connect(sdk: Sdk, mut place: Value) -> Option<Self> {
        let peers = need(Peer::Mcp)?;
        let mut child = sdk
            .program(Path::new(&peers))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a client");
        let (input, output) = (child.stdin.take().expect("its input"), child.stdout.take().expect("its output"));
        let output = BufReader::new(output).lines();
        let (progress, asked) = (Vec::new(), Vec::new());
        let mut client = Self { sdk, _child: child, input, output, version: String::new(), progress, asked };
        if sdk == Sdk::TypeScriptOld {
            place["mode"] = json!("legacy");
        }
        let version = client.ask(&place).await.unwrap_or_else(|error| panic!("{sdk:?}: {error}"));
        version.as_str().expect("a version").clone_into(&mut client.version);
        Some(client)
    }

    /// Connects over HTTP with a token.
    pub async fn over_http(sdk: Sdk, root: &str, token: &str) -> Option<Self> {
        Self::connect(sdk, json!({ "url": format!("{root}/mcp"), "token": token })).await
    }

    /// Does one thing: its result, or the protocol's error.
    pub async fn ask(&mut self, what: &Value) -> Result<Value, Value> {
        self.input.write_all(format!("{what}\n").as_bytes()).await.expect("the client hears");
        loop {
            let line = tokio::time::timeout(PATIENCE, self.output.next_line()).await.expect("an answer in time");
            let line = line.expect("the client speaks").unwrap_or_else(|| panic!("{:?} died at {what}", self.sdk));
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
        self.ask(&what).await.unwrap_or_else(|error| panic!("{:?}: {name}: {error}", self.sdk))
    }

    /// Calls a tool that does it: the structured result, which the text says too.
    pub async fn good(&mut self, name: &str, arguments: Value) -> Value {
        let result = self.call(name, arguments).await;
        assert_eq!(result["isError"], false, "{:?}: {name}: {result}", self.sdk);
        let text = result["content"][0]["text"].as_str().expect("a text");
        assert_eq!(serde_json::from_str::<Value>(text).expect("JSON"), result["structuredContent"]);
        result["structuredContent"].clone()
    }

    /// Calls a tool that refuses: the problem.
    pub async fn problem(&mut self, name: &str, arguments: Value) -> Value {
        let result = self.call(name, arguments).await;
        assert_eq!(result["isError"], true, "{:?}: {name}: {result}", self.sdk);
        result["structuredContent"].clone()
    }

    /// The tools that it is shown.
    pub async fn tools(&mut self) -> Vec<Value> {
        let listed = self.ask(&json!({ "do": "list_tools" })).await.expect("a list");
        listed["tools"].as_array().expect("tools").clone()
    }
}
