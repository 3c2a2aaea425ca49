//! What is told of a node in each state, step and trouble: how far it is, and in what words. The nodes are recorded ones:
//! so each state can be had alone. What the real Ironic holds is in `holds.rs`.

use axum::{Router, routing::get};
use rackhand_core::{model::Role, ops::Ops, store::Engine};
use serde_json::{Value, json};

use super::lab::{client, done};
use crate::{databases::Database, desk::Desk};

/// A node as Ironic 39.0.0 told it.
const RECORDED: &str = include_str!("../../../core/src/clients/ironic/fixtures/node_failed.json");

const UP: &str = "check_provision_status";
const DOWN: &str = "check_unprovision_status";

/// What is asked of a node in which state, and with what else; and the status, the percent and the words of the answer
/// (` … ` between some that it has all of).
type Case = (&'static str, &'static str, Value, &'static str, Option<u8>, &'static str);

/// The address of an Ironic whose only node is this one.
async fn ironic_of(node: &Value) -> String {
    let node = node.to_string();
    let versions = get(|| async { [("X-OpenStack-Ironic-API-Maximum-Version", "1.115")] });
    let router = Router::new().route("/v1", versions).fallback(move || async move { node });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// So many steps done, of how many, of a deployment or a cleaning.
fn steps(kind: &str, done: usize, all: usize) -> Value {
    let step = json!({ "step": "erase", "interface": "deploy", "priority": 10 });
    let info = json!({ format!("{kind}_steps"): vec![step; all], format!("{kind}_step_index"): done });
    json!({ "driver_internal_info": info })
}

/// Kept out of use by Ironic itself.
fn faulty() -> Value {
    json!({ "maintenance": true, "fault": "power failure", "maintenance_reason": "the BMC is gone" })
}

/// Its cleaning failed, and Ironic keeps it out of use.
fn uncleaned() -> Value {
    let (fault, reason) = ("clean failure", "see the log");
    json!({ "maintenance": true, "fault": fault, "maintenance_reason": reason, "last_error": "no erase" })
}

#[tokio::test]
async fn each_state_says_how_far_it_is_and_the_way_out() {
    let Some(db) = Database::fresh(Engine::Sqlite).await else { return };
    let desk = Desk::new(&db).await;
    let anna = desk.person(1, Role::Admin).await;
    let (plain, moves) = (json!({}), "is on its way: ");
    let by_person = json!({ "maintenance": true, "maintenance_reason": "a new fan" });
    let cases: &[Case] = &[
        (UP, "deploying", plain.clone(), "in_progress", Some(30), moves),
        (UP, "deploying", steps("deploy", 0, 2), "in_progress", Some(0), moves),
        (UP, "deploying", steps("deploy", 3, 4), "in_progress", Some(75), moves),
        (UP, "deploying", steps("deploy", 0, 0), "in_progress", Some(30), moves),
        (UP, "deploying", steps("clean", 1, 2), "in_progress", Some(30), moves),
        (UP, "deploying", by_person.clone(), "in_progress", Some(30), "on its way: … in maintenance: a new fan"),
        (UP, "deploying", faulty(), "failed", None, "does not go on (deploying) … no disk. … (power failure): the BMC"),
        (UP, "wait call-back", plain.clone(), "in_progress", Some(60), moves),
        (UP, "wait call-back", faulty(), "failed", None, "in maintenance (power failure): the BMC is gone"),
        (UP, "deploy hold", plain.clone(), "in_progress", Some(60), "when somebody says `unhold` to it in Ironic"),
        (UP, "deploy hold", steps("deploy", 1, 2), "in_progress", Some(50), "says `unhold`"),
        (UP, "adopting", plain.clone(), "in_progress", None, moves),
        (UP, "of a newer Ironic", plain.clone(), "in_progress", None, "is on its way: of a newer Ironic"),
        (
            UP,
            "deploy hold",
            faulty(),
            "failed",
            None,
            "says `unhold` … in maintenance (power failure): the BMC is gone",
        ),
        (UP, "deploy failed", plain.clone(), "failed", None, "Deploy step deploy.deploy failed: no disk."),
        (UP, "deploy failed", faulty(), "failed", None, "failed: no disk.; in maintenance (power failure): the BMC"),
        (UP, "deploy failed", by_person.clone(), "failed", None, "failed: no disk.; in maintenance: a new fan"),
        (UP, "active", plain.clone(), "completed", Some(100), "is provisioned"),
        (UP, "active", faulty(), "failed", None, "is provisioned; … in maintenance (power failure): the BMC is gone"),
        (UP, "active", by_person.clone(), "completed", Some(100), "is provisioned; in maintenance: a new fan"),
        (UP, "rescue", faulty(), "failed", None, "now: rescue; … in maintenance (power failure): the BMC is gone"),
        (UP, "rescue", plain.clone(), "completed", Some(100), "is provisioned; now: rescue"),
        (DOWN, "deleting", plain.clone(), "in_progress", Some(20), moves),
        (DOWN, "cleaning", plain.clone(), "in_progress", Some(50), moves),
        (DOWN, "cleaning", steps("clean", 1, 3), "in_progress", Some(33), moves),
        (DOWN, "cleaning", steps("deploy", 1, 3), "in_progress", Some(50), moves),
        (DOWN, "clean wait", plain.clone(), "in_progress", Some(70), moves),
        (DOWN, "clean wait", by_person.clone(), "in_progress", Some(70), "on its way: … in maintenance: a new fan"),
        (DOWN, "clean wait", faulty(), "failed", None, "in maintenance (power failure): the BMC is gone"),
        (DOWN, "clean hold", plain.clone(), "in_progress", Some(70), "when somebody says `unhold` to it in Ironic"),
        (DOWN, "clean hold", steps("clean", 1, 2), "in_progress", Some(50), "says `unhold`"),
        (DOWN, "of a newer Ironic", plain.clone(), "in_progress", None, "is on its way: of a newer Ironic"),
        (DOWN, "clean failed", json!({ "last_error": "no erase" }), "failed", None, "(clean failed): no erase"),
        (DOWN, "clean failed", uncleaned(), "failed", None, "no erase; in maintenance (clean failure): see the log"),
        (DOWN, "error", json!({ "last_error": "no power" }), "failed", None, "(error): no power"),
        (DOWN, "available", by_person, "completed", Some(100), "is available; in maintenance: a new fan"),
        (
            DOWN,
            "available",
            faulty(),
            "failed",
            None,
            "is available; … in maintenance (power failure): the BMC is gone",
        ),
        (DOWN, "available", plain, "completed", Some(100), "is available"),
        (DOWN, "available", json!({ "automated_clean": false }), "completed", Some(100), "nothing was wiped"),
    ];
    for (question, state, fields, status, percent, words) in cases {
        let mut node: Value = serde_json::from_str(RECORDED).unwrap();
        node["provision_state"] = json!(state);
        node.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let ops = Ops { ironic: Some(client(&ironic_of(&node).await)), ..desk.ops.clone() };
        let input = json!({ "operation_id": node["uuid"] });
        let told = done(ops.call_by_name(&anna.actor(), question, &input, None).await).unwrap();
        let so_far = (&told["status"], &told["progress_percent"], &told["provision_state"]);
        assert_eq!(so_far, (&json!(status), &json!(percent), &json!(state)), "{question} {fields}: {told}");
        let message = told["message"].as_str().unwrap();
        assert!(words.split(" … ").all(|words| message.contains(words)), "{question} {state} {fields}: {told}");
        assert_eq!(told["completed_at"].is_null(), *status == "in_progress", "{told}");
        assert!(!told["started_at"].is_null(), "{told}");
    }
}
