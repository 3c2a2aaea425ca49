//! A model's day: it asks for a rebuild, a person presses Approve, and the model follows how it goes.

use rackhand_core::clients::time4vps::TaskKind;
use serde_json::{Value, json};

use super::{
    client::{Client, Sdk},
    conformance::{OLD, address},
};
use crate::{
    e2e::world::{Running, World},
    harness::program,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_waits_for_a_press_and_is_followed_to_its_end() {
    let (world, running) = with_a_ready_server().await;

    for (rebuilt, sdk) in Sdk::ALL.into_iter().enumerate() {
        let Some(mut client) = connect(&world, &running, sdk).await else { return };
        assert_eq!(client.version, sdk.revision());
        assert!(client.asked.is_empty());
        // The handle is left out: the person at the client is asked for it, and the model goes on.
        let asked = client.good("rebuild_server", json!({})).await;
        // Over HTTP the older revision has no way to ask back; there the program is spoken to over its own pipes.
        assert_eq!(client.asked.len(), 1, "{:?}", client.asked);
        assert_eq!(client.asked[0]["requestedSchema"]["required"], json!(["handle"]));
        assert_eq!(asked["status"], "awaiting_approval");
        let approval = asked["approval_id"].as_str().unwrap().to_owned();

        let before = client.good("wait_for_operation", json!({ "id": approval, "wait_s": 1 })).await;
        assert_eq!((&before["status"], &before["done"]), (&json!("awaiting_approval"), &json!(false)));
        assert_eq!(world.effects(12, TaskKind::Reinstall), rebuilt, "nothing before the press");

        world.tap("Approve").await;
        let end = follow(&mut client, &approval).await;
        assert_eq!(end["status"], "succeeded", "{end}");
        assert!(end["job"].is_string() && end["approval"] == approval.as_str(), "{end}");
        assert_eq!(world.effects(12, TaskKind::Reinstall), rebuilt + 1);

        // Each step was told, once and in order.
        let told: Vec<f64> = client.progress.iter().map(|line| line["progress"].as_f64().unwrap()).collect();
        assert!(told.len() > 5, "{:?}", client.progress);
        let words: Vec<&str> = client.progress.iter().filter_map(|line| line["message"].as_str()).collect();
        assert!(words.iter().any(|word| word.starts_with("reinstall: ")), "{words:?}");
        let approvals = client.good("list_approvals", json!({ "limit": 1 })).await;
        let (asked_by, by) = (&approvals["items"][0]["requested_by"], &approvals["items"][0]["decided_by"]);
        assert!(asked_by.as_str().unwrap().starts_with("model ") && by == "@anna", "{approvals}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_refused_is_never_done() {
    let (world, running) = with_a_ready_server().await;
    for sdk in Sdk::ALL {
        let Some(mut client) = connect(&world, &running, sdk).await else { return };
        let asked = client.good("rebuild_server", json!({ "handle": "vps-12" })).await;
        world.tap("Refuse").await;
        let end = follow(&mut client, asked["approval_id"].as_str().unwrap()).await;
        assert_eq!((&end["status"], &end["job"]), (&json!("refused"), &Value::Null), "{end}");
    }
    assert_eq!(world.effects(12, TaskKind::Reinstall), 0);
}

/// A viewer at the program's own pipes, where nothing else is said.
#[tokio::test(flavor = "multi_thread")]
async fn the_shells_model_only_looks_unless_more_is_said() {
    let world = World::new().await;
    assert!(world.cli(&["migrate"]).status.success());
    for sdk in Sdk::ALL {
        let Some(mut client) = Client::connect(sdk, pipes(&world, &["mcp"])).await else { return };
        let tools = client.tools().await;
        assert!(tools.iter().all(|tool| tool["annotations"]["readOnlyHint"] == true), "{tools:?}");
        let problem = client.problem("rebuild_server", json!({ "handle": "vps-12" })).await;
        assert_eq!(problem["code"], "forbidden");
    }
}

/// A world with one server that is set up, and a door that is open.
pub async fn with_a_ready_server() -> (World, Running) {
    let world = World::new().await;
    world.set("RACKHAND_API_LISTEN", "127.0.0.1:0");
    world.set("RACKHAND_API_AUTH", "none");
    world.host(12);
    let running = world.start();
    world.first_admin(&running).await;
    world.manage("vps-12").await;
    world.wait("that it is ready", |shown| shown.iter().any(|m| m.text.contains("is ready"))).await;
    (world, running)
}

/// The older revision at the program's pipes, the newer one over HTTP; each with a person who knows the handle.
async fn connect(world: &World, running: &Running, sdk: Sdk) -> Option<Client> {
    let mut place = if sdk.revision() == OLD {
        pipes(world, &["mcp", "--role", "admin"])
    } else {
        json!({ "url": format!("{}/mcp", address(running).await) })
    };
    place["form"] = json!({ "handle": "vps-12" });
    Client::connect(sdk, place).await
}

fn pipes(world: &World, args: &[&str]) -> Value {
    let command: Vec<String> = [program("rackhand").display().to_string()]
        .into_iter()
        .chain(args.iter().map(|arg| (*arg).to_owned()))
        .collect();
    json!({ "command": command, "env": world.environment() })
}

/// Waits, with progress, until it is done.
async fn follow(client: &mut Client, id: &str) -> Value {
    for _ in 0..4 {
        let what = json!({ "do": "call", "name": "wait_for_operation", "arguments": { "id": id }, "progress": true });
        let result = client.ask(&what).await.unwrap();
        assert_eq!(result["isError"], false, "{result}");
        if result["structuredContent"]["done"] == true {
            return result["structuredContent"].clone();
        }
    }
    panic!("{id} never ended")
}
