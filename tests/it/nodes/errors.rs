//! Every way in which it does not go, with the words and the kind that the doors make a status of.

use std::sync::Arc;

use rackhand_core::{
    clients::ironic::{Patch, Target},
    clock::SystemClock,
    fault::{
        Fault, FaultKind,
        FaultKind::{Conflict, Invalid, NotFound, Unavailable},
    },
    ops::{OpError, Ops},
};
use serde_json::{Value, json};

use super::{
    between::Harm,
    lab::{IMAGE, Lab, client},
};

fn says(error: &OpError, words: &str, kind: FaultKind) {
    assert_eq!((error.to_string().as_str(), error.kind()), (words, kind), "{error:?}");
}

#[tokio::test]
async fn each_trouble_has_its_words_and_leaves_no_reservation() {
    let Some(lab) = Lab::new().await else { return };
    let provision = async |input: Value| lab.call("provision_server", input).await.unwrap_err();
    let unprovision = async |id: &str| lab.call("unprovision_server", json!({ "server_id": id })).await.unwrap_err();
    for id in ["nope", "00000000-0000-4000-8000-000000000000", "../x", "a b%2f", "é\n"] {
        let words = format!("Server {id} not found");
        says(&provision(json!({ "image_id": IMAGE, "server_id": id })).await, &words, NotFound);
        says(&unprovision(id).await, &words, NotFound);
        let status = lab.call("check_provision_status", json!({ "operation_id": id })).await.unwrap_err();
        says(&status, &words, NotFound);
    }
    let no_match = "No available servers matching criteria";
    says(&provision(json!({ "image_id": IMAGE, "resource_class": "no-such-kind" })).await, no_match, NotFound);

    let node = lab.node(json!({ "validate_error": "Image xyz could not be found." })).await;
    let id = node.name.clone().unwrap();
    let bad = provision(json!({ "image_id": "xyz", "server_id": id })).await;
    says(&bad, "Image xyz not found", Invalid);
    let words = "Validation of image href xyz failed, reason: Scheme-less image href is not a UUID.";
    assert_eq!(bad.field(), Some(("image_id", words.to_owned())));
    let bad = provision(json!({ "image_id": IMAGE, "server_id": id })).await;
    says(&bad, &format!("Image {IMAGE} not found"), Invalid);
    assert_eq!(bad.field(), Some(("image_id", "deploy: Image xyz could not be found.".to_owned())));
    let script = |script: Value| [Patch::add("/extra/script", script)];
    lab.patch(&node.uuid, &script(json!({ "validate_error": "no kernel" }))).await;
    let unfit = provision(json!({ "image_id": IMAGE, "server_id": id })).await;
    assert_eq!((unfit.kind(), unfit.reason().code.as_str()), (Conflict, "node-unfit"));
    assert!(unfit.to_string().contains("no kernel") && unfit.field().is_none(), "{unfit}");
    let checksum = "image_source's \"image_checksum\" must be provided in instance_info";
    lab.patch(&node.uuid, &script(json!({ "validate_error": checksum }))).await;
    let unsaid = provision(json!({ "image_id": "http://127.0.0.1:1/debian.qcow2", "server_id": id })).await;
    says(&unsaid, &format!("Server {id} cannot be provisioned: deploy: {checksum}"), Conflict);
    assert_eq!(lab.reserved().await, 0, "what failed is given back");
    let clean = lab.ironic.node(&node.uuid).await.unwrap();
    assert!(clean.instance_info.is_empty() && !clean.extra.contains_key("rackhand"), "{clean:?}");

    says(&unprovision(&id).await, &format!("Server {id} is not in a provisionable state"), Conflict);
    let not_available = format!("Server {id} is not available for provisioning");
    lab.patch(&node.uuid, &script(json!({}))).await;
    lab.patch(&node.uuid, &[Patch::add("/maintenance", true)]).await;
    says(&provision(json!({ "image_id": IMAGE, "server_id": id })).await, &not_available, Conflict);
    says(&provision(json!({ "image_id": IMAGE })).await, no_match, NotFound);
    lab.patch(&node.uuid, &[Patch::add("/maintenance", false)]).await;
    lab.told(&node.uuid, Target::Active, "active").await;
    says(&provision(json!({ "image_id": IMAGE, "server_id": id })).await, &not_available, Conflict);
    lab.patch(&node.uuid, &[Patch::add("/protected", true)]).await;
    assert_eq!(unprovision(&id).await.reason().code, "node-protected");
}

#[tokio::test]
async fn an_ironic_that_is_away_is_said_to_be() {
    let Some(lab) = Lab::new().await else { return };
    let node = lab.node(json!({})).await;
    let words = "Failed to communicate with Ironic";
    let input = json!({ "image_id": IMAGE, "server_id": node.uuid });
    // A 5xx wherever it comes: nothing is reserved afterwards, and nothing was begun.
    for (method, end) in [("GET", node.uuid.as_str()), ("PATCH", node.uuid.as_str()), ("GET", "/validate")] {
        lab.between.harm(method, end, Harm::Status(500));
        let error = lab.call("provision_server", input.clone()).await.unwrap_err();
        says(&error, words, Unavailable);
        assert_eq!(error.reason().code, "ironic-away");
        assert_eq!(lab.reserved().await, 0, "{method} {end}");
    }
    let gone = Ops { ironic: Some(client("http://127.0.0.1:1")), ..lab.ops.clone() };
    let actor = lab.anna.actor();
    for (name, input) in [
        ("provision_server", input),
        ("unprovision_server", json!({ "server_id": "x" })),
        ("check_provision_status", json!({ "operation_id": "x" })),
        ("list_nodes", json!({})),
    ] {
        says(&gone.call_by_name(&actor, name, &input, None).await.unwrap_err(), words, Unavailable);
    }
    assert_eq!(lab.desk.db.number("SELECT COUNT(*) FROM approvals").await, 0);
}

#[tokio::test]
async fn lists_page_and_forget_nothing() {
    let Some(lab) = Lab::new().await else { return };
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(lab.enrolled(json!({})).await.uuid);
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = lab.call("list_nodes", json!({ "cursor": cursor, "limit": 3 })).await.unwrap();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 3);
        seen.extend(items.iter().map(|node| node["uuid"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    assert_eq!(seen, made);
    let skipped = lab.call("list_nodes", json!({ "cursor": "s5", "limit": 3 })).await.unwrap();
    assert_eq!(skipped["items"].as_array().unwrap().len(), 2);
    let ops = Ops { clock: Arc::new(SystemClock), ..lab.ops.clone() };
    let bad = ops.call_by_name(&lab.anna.actor(), "list_nodes", &json!({ "cursor": "zz" }), None).await.unwrap_err();
    assert_eq!(bad.kind(), Invalid);
}
