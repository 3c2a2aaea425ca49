//! The program at its own pipes: whose token it holds, what is too long to be kept, and what is called off.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Stdio},
    time::Duration,
};

use rackhand_core::{states::ServerStatus, store::Engine};
use serde_json::{Value, json};

use super::web::FORGED;
use crate::{
    api::caller::client,
    cli::Machine,
    databases::Database,
    e2e::world::eventually,
    harness::{SOON, assert_is_clean},
};

/// `rackhand mcp` with a client that has said hello.
struct Pipes {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    log: PathBuf,
}

impl Pipes {
    fn open(machine: &Machine, dir: &Path, token: &str) -> Self {
        let log = dir.join("log");
        let mut command = machine.command(&["mcp"]);
        command.env("RACKHAND_TOKEN", token).env("RACKHAND_LOG", "trace");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(std::fs::File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut pipes = Self { child, input, output, log };
        let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "c", "version": "1" } });
        assert_eq!(pipes.ask("initialize", &hello)["result"]["protocolVersion"], "2025-11-25");
        pipes.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        pipes
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.input, "{message}").unwrap();
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.say(&json!({ "jsonrpc": "2.0", "id": method, "method": method, "params": params }));
        self.answer()
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}: {}", self.log()))
    }

    fn call(&mut self, name: &str, arguments: &Value) -> Value {
        self.ask("tools/call", &json!({ "name": name, "arguments": arguments }))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Pipes {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_token_says_who_asks_for_as_long_as_it_is_worth_something() {
    let machine = Machine::new(Database::fresh(Engine::Sqlite).await.unwrap());
    let dir = tempfile::tempdir().unwrap();
    machine.server(1, ServerStatus::Ready, true).await;
    let mut viewer = Pipes::open(&machine, dir.path(), &machine.token("looks", "viewer"));
    let tools = viewer.ask("tools/list", &json!({}))["result"]["tools"].take();
    assert!(tools.as_array().unwrap().iter().all(|tool| tool["annotations"]["readOnlyHint"] == true), "{tools}");
    let refused = viewer.call("set_up_server", &json!({ "handle": "vps-1" }));
    assert_eq!(refused["result"]["structuredContent"]["code"], "forbidden", "{refused}");
    let shown = viewer.call("show_server", &json!({ "handle": "vps-1" }));
    assert_eq!(shown["result"]["structuredContent"]["server"]["handle"], "vps-1", "{shown}");
    assert_eq!(machine.here(&["token", "revoke", "looks"]).code, 0);
    for method in ["tools/list", "resources/list"] {
        let nobody = viewer.ask(method, &json!({}));
        assert!(nobody["error"]["message"].as_str().unwrap().contains("revoked"), "{nobody}");
    }
}

#[tokio::test]
async fn malformed_lines_are_answered_or_passed_over_and_leave_a_clean_log() {
    let machine = Machine::new(Database::fresh(Engine::Sqlite).await.unwrap());
    let dir = tempfile::tempdir().unwrap();
    let mut admin = Pipes::open(&machine, dir.path(), &machine.token("hands", "admin"));
    for name in FORGED {
        let uri = format!("server://{name}");
        for (method, params) in [
            (name, json!({})),
            ("tools/call", json!({ "name": name })),
            ("resources/read", json!({ "uri": uri })),
            ("prompts/get", json!({ "name": name })),
        ] {
            let answered = admin.ask(method, &params);
            assert!(answered["error"]["code"].as_i64().is_some_and(|code| code < 0), "{answered}");
        }
        let shown = admin.call("show_server", &json!({ "handle": name }));
        assert_eq!(shown["result"]["isError"], true, "{shown}");
    }
    // No messages at all: some are answered, with no id.
    for name in FORGED {
        for line in [name.to_owned(), json!(name).to_string(), json!({ "jsonrpc": "2.0", "method": name }).to_string()]
        {
            writeln!(admin.input, "{line}").unwrap();
        }
    }
    let mut listed = admin.ask("tools/list", &json!({}));
    while listed["id"] != "tools/list" {
        assert!(listed["error"].is_object(), "{listed}");
        listed = admin.answer();
    }
    assert!(listed["result"]["tools"].is_array(), "{listed}");
    let log = admin.log();
    assert!(log.contains("202e"), "the log tells of what came:\n{log}");
    assert_is_clean(&log);
}

#[tokio::test]
async fn a_secret_that_a_model_passes_on_is_in_no_log_however_much_it_tells() {
    let machine = Machine::new(Database::fresh(Engine::Sqlite).await.unwrap());
    let dir = tempfile::tempdir().unwrap();
    let token = machine.token("enrols", "admin");
    let bmc = json!({ "address": "http://127.0.0.1:1", "username": "root", "password": "canary-of-a-bmc" });
    let wish = json!({ "name": "n", "bmc": bmc });
    let mut piped = Pipes::open(&machine, dir.path(), &token);
    let refused = piped.call("enrol_node", &wish);
    assert_eq!(refused["result"]["isError"], true, "no Ironic is there: {refused}");
    let serving = machine.serve_saying("trace").await;
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "enrol_node", "arguments": wish },
    });
    let request = client().post(format!("{}/mcp", serving.url)).bearer_auth(&token).json(&call);
    let request = request.header("Accept", "application/json, text/event-stream");
    let answered = request.header("MCP-Protocol-Version", "2025-11-25").send().await.unwrap();
    assert_eq!(answered.json::<Value>().await.unwrap()["result"]["isError"], true);
    for log in [piped.log(), serving.log()] {
        assert!(log.contains("enrol_node") && !log.contains("canary-of-a-bmc"), "{log}");
    }
}

#[tokio::test]
async fn what_is_called_off_ends_at_once_and_what_is_too_long_ends_the_connection() {
    let machine = Machine::new(Database::fresh(Engine::Sqlite).await.unwrap());
    let dir = tempfile::tempdir().unwrap();
    machine.server(1, ServerStatus::PendingSetup, true).await;
    let mut operator = Pipes::open(&machine, dir.path(), &machine.token("does", "operator"));
    let begun = operator.call("set_up_server", &json!({ "handle": "vps-1" }));
    let job = &begun["result"]["structuredContent"]["job"];
    let wait = json!({ "name": "wait_for_operation", "arguments": { "id": job, "wait_s": 50 } });
    operator.say(&json!({ "jsonrpc": "2.0", "id": "slow", "method": "tools/call", "params": wait }));
    // It answers others meanwhile, and is heard itself before it is called off.
    assert_eq!(
        operator.call("get_operation", &json!({ "id": job }))["result"]["structuredContent"]["status"],
        "queued"
    );
    let cancelled = json!({ "requestId": "slow", "reason": "enough" });
    operator.say(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled }));
    // Long before its fifty seconds are over.
    let soon = Duration::from_secs(25);
    let over = eventually(soon, async || operator.log().contains("waits no longer").then_some(())).await;
    assert!(over.is_some(), "{}", operator.log());
    let after = operator.call("get_operation", &json!({ "id": job }));
    assert_eq!(after["id"], "tools/call", "what was called off is not answered: {after}");

    // A message may be nearly that long.
    operator.input.write_all(&vec![b' '; 2_000_000]).unwrap();
    operator.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    assert!(operator.call("show_status", &json!({}))["result"].is_object());
    let piece = vec![b'x'; 1 << 20];
    let taken = (0..64).take_while(|_| operator.input.write_all(&piece).is_ok()).count();
    assert!((2..=3).contains(&taken), "{taken} MiB of one line were taken");
    let ended = eventually(SOON, async || operator.child.try_wait().unwrap()).await.expect("it ends");
    assert!(!ended.success() && operator.log().contains("a line of more than 2097152 bytes"), "{}", operator.log());
}
