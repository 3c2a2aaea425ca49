//! The same nodes through every door of one running program: what does not go over REST, the day of models at
//! several MCP clients, and the command line here and over REST.

use rackhand_core::clients::ironic::{Node, Patch};
use serde_json::{Value, json};

use super::{
    between::Harm,
    lab::IMAGE,
    site::{Site, once, provision},
};
use crate::{
    api::caller::{Answered, Caller},
    cli::{Ended, bare, ended},
    e2e::eventually,
    harness::SOON,
    mcp::client::{Client, Sdk},
};

/// The clients of the models. A day is long, and the nodes are free or taken for all: one after another, one client of
/// each language and of each revision.
const MODELS: [Sdk; 2] = [Sdk::TypeScriptOld, Sdk::PythonNew];

/// What Ironic says of a node that no conductor takes care of.
const NO_CONDUCTOR: &str = include_str!("../../../core/src/clients/ironic/fixtures/no_conductor.json");

#[tokio::test(flavor = "multi_thread")]
async fn every_door_leads_to_the_same_nodes() {
    let Some(site) = Site::new().await else { return };
    let program = site.program("admin");
    let locked = locked(&site).await;
    let busy_wish = json!({ "image_id": IMAGE, "server_id": locked.uuid });
    let busy = async {
        // Waited for as long as it takes to say so, while the other doors are used.
        let answered = provision(&program, busy_wish).await;
        let problem = answered.problem(409, "node-busy");
        assert_eq!(problem["detail"], format!("Server {} is busy", locked.uuid));
        assert_eq!(answered.header("retry-after"), "10");
        let left = site.lab.ironic.node(&locked.uuid).await.unwrap();
        assert_eq!(left.instance_uuid, None, "nobody has it");
    };
    let others = async {
        troubles_over_rest(&site, &program).await;
        let models = async {
            for sdk in MODELS {
                Box::pin(a_models_day(&site, &program, sdk)).await;
            }
        };
        tokio::join!(models, at_the_command_line(&site, &program));
    };
    tokio::join!(busy, others);
}

/// A node that nobody gets who does not name it.
async fn named(site: &Site, script: Value) -> Node {
    let node = site.lab.node(script).await;
    let kind = format!("{}-named", site.lab.class);
    site.lab.patch(&node.uuid, &[Patch::add("/resource_class", kind)]).await
}

/// A node whose conductor is at work for longer than anybody waits.
async fn locked(site: &Site) -> Node {
    let node = named(site, json!({ "power_s": 30 })).await;
    let url = crate::harness::need(crate::harness::Peer::Ironic).unwrap();
    let power = crate::api::caller::client().put(format!("{url}/v1/nodes/{}/states/power", node.uuid));
    let power = power.header("X-OpenStack-Ironic-API-Version", "1.56").json(&json!({ "target": "power on" }));
    assert_eq!(power.send().await.unwrap().status(), 202);
    node
}

/// What Ironic says of an image that is called xyz.
const NO_IMAGE: &str = "Validation of image href xyz failed, reason: Scheme-less image href is not a UUID.";

/// The same, said of the field of the request.
fn no_image_errors() -> Value {
    json!([{ "path": "image_id", "code": "image-unknown", "message": NO_IMAGE }])
}

async fn troubles_over_rest(site: &Site, program: &Caller) {
    let (node, taken) = tokio::join!(
        site.lab.node(json!({ "validate_error": "Image xyz could not be found." })),
        site.lab.active(json!({})),
    );
    let (id, used) = (node.name.unwrap(), taken.name.unwrap());
    let provision = async |id: &str| provision(program, json!({ "image_id": "xyz", "server_id": id })).await;
    let unprovision = async |id: &str| program.post("/unprovision", &json!({ "server_id": id })).await;
    let says = |answered: &Answered, status: u16, code: &str, words: &str| {
        assert_eq!(answered.problem(status, code)["detail"], words);
    };
    for unknown in ["nope", "00000000-0000-4000-8000-000000000000", "é/../x"] {
        let words = format!("Server {unknown} not found");
        says(&provision(unknown).await, 404, "node-unknown", &words);
        says(&unprovision(unknown).await, 404, "node-unknown", &words);
    }
    says(&program.get("/provision/nope").await, 404, "node-unknown", "Server nope not found");
    says(&program.get("/unprovision/nope").await, 404, "node-unknown", "Server nope not found");
    says(&program.get("/nodes/nope").await, 404, "node-unknown", "Server nope not found");
    let not_free = format!("Server {used} is not available for provisioning");
    says(&provision(&used).await, 409, "node-not-available", &not_free);
    let wish = json!({ "image_id": IMAGE, "resource_class": "no-such-kind" });
    let no_match = super::site::provision(program, wish).await;
    says(&no_match, 404, "node-none-matches", "No available servers matching criteria");
    let no_image = provision(&id).await;
    says(&no_image, 400, "image-unknown", "Image xyz not found");
    assert_eq!(no_image.json()["errors"], no_image_errors(), "{no_image:?}");
    let unused = format!("Server {id} is not in a provisionable state");
    says(&unprovision(&id).await, 409, "node-not-provisioned", &unused);
    for (method, end) in [("GET", id.as_str()), ("PATCH", node.uuid.as_str()), ("GET", "/validate")] {
        site.lab.between.harm(method, end, Harm::Status(500));
        says(&provision(&id).await, 502, "ironic-away", "Failed to communicate with Ironic");
    }
    for (method, end, status) in [("PATCH", node.uuid.as_str(), 400), ("GET", "/validate", 404)] {
        site.lab.between.harm(method, end, Harm::Answer(status, NO_CONDUCTOR));
        says(&provision(&id).await, 502, "ironic-away", "Failed to communicate with Ironic");
    }
    for path in ["/nodes", "/nodes/x", "/provision/x", "/unprovision/x"] {
        let end = if path == "/nodes" { "/v1/nodes" } else { "/x" };
        site.lab.between.harm("GET", end, Harm::Status(503));
        says(&program.get(path).await, 502, "ironic-away", "Failed to communicate with Ironic");
    }
    assert_eq!(site.lab.reserved().await, 1, "what failed is given back");
    site.lab.patch(&node.uuid, &[Patch::add("/maintenance", true)]).await;
}

/// A model provisions in every way, and takes one down again with a person's yes, all in results that fit their schemas.
async fn a_models_day(site: &Site, program: &Caller, sdk: Sdk) {
    let Some(mut model) = Client::over_http(sdk, &site.root, &program.secret).await else { return };
    let (one, two, three, four) = tokio::join!(
        site.lab.node(json!({ "wait_s": 1, "tear_down_s": 1, "clean_s": 2, "clean_wait_s": 1 })),
        site.lab.node(json!({})),
        site.lab.node(json!({})),
        site.lab.node(json!({ "deploy": "fail", "message": "no disk found" })),
    );
    let listed = model.good("list_nodes", json!({ "resource_class": site.lab.class, "limit": 500 })).await;
    let listed = listed["items"].as_array().unwrap();
    assert!([&one, &two, &three, &four].iter().all(|node| listed.iter().any(|it| it["uuid"] == json!(node.uuid))));
    let shown = model.good("get_node", json!({ "node": one.name })).await;
    assert_eq!((&shown["uuid"], &shown["free"]), (&json!(one.uuid), &json!(true)));

    let mut wish = async |more: Value| {
        let mut wish = json!({ "image_id": IMAGE });
        wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        model.good("provision_server", wish).await["operation_id"].as_str().unwrap().to_owned()
    };
    assert_eq!(wish(json!({ "server_id": four.uuid })).await, four.uuid);
    let drive = json!({ "meta_data": { "hostname": "h" } });
    assert_eq!(wish(json!({ "server_id": one.name, "config_drive": drive })).await, one.uuid);
    let chosen = [wish(json!({ "resource_class": site.lab.class })).await, wish(json!({})).await];
    assert!(chosen[0] != chosen[1] && chosen.iter().all(|id| [&two.uuid, &three.uuid].contains(&id)), "{chosen:?}");
    let free = named(site, json!({})).await;
    let no_image = model.problem("provision_server", json!({ "image_id": "xyz", "server_id": free.uuid })).await;
    assert_eq!((&no_image["code"], &no_image["errors"]), (&json!("image-unknown"), &no_image_errors()), "{no_image}");
    let none = model.problem("provision_server", json!({ "image_id": IMAGE })).await;
    assert_eq!((&none["code"], &none["status"]), (&json!("node-none-matches"), &json!(404)));
    for (node, status) in [(&one, "completed"), (&two, "completed"), (&four, "failed")] {
        let told = until(&mut model, "check_provision_status", &node.uuid, status).await;
        assert_eq!(told["message"].as_str().unwrap().contains("no disk found"), status == "failed", "{told}");
    }

    let asked = model.good("unprovision_server", json!({ "server_id": one.name })).await;
    assert_eq!(asked["status"], "awaiting_approval");
    let id = asked["approval_id"].as_str().unwrap().to_owned();
    let stands = model.good("get_operation", json!({ "id": id })).await;
    assert_eq!((&stands["status"], &stands["done"]), (&json!("awaiting_approval"), &json!(false)));
    for name in [&id, &one.uuid] {
        let waits = model.good("check_unprovision_status", json!({ "operation_id": name })).await;
        assert_eq!(waits["status"], "awaiting_approval", "{waits}");
    }
    site.answer(&one.uuid, "Approve").await;
    let what = json!({ "do": "call", "name": "wait_for_operation", "arguments": { "id": id }, "progress": true });
    let ended = model.ask(&what).await.unwrap()["structuredContent"].take();
    assert_eq!((&ended["status"], &ended["approval"]), (&json!("succeeded"), &json!(id)), "{ended}");
    assert!(ended["message"].as_str().unwrap().contains("Ironic cleaned it"), "{ended}");
    let words: Vec<&str> = model.progress.iter().filter_map(|line| line["message"].as_str()).collect();
    assert!(words.iter().any(|word| word.starts_with("await_available: clean")), "{words:?}");
    let told = model.good("check_unprovision_status", json!({ "operation_id": id })).await;
    assert_eq!((&told["status"], &told["provision_state"]), (&json!("completed"), &json!("available")));
    let again = model.problem("unprovision_server", json!({ "server_id": one.uuid })).await;
    assert_eq!((&again["code"], &again["status"]), (&json!("node-not-provisioned"), &json!(409)));
    // The next one to look for a free node does not find this one.
    site.lab.patch(&one.uuid, &[Patch::add("/maintenance", true)]).await;
}

/// What a status tool tells once it is this.
async fn until(model: &mut Client, tool: &str, id: &str, status: &str) -> Value {
    let found = eventually(SOON, async || {
        let told = model.good(tool, json!({ "operation_id": id })).await;
        (told["status"] == status).then_some(told)
    });
    found.await.unwrap_or_else(|| panic!("{id} is never {status}"))
}

async fn at_the_command_line(site: &Site, program: &Caller) {
    let node = named(site, json!({})).await;
    let (name, kind) = (node.name.unwrap(), node.resource_class.unwrap());
    let here = |args: &[&str]| ended(&site.world.cli(args));
    let command = |args: &[&str]| {
        let mut command = bare(args);
        command.env("RACKHAND_URL", &program.root).env("RACKHAND_TOKEN", &program.secret);
        command.current_dir(site.world.dir.path());
        command
    };
    let there = |args: &[&str]| ended(&command(args).output().unwrap());
    let both = |args: &[&str]| {
        let (one, other) = (here(args), there(args));
        assert_eq!(one, other, "{args:?}");
        one
    };
    let list = both(&["nodes", "list", "--resource-class", &kind]).out;
    assert!(list.starts_with("NODE") && list.contains(&name) && list.contains("available"), "{list}");
    let shown = both(&["nodes", "show", &name, "--json"]).json();
    assert_eq!((&shown["uuid"], &shown["provision_state"]), (&json!(node.uuid), &json!("available")));
    let free = named(site, json!({})).await.name.unwrap();
    let no_image = both(&["nodes", "provision", "xyz", "--server-id", &free]);
    let words = format!("Image xyz not found: {NO_IMAGE}");
    assert!(no_image.code == 2 && no_image.err.contains(&words), "{no_image:?}");
    let wrong: &[(&[&str], i32, &str)] = &[
        (&["nodes", "show", "nope"], 4, "Server nope not found"),
        (&["nodes", "provision", IMAGE, "--resource-class", "no-such-kind"], 4, "No available servers"),
        (&["nodes", "provision-status", &name], 6, "nothing provisions it"),
        (&["nodes", "unprovision", &name], 6, "not in a provisionable state"),
    ];
    for (turn, (args, code, words)) in wrong.iter().enumerate() {
        let said: Ended = if turn % 2 == 0 { here(args) } else { there(args) };
        assert!(said.code == *code && said.err.contains(words) && said.out.is_empty(), "{args:?}: {said:?}");
    }

    let begun = there(&["nodes", "provision", IMAGE, "--server-id", &name, "--json"]).json();
    assert_eq!(begun["operation_id"], json!(node.uuid));
    once(program, &format!("/provision/{}", node.uuid), "completed").await;
    let told = here(&["nodes", "provision-status", &name, "--json"]).json();
    assert_eq!((&told["status"], &told["progress_percent"]), (&json!("completed"), &json!(100)));

    let asked = both(&["nodes", "unprovision", &name]);
    for words in ["unprovision_server: ", &node.uuid, "LOST FOR GOOD", "Nothing has happened yet"] {
        assert!(asked.code == 5 && asked.out.contains(words), "{words}: {asked:?}");
    }
    site.answer(&node.uuid, "Refuse").await;
    let mut follow = command(&["nodes", "unprovision", &name, "--follow"]);
    let following = tokio::task::spawn_blocking(move || ended(&follow.output().unwrap()));
    site.answer(&node.uuid, "Approve").await;
    let followed = following.await.unwrap();
    assert!(followed.code == 0 && followed.out.contains("await_available"), "{followed:?}");
    assert!(followed.out.contains("succeeded: available again"), "{followed:?}");
    let free = here(&["nodes", "unprovision-status", &node.uuid, "--json"]).json();
    assert_eq!((&free["status"], &free["provision_state"]), (&json!("completed"), &json!("available")));
}
