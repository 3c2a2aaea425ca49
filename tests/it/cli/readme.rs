//! What README has a newcomer type to try REST, typed as it stands there.

use std::{fs, net::TcpListener};

use rackhand_core::{states::ServerStatus, store::Engine};
use serde_json::{Value, json};

use super::Machine;
use crate::{databases::Database, harness::root};

/// The lines that README shows under REST, for a shell.
fn lines() -> String {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let section = readme.split("\n## REST\n").nth(1).unwrap();
    section.split("```").nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn rest_is_tried_as_readme_says() {
    let machine = Machine::new(Database::fresh(Engine::Sqlite).await.unwrap());
    machine.server(267_179, ServerStatus::PendingSetup, false).await;
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let typed = lines().replace("8080", &port.to_string());
    assert!(typed.contains("serve --only api &") && typed.matches("curl").count() == 2, "{typed}");
    // A person waits until it serves; and one answer is told from the next.
    let patient =
        typed.replace("curl ", "echo; curl -sS --retry 60 --retry-delay 1 --retry-connrefused --max-time 60 ");
    let ended = machine.shell(&format!("trap 'kill $!' EXIT\n{patient}"));

    let answers: Vec<Value> = ended
        .out
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [listed, started] = &answers[..] else { panic!("{ended:?}") };
    assert_eq!((ended.code, &listed["items"][0]["handle"]), (0, &json!("vps-267179")), "{ended:?}");
    let jobs = machine.here(&["jobs", "list", "--json"]).json();
    assert_eq!(jobs["items"][0]["job"]["id"], started["job"], "{jobs} {started}");
}
