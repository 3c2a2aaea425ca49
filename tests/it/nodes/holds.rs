//! Steps that hold a node in the real Ironic until somebody says `unhold`: what is told meanwhile, and afterwards.

use std::sync::Arc;

use rackhand_core::{clients::ironic::Target, states::JobStatus, work::NoWitness};
use serde_json::{Value, json};

use super::lab::{IMAGE, Lab};

/// What the question tells of a node that is held.
async fn held(lab: &Lab, question: &str, uuid: &str, state: &str) -> Value {
    let told = lab.call(question, json!({ "operation_id": uuid })).await.unwrap();
    assert_eq!((&told["status"], &told["provision_state"]), (&json!("in_progress"), &json!(state)), "{told}");
    let way_out = format!("is held by a step ({state}): it goes on when somebody says `unhold` to it in Ironic");
    assert!(told["message"].as_str().unwrap().contains(&way_out), "{told}");
    told["progress_percent"].clone()
}

#[tokio::test]
async fn a_held_node_says_the_way_out_and_goes_on_from_there() {
    let Some(lab) = Lab::new().await else { return };
    let node = lab.node(json!({ "deploy_hold": true, "clean_hold": true })).await;
    let wish = json!({ "image_id": IMAGE, "server_id": node.uuid });
    lab.call("provision_server", wish).await.unwrap();
    lab.until(&node.uuid, "deploy hold").await;
    assert_eq!(held(&lab, "check_provision_status", &node.uuid, "deploy hold").await, json!(33), "one step of three");
    lab.told(&node.uuid, Target::Unhold, "active").await;
    let told = lab.call("check_provision_status", json!({ "operation_id": node.uuid })).await.unwrap();
    assert_eq!(told["status"], json!("completed"));

    let worker = lab.work("w", Arc::new(NoWitness));
    let job = lab.allowed(&node.uuid, true).await;
    lab.until(&node.uuid, "clean hold").await;
    assert_eq!(held(&lab, "check_unprovision_status", &node.uuid, "clean hold").await, json!(25), "one step of four");
    lab.told(&node.uuid, Target::Unhold, "available").await;
    let ended = lab.ended(&job).await;
    worker.abort();
    let outcome = ended.outcome.map(|outcome| outcome.code);
    assert_eq!((ended.status, outcome.as_deref()), (JobStatus::Succeeded, Some("node-free-wiped")));
    let told = lab.call("check_unprovision_status", json!({ "operation_id": node.uuid })).await.unwrap();
    assert_eq!(told["status"], json!("completed"));
}
