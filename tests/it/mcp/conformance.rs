//! The protocol's own conformance suites, of two revisions, against the real program.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::process::Command;

use crate::{
    e2e::world::{Running, World, eventually},
    harness::{Peer, SOON, need},
};

/// Those scenarios of each suite that need no tools, prompts and resources made for the suite.
const SUITES: [(&str, &[&str]); 2] = [
    (
        "2025-11-25",
        &[
            "server-initialize",
            "ping",
            "completion-complete",
            "tools-list",
            "resources-list",
            "prompts-list",
            "server-sse-polling",
            "server-sse-multiple-streams",
            "dns-rebinding-protection",
        ],
    ),
    (
        "2026-07-28",
        &[
            "server-initialize",
            "server-session-lifecycle",
            "ping",
            "completion-complete",
            "tools-list",
            "resources-list",
            "prompts-list",
            "server-sse-polling",
            "server-sse-multiple-streams",
            "dns-rebinding-protection",
            "caching",
            "http-header-validation",
            "sep-2164-resource-not-found",
            "input-required-result-unsupported-methods",
            "input-required-result-missing-input-response",
            "input-required-result-ignore-extra-params",
            "input-required-result-validate-input",
        ],
    ),
];

/// Longest time of one scenario.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn the_scenarios_that_apply_pass() {
    let Some(peers) = need(Peer::Mcp) else { return };
    let node = Path::new(&peers).join("node/node_modules");
    let world = World::new().await;
    world.set("RACKHAND_API_LISTEN", "127.0.0.1:0");
    world.set("RACKHAND_API_AUTH", "none");
    world.set("RACKHAND_API_REQUESTS_PER_MINUTE", "100000");
    let running = world.start();
    let url = format!("{}/mcp", address(&running).await);
    let mut failed = Vec::new();
    for (revision, scenarios) in SUITES {
        let suite = node.join(format!("conformance-{revision}/dist/index.js"));
        for scenario in scenarios {
            let run = Command::new(node.join(".bin/node"))
                .arg(&suite)
                .args(["server", "--url", &url, "--scenario", scenario])
                .env("HOME", world.dir.path())
                .current_dir(world.dir.path())
                .stdin(Stdio::null())
                .kill_on_drop(true)
                .output();
            let output = tokio::time::timeout(PATIENCE, run).await.expect("an end").expect("node");
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stdout).into_owned();
                failed.push(format!("{revision} {scenario}:\n{said}{}", String::from_utf8_lossy(&output.stderr)));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Where the program's door for programs is: it says so in its log.
pub async fn address(running: &Running) -> String {
    let found = eventually(SOON, async || {
        let log = std::fs::read_to_string(&running.log).ok()?;
        let line = log.lines().find(|line| line.contains("REST: http://"))?;
        let address = line.split("REST: ").nth(1)?.split("/api").next()?;
        Some(address.to_owned())
    });
    found.await.expect("the door")
}
