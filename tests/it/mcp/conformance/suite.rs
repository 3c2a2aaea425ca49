//! The suites of the protocol's makers, and what they find.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

/// Longest time of one run.
const PATIENCE: Duration = Duration::from_mins(3);

/// One edition of the suite. Editions check what they know of a revision each in its own way.
pub struct Suite {
    node: PathBuf,
    program: PathBuf,
}

/// What was found by a scenario: for each check that did not go well, what it said, and whether any went well.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub bad: Vec<String>,
    pub good: usize,
}

impl Found {
    /// Whether something was checked, and all of that is as it should be: also what only ought to be.
    pub fn passed(&self) -> bool {
        self.bad.is_empty() && self.good > 0
    }
}

impl Suite {
    /// The edition that was published for `revision`, among the `peers`.
    pub fn of(peers: &str, revision: &str) -> Self {
        let node = Path::new(peers).join("node/node_modules");
        let program = node.join(format!("conformance-{revision}/dist/index.js"));
        Self { node: node.join(".bin/node"), program }
    }

    /// The scenarios for servers, each with the revisions that it is for, or `extension`.
    pub async fn scenarios(&self) -> Vec<(String, String)> {
        let listed = self.run(&["list", "--server"], &TempDir::new().unwrap()).await;
        let lines = listed.lines().filter_map(|line| line.trim().strip_prefix("- "));
        let lines = lines.map(|line| line.split_once(' ').expect("a name and revisions"));
        lines.map(|(name, revisions)| (name.to_owned(), revisions.to_owned())).collect()
    }

    /// Runs every scenario of a revision.
    pub async fn all(&self, url: &str, revision: &str) -> BTreeMap<String, Found> {
        self.found(&["--url", url, "--suite", "all", "--spec-version", revision]).await
    }

    /// Runs one scenario.
    pub async fn one(&self, url: &str, scenario: &str) -> BTreeMap<String, Found> {
        self.found(&["--url", url, "--scenario", scenario]).await
    }

    async fn found(&self, args: &[&str]) -> BTreeMap<String, Found> {
        let results = TempDir::new().unwrap();
        let args = [&["server", "--output-dir", results.path().to_str().unwrap()], args].concat();
        self.run(&args, &results).await;
        let runs = std::fs::read_dir(results.path()).unwrap().map(|entry| entry.unwrap().path());
        runs.map(|run| (scenario_of(&run), found_in(&run))).collect()
    }

    async fn run(&self, args: &[&str], place: &TempDir) -> String {
        let mut run = Command::new(&self.node);
        run.arg(&self.program).args(args).env("HOME", place.path()).current_dir(place.path());
        let output = run.stdin(Stdio::null()).kill_on_drop(true).output();
        let output = tokio::time::timeout(PATIENCE, output).await.expect("an end").expect("node");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Results are in directories such as `server-ping-2026-11-21T16-45-59-123Z`.
fn scenario_of(run: &Path) -> String {
    const TIME: usize = "-2026-11-21T16-45-59-123Z".len();
    let name = run.file_name().unwrap().to_str().unwrap();
    name.strip_prefix("server-").and_then(|name| name.get(..name.len() - TIME)).expect("a scenario's name").to_owned()
}

/// A scenario that broke off has written nothing.
fn found_in(run: &Path) -> Found {
    let Ok(checks) = std::fs::read(run.join("checks.json")) else {
        return Found { bad: vec!["it broke off".to_owned()], good: 0 };
    };
    let mut found = Found::default();
    for check in serde_json::from_slice::<Vec<Value>>(&checks).expect("checks") {
        match check["status"].as_str().expect("a status") {
            // Every scenario looks at the form of messages beside what it is about.
            "SUCCESS" => found.good += usize::from(check["id"] != "wire-schema-valid"),
            status @ ("FAILURE" | "WARNING") => {
                let said = check["errorMessage"].as_str().or(check["details"]["message"].as_str()).unwrap_or_default();
                found.bad.push(format!("{status} {}: {said}", check["id"].as_str().unwrap_or_default()));
            }
            "INFO" | "SKIPPED" => {}
            other => panic!("an unknown status {other}"),
        }
    }
    found
}
