//! The command line, by the program itself.

use std::{net::TcpListener, process::Output};

use rackhand_core::states::markdown;
use reqwest::Method;
use serde_json::Value;
use sqlx::{AnyConnection, Connection, Executor};

use super::world::World;
use crate::{
    api::caller::{Answered, Caller},
    harness::{assert_generated, root},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_sees_what_the_chat_does_and_the_audit_proves_it() {
    let world = World::new().await;
    world.host(267_179);
    let door = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    world.set("RACKHAND_API_LISTEN", door.to_string());
    let running = world.start();
    world.first_admin(&running).await;
    world.telegram.say(&world.admin, "/server vps-267179");
    world.tap("✅ Manage").await;
    world.wait("that it is ready", |shown| shown.iter().any(|m| m.text.contains("is ready"))).await;

    let servers = good(&world.cli(&["servers", "list"]));
    let line = servers.lines().find(|line| line.starts_with("vps-267179")).expect("the server");
    assert!(line.contains(" ready ") && line.contains(" yes "), "{servers}");

    let jobs: Value = serde_json::from_str(&good(&world.cli(&["jobs", "list", "--json"]))).expect("JSON");
    let job = &jobs["items"][0]["job"];
    assert_eq!((job["kind"].as_str(), job["status"].as_str()), (Some("provision_vps"), Some("succeeded")), "{jobs}");
    let id = job["id"].as_str().expect("its id");
    let story = good(&world.cli(&["jobs", "show", &id[id.len() - 8..]]));
    assert!(story.contains(id) && story.contains("vps-267179") && story.contains("succeeded"), "{story}");
    numbers_tell_of_it(&world, &format!("http://{door}")).await;
    let missing = world.cli(&["jobs", "show", "00000000"]);
    assert!(!missing.status.success() && !missing.stderr.is_empty(), "{missing:?}");

    assert!(good(&world.cli(&["audit", "verify"])).starts_with("the audit holds: "));
    sql(&world, "UPDATE audit SET actor = 'nobody' WHERE seq = 2").await;
    let broken = world.cli(&["audit", "verify"]);
    let words = String::from_utf8_lossy(&broken.stdout);
    assert!(broken.status.code() == Some(1) && words.contains("BROKEN"), "{broken:?}");
}

/// One server was set up, through every outside system.
async fn numbers_tell_of_it(world: &World, door: &str) {
    let made: Value =
        serde_json::from_str(&good(&world.cli(&["token", "create", "prometheus", "viewer", "--json"]))).expect("JSON");
    let prometheus = Caller::new(door, made["secret"].as_str().expect("a secret"));
    let text = Answered::of(prometheus.at(Method::GET, "/metrics")).await.text;
    let calls = |system| format!("outside_call_duration_seconds_count{{system=\"{system}\",code=\"ok\"}} ");
    let mut told: Vec<String> =
        ["time4vps", "ssh", "ansible", "telegram", "telegram-poll"].into_iter().map(calls).collect();
    told.push("server_provisioning_attempts_total{outcome=\"succeeded\"} 1\n".to_owned());
    told.push("server_provisioning_duration_seconds_count 1\n".to_owned());
    for line in told {
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
    assert!(
        !text.contains("vps-267179") && !text.contains("127.80."),
        "what is told of one server is no label\n{text}"
    );

    let ready = Answered::of(prometheus.at(Method::GET, "/readyz")).await.good(200);
    let provider = &ready["providers"][0];
    assert_eq!((provider["name"].as_str(), provider["away_since"].as_i64()), (Some("time4vps"), None), "{ready}");
    assert!(provider["answered_at"].is_i64(), "{ready}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tries_everything_and_names_every_problem_at_once() {
    let world = World::new().await;
    world.host(267_179);
    let said = good(&world.cli(&["check"]));
    for seen in ["configuration", "database", "master key", "telegram", "ssh key", "ansible", "time4vps: 1 servers"] {
        assert!(said.contains(&format!("  ok  {seen}")), "{said} has no {seen}");
    }
    assert!(!said.contains("BAD"), "{said}");

    // What can be read is tried, and each that fails is named.
    world.set("TIME4VPS_PASSWORD", "not this one");
    world.set("TELEGRAM_BOT_TOKEN", "1:not-this-one-either");
    bad(&world.cli(&["check"]), &[" BAD  telegram", " BAD  time4vps"]);

    world.set("RACKHAND_SYNC_INTERVAL_S", "soon");
    world.set("PROVISIONING_MAX_RETRIES", "-1");
    world.set("DATABASE_URL", "mysql://elsewhere");
    bad(&world.cli(&["check"]), &["RACKHAND_SYNC_INTERVAL_S", "PROVISIONING_MAX_RETRIES", "DATABASE_URL"]);
}

#[test]
fn the_states_are_printed() {
    assert_generated("docs/states.md", &markdown());
}

#[tokio::test]
async fn the_program_prints_what_is_checked_in() {
    let world = World::new().await;
    for (command, file) in [("states", "docs/states.md"), ("openapi", "docs/openapi.json")] {
        let printed = std::fs::read_to_string(root().join(file)).expect("a file");
        assert_eq!(good(&world.cli(&[command])), printed, "{file}");
    }
}

/// What a command says that ends well.
fn good(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// A command that fails, and says all of this.
fn bad(output: &Output, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(words.iter().all(|words| said.contains(words)), "{said} has not all of {words:?}");
}

/// What somebody with the database's own tools does to it.
async fn sql(world: &World, sql: &'static str) {
    sqlx::any::install_default_drivers();
    let url = format!("sqlite:{}", world.dir.path().join("data/rackhand.db").display());
    let mut connection = AnyConnection::connect(&url).await.expect("the database");
    let done = connection.execute(sql).await.expect("the change");
    assert_eq!(done.rows_affected(), 1);
}
