//! Requests that a model sends again because an answer was lost.

use futures::future::{join_all, select_all};
use rackhand_core::{model::Role, states::ServerStatus, store::Engine};
use serde_json::{Value, json};

use super::{
    client::{Client, Sdk},
    later::Later,
    tools::call,
};
use crate::{
    api::caller::{Door, Place, token},
    databases::{Database, each_engine},
    nodes::lab::{IMAGE, Lab},
};

#[tokio::test]
async fn the_same_key_does_it_once_and_answers_alike() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        for number in 1..=2 {
            place.desk.server(number, ServerStatus::PendingSetup, true).await;
        }
        let other_door = Door::open(&place.desk.replica().await).await;
        let replica = other_door.caller(&place.operator.secret);
        let set_up = json!({ "handle": "vps-1", "idempotency_key": "k" });
        let both = [&place.operator, &replica, &place.operator, &replica];
        let answers = join_all(both.map(|caller| call(caller, "set_up_server", &set_up))).await;
        assert!(answers.iter().all(|answer| *answer == answers[0] && answer["isError"] == false), "{answers:?}");
        assert_eq!(answers[0]["structuredContent"]["joined"], false);
        assert_eq!(db.number("SELECT COUNT(*) FROM audit WHERE target = 'vps-1'").await, 1);
        // Without the key it would be begun anew.
        db.sql("UPDATE jobs SET status = 'failed', target = NULL").await.unwrap();
        assert_eq!(call(&place.operator, "set_up_server", &set_up).await, answers[0]);
        assert_eq!(place.desk.count_jobs().await, 1);
        let task = Later::with_tasks(&place.operator).call("set_up_server", set_up).await;
        assert_eq!(task["taskId"], answers[0]["structuredContent"]["job"]);

        for other in [
            json!({ "handle": "vps-2", "idempotency_key": "k" }),
            json!({ "handle": "vps-1", "labels": {}, "idempotency_key": "k" }),
        ] {
            let tool = if other.get("labels").is_some() { "label_server" } else { "set_up_server" };
            let refused = call(&place.operator, tool, &other).await;
            assert_eq!(refused["structuredContent"]["code"], "key-reused", "{refused}");
            assert_eq!(refused["structuredContent"]["status"], 409);
        }
        for bad in [json!(""), json!("a b"), json!("x".repeat(256)), json!("ключ"), json!(5), Value::Null] {
            let input = json!({ "handle": "vps-2", "idempotency_key": bad });
            let refused = call(&place.operator, "set_up_server", &input).await;
            assert_eq!(refused["structuredContent"]["errors"][0]["path"], "idempotency_key", "{refused}");
        }
        // What only reads has nothing to repeat, and no such argument.
        let read = call(&place.viewer, "show_server", &json!({ "handle": "vps-1", "idempotency_key": "k" })).await;
        assert_eq!(read["structuredContent"]["code"], "bad-input", "{read}");
        assert_eq!(place.desk.count_jobs().await, 1);
    })
    .await;
}

/// A model asks for a machine, loses the answer and asks again; then it waits, and hears what Ironic goes through.
#[tokio::test]
async fn a_machine_is_provisioned_once_and_waited_for() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let Some(lab) = Lab::on(&db).await else { return };
    let script = json!({ "prepare_s": 4, "wait_s": 3 });
    let (_one, _two) = tokio::join!(lab.node(script.clone()), lab.node(script));
    let door = Door::open(&lab.ops).await;
    let caller = door.caller(&token(&lab.ops, "model", Role::Operator, None).await);
    let Some(mut client) = Client::over_http(Sdk::PythonNew, &caller.root, &caller.secret).await else { return };

    let wanted = json!({ "image_id": IMAGE, "resource_class": lab.class, "idempotency_key": "k" });
    let both = [0, 1].map(|_| Box::pin(call(&caller, "provision_server", &wanted)));
    let (first, _, other) = select_all(both).await;
    let node = first["structuredContent"]["server_id"].clone();
    assert!(node.is_string(), "{first}");
    // Ironic keeps the node to itself while it begins, and the other one waits for that.
    let wait = json!({ "do": "call", "name": "wait_for_operation", "arguments": { "id": node }, "progress": true });
    let (end, other) = tokio::join!(client.ask(&wait), join_all(other));
    assert_eq!(other[0]["structuredContent"]["server_id"], node, "{other:?}");
    let end = end.unwrap()["structuredContent"].take();
    assert_eq!((&end["status"], &end["done"]), (&json!("succeeded"), &json!(true)), "{end}");
    assert_eq!(
        (&end["course"]["provision_state"], &end["course"]["progress_percent"]),
        (&json!("active"), &json!(100))
    );
    let told: Vec<&str> = client.progress.iter().filter_map(|line| line["message"].as_str()).collect();
    let at = |state: &str| told.iter().position(|line| line.contains(state)).unwrap_or_else(|| panic!("{told:?}"));
    assert!(at("deploying") < at("wait call-back") && at("wait call-back") < at("is provisioned"), "{told:?}");
    assert!(told.windows(2).all(|pair| pair[0] != pair[1]), "what is new is told, and nothing else: {told:?}");

    let other = json!({ "image_id": "another", "resource_class": lab.class, "idempotency_key": "k" });
    let refused = call(&caller, "provision_server", &other).await;
    assert_eq!(refused["structuredContent"]["code"], "key-reused", "{refused}");
    // A machine's UUID names no request: a client that speaks of tasks is answered as everybody is.
    let tasks = Later::with_tasks(&caller);
    assert_eq!(tasks.call("provision_server", wanted).await["structuredContent"]["server_id"], node);
    assert_eq!(tasks.ask("tasks/get", json!({ "taskId": node })).await.unwrap_err()["code"], -32602);
    assert_eq!(lab.reserved().await, 1);
    let unknown = call(&caller, "get_operation", &json!({ "id": uuid::Uuid::now_v7() })).await;
    assert_eq!(unknown["structuredContent"]["code"], "not-found", "{unknown}");
}
