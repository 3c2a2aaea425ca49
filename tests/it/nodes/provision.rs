//! Installing an image on a node, and what is told of it meanwhile.

use rackhand_core::{
    clients::ironic::{Node, Patch, Target},
    fault::{Fault, FaultKind},
};
use serde_json::{Value, json};

use super::lab::{IMAGE, Lab};
use crate::e2e::eventually;
use crate::harness::SOON;

#[tokio::test]
async fn a_node_is_provisioned_by_uuid_by_name_by_kind_and_by_nothing() {
    let Some(lab) = Lab::new().await else { return };
    let (one, two, three, four) =
        tokio::join!(lab.node(json!({})), lab.node(json!({})), lab.node(json!({})), lab.node(json!({})));
    let nodes = [&one, &two, &three, &four];
    let by_uuid = lab.call("provision_server", json!({ "image_id": IMAGE, "server_id": one.uuid })).await.unwrap();
    assert_eq!((&by_uuid["server_id"], &by_uuid["status"]), (&json!(one.uuid), &json!("accepted")));
    assert_eq!((&by_uuid["operation_id"], &by_uuid["server_name"]), (&json!(one.uuid), &json!(one.name)));
    let by_name = lab.call("provision_server", json!({ "image_id": IMAGE, "server_id": two.name })).await.unwrap();
    assert_eq!(by_name["server_id"], json!(two.uuid));
    let by_kind =
        lab.call("provision_server", json!({ "image_id": IMAGE, "resource_class": lab.class })).await.unwrap();
    let by_nothing = lab.call("provision_server", json!({ "image_id": IMAGE })).await.unwrap();
    let mut chosen = [by_kind["server_id"].as_str().unwrap(), by_nothing["server_id"].as_str().unwrap()];
    let mut left = [three.uuid.as_str(), four.uuid.as_str()];
    chosen.sort_unstable();
    left.sort_unstable();
    assert_eq!(chosen, left);
    for node in nodes {
        let active = lab.until(&node.uuid, "active").await;
        assert_eq!(active.instance_info["image_source"], json!("http://127.0.0.1:1/debian.qcow2"));
        assert_eq!(active.instance_info["image_checksum"], json!("sha256:00"));
        assert!(active.instance_uuid.is_some());
        let status = status(&lab, &node.uuid).await;
        assert_eq!((&status["status"], &status["progress_percent"]), (&json!("completed"), &json!(100)));
        assert_eq!(status["completed_at"], json!(active.provision_updated_at));
    }
    let none = lab.call("provision_server", json!({ "image_id": IMAGE })).await.unwrap_err();
    assert_eq!(
        (none.to_string().as_str(), none.kind()),
        ("No available servers matching criteria", FaultKind::NotFound)
    );
}

#[tokio::test]
async fn a_partition_has_its_size_and_an_operators_wish_is_kept() {
    let Some(lab) = Lab::new().await else { return };
    let (sized, unsized_) = tokio::join!(lab.node(json!({ "validate_error": "no kernel" })), lab.node(json!({})));
    let wish = json!({ "secure_boot": "true", "disk_label": "gpt" });
    let before = json!({ "capabilities": wish, "image_checksum": "another's", "root_gb": 7 });
    let patches = [Patch::add("/properties/local_gb", "446"), Patch::add("/instance_info", before)];
    lab.patch(&sized.uuid, &patches).await;
    let input = |node: &Node| json!({ "image_id": "http://127.0.0.1:1/debian.qcow2", "server_id": node.uuid });

    lab.call("provision_server", input(&sized)).await.unwrap_err();
    let refused = lab.ironic.node(&sized.uuid).await.unwrap();
    assert_eq!((json!(refused.instance_info), refused.instance_uuid), (json!({ "capabilities": wish }), None));

    lab.patch(&sized.uuid, &[Patch::add("/extra/script", json!({}))]).await;
    lab.call("provision_server", input(&sized)).await.unwrap();
    let told = lab.until(&sized.uuid, "active").await.instance_info;
    let facts = ["image_source", "root_gb", "capabilities", "image_checksum"].map(|key| told.get(key).cloned());
    assert_eq!(facts, [Some(json!("http://127.0.0.1:1/debian.qcow2")), Some(json!(446)), Some(wish), None]);

    lab.call("provision_server", input(&unsized_)).await.unwrap();
    let told = lab.until(&unsized_.uuid, "active").await.instance_info;
    assert!(!told.contains_key("root_gb") && !told.contains_key("capabilities"), "{told:?}");
}

#[tokio::test]
async fn its_status_goes_through_what_ironic_goes_through() {
    let Some(lab) = Lab::new().await else { return };
    let node = lab.node(json!({ "prepare_s": 1.5, "deploy_s": 0.5, "wait_s": 2 })).await;
    let drive = json!({ "meta_data": { "hostname": "h" }, "user_data": "#cloud-config" });
    let input = json!({ "image_id": IMAGE, "server_id": node.uuid, "config_drive": drive });
    let begun = lab.call("provision_server", input).await.unwrap();
    let mut seen: Vec<(String, Value)> = Vec::new();
    let over = eventually(SOON, async || {
        let status = status(&lab, &node.uuid).await;
        assert_eq!(status["started_at"], begun["started_at"], "the same at each question");
        let state = status["provision_state"].as_str().unwrap().to_owned();
        if seen.last().is_none_or(|(last, _)| *last != state) {
            seen.push((state.clone(), status["status"].clone()));
        }
        (state == "active").then_some(())
    });
    over.await.expect("active");
    for moving in ["deploying", "wait call-back"] {
        assert!(seen.contains(&(moving.to_owned(), json!("in_progress"))), "{seen:?}");
    }
    assert_eq!(seen.last(), Some(&("active".to_owned(), json!("completed"))));
}

#[tokio::test]
async fn a_failure_tells_its_real_reason() {
    let Some(lab) = Lab::new().await else { return };
    let node = lab.node(json!({ "deploy": "fail", "message": "no disk found" })).await;
    lab.call("provision_server", json!({ "image_id": IMAGE, "server_id": node.uuid })).await.unwrap();
    let failed = lab.until(&node.uuid, "deploy failed").await;
    let told = status(&lab, &node.uuid).await;
    assert_eq!((&told["status"], &told["completed_at"]), (&json!("failed"), &json!(failed.provision_updated_at)));
    assert!(told["message"].as_str().unwrap().contains("no disk found"), "{told}");
    assert!(failed.last_error.is_some_and(|error| error.contains("no disk found")));
}

#[tokio::test]
async fn what_is_not_under_way_is_not_guessed_at() {
    let Some(lab) = Lab::new().await else { return };
    let node = lab.node(json!({})).await;
    let never = lab.call("check_provision_status", json!({ "operation_id": node.uuid })).await.unwrap_err();
    assert_eq!(never.reason().code, "node-not-provisioning");
    lab.told(&node.uuid, Target::Active, "active").await;
    let again = lab.call("check_unprovision_status", json!({ "operation_id": node.uuid })).await.unwrap_err();
    assert_eq!(again.reason().code, "node-not-unprovisioning");
    assert!(again.to_string().contains("is active"), "{again}");
}

#[tokio::test]
async fn a_config_drive_and_a_bmcs_password_are_kept_nowhere() {
    let Some(lab) = Lab::new().await else { return };
    let node = lab.node(json!({})).await;
    let canary = "canary-8a1f0c";
    let input = json!({ "image_id": IMAGE, "server_id": node.uuid, "config_drive": { "user_data": canary } });
    let actor = lab.anna.actor();
    super::lab::call_as(&lab.ops, &actor, &input, "k1").await.unwrap();
    let name = format!("e{}", uuid::Uuid::now_v7().simple());
    let bmc = json!({ "address": "http://127.0.0.1:1", "username": "root", "password": canary });
    let enrol = json!({ "name": name, "bmc": bmc, "resource_class": lab.class, "properties": { "cpus": 4 } });
    for _ in 0..2 {
        let made = lab.ops.call_by_name(&actor, "enrol_node", &enrol, Some("k2")).await;
        let made = super::lab::done(made).unwrap();
        assert_eq!((&made["name"], &made["provision_state"]), (&json!(name), &json!("enroll")));
    }
    // The row of the answer is lost with its process: the same request finds what it made.
    lab.desk.db.sql("DELETE FROM requests").await.unwrap();
    super::lab::done(lab.ops.call_by_name(&actor, "enrol_node", &enrol, Some("k2")).await).unwrap();
    let other = lab.ops.call_by_name(&actor, "enrol_node", &enrol, Some("k3")).await.unwrap_err();
    assert_eq!((other.kind(), other.reason().code.as_str()), (FaultKind::Conflict, "node-taken"));
    let mut changed = enrol.clone();
    changed["bmc"]["password"] = json!("another");
    let reused = lab.ops.call_by_name(&actor, "enrol_node", &changed, Some("k2")).await.unwrap_err();
    assert_eq!(reused.reason().code, "key-reused");
    let leaks = format!("SELECT COUNT(*) FROM audit WHERE detail LIKE '%{canary}%'");
    assert_eq!(lab.desk.db.number(&leaks).await, 0);
    let leaks = format!("SELECT COUNT(*) FROM requests WHERE answer LIKE '%{canary}%'");
    assert_eq!(lab.desk.db.number(&leaks).await, 0);
    assert!(lab.desk.db.number("SELECT COUNT(*) FROM audit WHERE detail LIKE '%[secret]%'").await >= 3);
    lab.ironic.delete_node(&name).await.unwrap();
}

async fn status(lab: &Lab, id: &str) -> Value {
    lab.call("check_provision_status", json!({ "operation_id": id })).await.unwrap()
}
