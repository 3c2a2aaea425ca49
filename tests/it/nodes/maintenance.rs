//! What Ironic keeps out of use, and how it comes back, over REST and at the command line of the running program.

use rackhand_core::clients::ironic::Patch;
use serde_json::json;

use super::{
    between::Harm,
    lab::IMAGE,
    site::{Site, provision},
};
use crate::cli::ended;

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_ends_by_one_word_however_often_it_is_said() {
    let Some(site) = Site::new().await else { return };
    let (lab, program) = (&site.lab, site.program("admin"));
    let node = lab.node(json!({})).await;
    let name = node.name.unwrap();
    let kept = [Patch::add("/maintenance", true)];
    let end = async |name: &str| program.post(&format!("/nodes/{name}/end-maintenance"), &json!({})).await;
    let told = || lab.between.done("DELETE", "/maintenance");

    lab.patch(&node.uuid, &kept).await;
    let seen = program.get(&format!("/nodes/{name}")).await.good(200);
    assert_eq!((&seen["maintenance"], &seen["free"]), (&json!(true), &json!(false)));
    let wish = json!({ "image_id": IMAGE, "server_id": name });
    provision(&program, wish.clone()).await.problem(409, "node-not-available");
    let operator = site.program("operator");
    let forbidden = operator.post(&format!("/nodes/{name}/end-maintenance"), &json!({})).await;
    assert_eq!((forbidden.status.as_u16(), told()), (403, 0));

    // Ironic does it, and its answer is lost.
    lab.between.harm("DELETE", "/maintenance", Harm::LoseAnswer);
    let free = end(&name).await.good(200);
    let so = (&free["maintenance"], &free["free"], &free["provision_state"]);
    assert_eq!(so, (&json!(false), &json!(true), &json!("available")));
    assert_eq!(end(&node.uuid).await.good(200), free, "it is in none");
    assert_eq!(told(), 1, "Ironic was told once");

    // Ironic does nothing, and says so.
    end("nope").await.problem(404, "node-unknown");
    lab.patch(&node.uuid, &kept).await;
    lab.between.harm("DELETE", "/maintenance", Harm::Status(500));
    end(&name).await.problem(502, "ironic-away");
    assert!(lab.ironic.node(&name).await.unwrap().maintenance);
    let said = ended(&site.world.cli(&["nodes", "end-maintenance", &name, "--json"])).json();
    assert_eq!((&said["uuid"], &said["maintenance"]), (&json!(node.uuid), &json!(false)));
    provision(&program, wish).await.good(202);
    lab.until(&node.uuid, "active").await;
}
