//! Long work as tasks (SEP-2663), over what happens to the program, to the work and to the question meanwhile.

use std::time::Duration;

use rackhand_core::{
    clients::time4vps::TaskKind,
    ids::JobId,
    model::Role,
    ops::Answer,
    states::{JobStatus, ServerStatus},
};
use serde_json::{Value, json};

use super::{
    client::{Client, Sdk},
    conformance::address,
    journey::with_a_ready_server,
    later::Later,
    tools::rpc,
};
use crate::{
    api::caller::{Caller, Place, token},
    databases::each_engine,
    e2e::world::{Running, World, eventually},
    harness::SOON,
};

/// The program dies before the yes, and again in the middle of the work.
#[tokio::test(flavor = "multi_thread")]
async fn a_task_outlives_the_program() {
    let (world, mut running) = with_a_ready_server().await;
    let rebuild = json!({ "handle": "vps-12", "idempotency_key": "k" });
    let id = client(&running).await.begin("rebuild_server", rebuild.clone()).await;
    let asked = client(&running).await.task(&id).await;

    again(&world, &mut running);
    let after = client(&running).await;
    assert_eq!(after.task(&id).await, asked);
    assert!(asked["statusMessage"].as_str().unwrap().contains("approve"), "{asked}");
    // Whoever lost the answer and asks again is answered with the same task.
    assert_eq!(after.begin("rebuild_server", rebuild).await, id);

    world.tap("Approve").await;
    let under_way = eventually(SOON, async || {
        let task = after.task(&id).await;
        assert_eq!((&task["status"], &task["createdAt"]), (&json!("working"), &asked["createdAt"]), "{task}");
        task["statusMessage"].as_str().unwrap().contains("at step").then_some(())
    });
    under_way.await.expect("the work begins");
    again(&world, &mut running);

    let last = client(&running).await;
    let ended = eventually(SOON, async || Some(last.task(&id).await).filter(|task| task["status"] != "working")).await;
    let task = ended.expect("it ends");
    let result = &task["result"];
    assert_eq!((&task["status"], &result["isError"]), (&json!("completed"), &json!(false)), "{task}");
    assert_eq!(result["structuredContent"]["status"], "succeeded", "{task}");
    assert_eq!(
        serde_json::from_str::<Value>(result["content"][0]["text"].as_str().unwrap()).unwrap(),
        result["structuredContent"]
    );
    assert_eq!(world.effects(12, TaskKind::Reinstall), 1);

    // A client of others, to which a task is only a slow answer, checks the result against the tool's schema.
    let place = json!({ "url": format!("{}/mcp", address(&running).await), "tasks": true });
    let Some(mut other) = Client::connect(Sdk::PythonNew, place).await else { return };
    let end = other.good("set_up_server", json!({ "handle": "vps-12" })).await;
    assert_eq!((&end["status"], &end["done"]), (&json!("succeeded"), &json!(true)), "{end}");
    assert!(other.progress.iter().any(|line| line["message"].as_str().unwrap().starts_with("job ")), "{end}");
}

async fn client(running: &Running) -> Later {
    Later::with_tasks(&Caller::new(&address(running).await, ""))
}

/// SIGKILL, and a new process.
fn again(world: &World, running: &mut Running) {
    running.kill();
    *running = world.start();
}

#[tokio::test]
async fn a_task_ends_as_its_operation_does() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        let admin = Later::with_tasks(&place.admin);
        for (number, end, status, is_error) in [
            (1, JobStatus::Succeeded, "completed", Some(false)),
            (2, JobStatus::Failed, "completed", Some(true)),
            (3, JobStatus::Cancelled, "cancelled", None),
            // A person may yet send it on.
            (4, JobStatus::Parked, "working", None),
        ] {
            place.desk.server(number, ServerStatus::PendingSetup, true).await;
            let id = admin.begin("set_up_server", json!({ "handle": format!("vps-{number}") })).await;
            db.sql(&format!("UPDATE jobs SET status = '{end}' WHERE id = '{id}'")).await.unwrap();
            let task = admin.task(&id).await;
            assert_eq!(task["status"], status, "{task}");
            assert_eq!(task["result"]["isError"].as_bool(), is_error, "{task}");
            assert!(task["statusMessage"].as_str().unwrap().contains(&end.to_string()), "{task}");
        }

        place.desk.server(5, ServerStatus::Ready, true).await;
        let anna = place.desk.person(1, Role::Admin).await.actor();
        let rebuild = json!({ "handle": "vps-5" });
        let refused = admin.begin("rebuild_server", rebuild.clone()).await;
        let no = json!({ "approval": refused });
        place.desk.ops.call_by_name(&anna, "refuse", &no, None).await.unwrap();
        let missed = admin.begin("rebuild_server", rebuild).await;
        place.desk.clock.advance(Duration::from_hours(1));
        for (id, status) in [(refused, "refused"), (missed, "expired")] {
            let task = admin.task(&id).await;
            assert_eq!((&task["status"], &task["result"]["isError"]), (&json!("completed"), &json!(true)), "{task}");
            assert_eq!(task["result"]["structuredContent"]["status"], status, "{task}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_task_is_called_off_by_whoever_may() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        place.desk.server(1, ServerStatus::PendingSetup, true).await;
        let [viewer, operator] = [&place.viewer, &place.operator].map(Later::with_tasks);
        let id = operator.begin("set_up_server", json!({ "handle": "vps-1" })).await;
        let wanted = json!({ "taskId": id });
        assert_eq!(viewer.task(&id).await["status"], "working");
        let error = viewer.ask("tasks/cancel", wanted.clone()).await.unwrap_err();
        assert_eq!((&error["code"], &error["data"]["code"]), (&json!(-32600), &json!("forbidden")), "{error}");
        assert_eq!(viewer.task(&id).await["status"], "working");
        for _ in 0..2 {
            let acknowledged = operator.ask("tasks/cancel", wanted.clone()).await.unwrap();
            assert_eq!(without_meta(acknowledged), json!({ "resultType": "complete" }));
            assert_eq!(operator.task(&id).await["status"], "cancelled");
        }
        let update = json!({ "taskId": id, "inputResponses": { "nothing": { "action": "accept" } } });
        let acknowledged = operator.ask("tasks/update", update).await.unwrap();
        assert_eq!(without_meta(acknowledged), json!({ "resultType": "complete" }));

        // The end of an id does for people alone.
        for unknown in [JobId::new().to_string(), id[id.len() - 12..].to_owned(), "nothing".to_owned()] {
            for method in ["tasks/get", "tasks/cancel", "tasks/update"] {
                let params = json!({ "taskId": unknown, "inputResponses": {} });
                let error = operator.ask(method, params).await.unwrap_err();
                assert_eq!(error["code"], -32602, "{method} {unknown}: {error}");
            }
        }
        for method in ["tasks/list", "tasks/result"] {
            assert_eq!(operator.ask(method, wanted.clone()).await.unwrap_err()["code"], -32601, "{method}");
        }
    })
    .await;
}

/// Cancelled before anybody has answered, a task is a question taken back; nobody but a person says more to it.
#[tokio::test]
async fn a_task_that_waits_for_a_person_is_taken_back_by_whoever_began_it() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        let boris = place.desk.person(1, Role::Admin).await.actor();
        place.desk.server(1, ServerStatus::Ready, true).await;
        let other = place.door.caller(&token(&place.desk.ops, "other", Role::Admin, None).await);
        let [viewer, operator, other, admin] =
            [&place.viewer, &place.operator, &other, &place.admin].map(Later::with_tasks);
        let id = admin.begin("rebuild_server", json!({ "handle": "vps-1" })).await;
        let wanted = json!({ "taskId": id });
        for (who, code) in [(&viewer, "forbidden"), (&operator, "not-asker"), (&other, "not-asker")] {
            let error = who.ask("tasks/cancel", wanted.clone()).await.unwrap_err();
            assert_eq!((&error["code"], &error["data"]["code"]), (&json!(-32600), &json!(code)), "{error}");
            assert_eq!(admin.task(&id).await["status"], "working");
        }
        let error = other.ask("tasks/cancel", wanted.clone()).await.unwrap_err();
        assert!(error["message"].as_str().unwrap().starts_with("model admin asked for this"), "{error}");

        for _ in 0..2 {
            let acknowledged = admin.ask("tasks/cancel", wanted.clone()).await.unwrap();
            assert_eq!(without_meta(acknowledged), json!({ "resultType": "complete" }));
            let task = admin.task(&id).await;
            assert!(task["status"] == "cancelled" && task["statusMessage"].as_str().unwrap().contains("taken back"));
        }
        let approve = async |id: &str| {
            place.desk.ops.call_by_name(&boris, "approve", &json!({ "approval": id }), None).await.unwrap()
        };
        assert_eq!(approve(&id).await, Answer::Done(json!({ "withdrawn": { "by": "admin" } })));
        assert_eq!(place.desk.count_jobs().await, 0);

        // The token itself takes back what its model asked, and asked anew it is another question.
        let anew = admin.begin("rebuild_server", json!({ "handle": "vps-1" })).await;
        let path = format!("/approvals/{anew}/withdraw");
        place.operator.post(&path, &json!({})).await.problem(403, "not-asker");
        let view = place.admin.post(&path, &json!({})).await.good(200);
        assert_eq!((&view["id"], &view["status"]), (&json!(anew), &json!("cancelled")), "{view}");

        // After the yes it is the job that is called off.
        let allowed = admin.begin("rebuild_server", json!({ "handle": "vps-1" })).await;
        approve(&allowed).await;
        other.ask("tasks/cancel", json!({ "taskId": allowed })).await.unwrap();
        assert_eq!(admin.task(&allowed).await["status"], "cancelled");
        assert_eq!(place.desk.count_jobs().await, 1);
    })
    .await;
}

fn without_meta(mut result: Value) -> Value {
    result.as_object_mut().unwrap().remove("_meta");
    result
}

/// A client is only answered with what it said that it understands.
#[tokio::test]
async fn who_does_not_speak_of_tasks_never_hears_of_one() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        place.desk.server(1, ServerStatus::PendingSetup, true).await;
        place.desk.server(2, ServerStatus::Ready, true).await;
        let (tasks, plain) = (Later::with_tasks(&place.admin), Later::plain(&place.admin));
        let job = plain.call("set_up_server", json!({ "handle": "vps-1" })).await;
        assert_eq!((&job["resultType"], &job["structuredContent"]["joined"]), (&json!("complete"), &json!(false)));
        let asked = plain.call("rebuild_server", json!({ "handle": "vps-2" })).await;
        assert_eq!(asked["structuredContent"]["status"], "awaiting_approval", "{asked}");
        let wanted = json!({ "taskId": job["structuredContent"]["job"] });
        for method in ["tasks/get", "tasks/cancel", "tasks/update"] {
            let params = json!({ "taskId": wanted["taskId"], "inputResponses": {} });
            assert_eq!(plain.ask(method, params).await.unwrap_err()["code"], -32021, "{method}");
        }
        // The revision before knows of no extension, whatever a client of it says.
        let capabilities = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
        let meta = json!({ "io.modelcontextprotocol/clientCapabilities": capabilities });
        let call = json!({ "name": "set_up_server", "arguments": { "handle": "vps-1" }, "task": {}, "_meta": meta });
        let earlier = rpc(&place.admin, "tools/call", &call).await.good(200);
        assert_eq!(earlier["result"]["structuredContent"]["joined"], true, "{earlier}");
        let get = json!({ "taskId": wanted["taskId"], "_meta": meta });
        assert_eq!(rpc(&place.admin, "tasks/get", &get).await.json()["error"]["code"], -32021);

        let known = tasks.ask("server/discover", json!({})).await.unwrap();
        assert!(known["capabilities"]["extensions"]["io.modelcontextprotocol/tasks"].is_object(), "{known}");
        for (client, promised) in [(&tasks, "status"), (&plain, "joined")] {
            let listed = client.ask("tools/list", json!({})).await.unwrap();
            let tool = listed["tools"].as_array().unwrap().iter().find(|tool| tool["name"] == "set_up_server").unwrap();
            assert!(tool["outputSchema"]["properties"][promised].is_object(), "{tool}");
        }
    })
    .await;
}
