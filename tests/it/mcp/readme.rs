//! The configurations that README gives for clients, used as they stand there.

use std::fs;

use rackhand_core::store::Engine;
use serde_json::{Value, json};

use super::client::{Client, Sdk};
use crate::{
    api::caller::Place,
    databases::Database,
    harness::{path_with_the_program, root},
};

/// The servers that README tells clients of: the one to start, and the one at an address.
fn configured() -> [Value; 2] {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let blocks = readme.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    let servers: Vec<Value> = blocks
        .filter(|block| block.contains("mcpServers"))
        .map(|block| serde_json::from_str::<Value>(block).unwrap()["mcpServers"]["rackhand"].take())
        .collect();
    servers.try_into().unwrap()
}

#[tokio::test]
async fn the_program_is_started_as_readme_says() {
    let [server, _] = configured();
    let words: Vec<&str> = server["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let typed = [&[server["command"].as_str().unwrap()], words.as_slice()].concat();
    // A machine of its own: where the program is installed, and configured.
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("rackhand.toml"), format!("data_dir = {:?}\n", dir.path().join("data"))).unwrap();
    let (at, path) = (dir.path().display().to_string(), format!("PATH={}", path_with_the_program()));
    let command = [&["env", "-C", &at, &path], typed.as_slice()].concat();
    let serving = ["env", "-C", &at, &path, "rackhand", "migrate"];
    assert!(std::process::Command::new(serving[0]).args(&serving[1..]).output().unwrap().status.success());
    let env = server.get("env").cloned().unwrap_or_default();
    for sdk in Sdk::ALL {
        let Some(mut client) = Client::connect(sdk, json!({ "command": command, "env": env })).await else {
            return;
        };
        assert_eq!(client.good("list_servers", json!({})).await["items"], json!([]));
        assert!(client.tools().await.iter().any(|tool| tool["name"] == "set_up_server"), "an operator's tools");
    }
}

#[tokio::test]
async fn the_address_is_called_as_readme_says() {
    let [_, server] = configured();
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    let url = server["url"].as_str().unwrap().replace("127.0.0.1:8080", &place.door.address.to_string());
    let token = server["headers"]["Authorization"].as_str().unwrap().strip_prefix("Bearer ").unwrap();
    assert!(token.starts_with("rh_") && place.viewer.secret.starts_with("rh_"), "{token}");
    for sdk in Sdk::ALL {
        let there = json!({ "url": url, "token": token.replace(token, &place.viewer.secret) });
        let Some(mut client) = Client::connect(sdk, there).await else { return };
        assert_eq!(client.good("list_servers", json!({})).await["items"], json!([]));
    }
}
