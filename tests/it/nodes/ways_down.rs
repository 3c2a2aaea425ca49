//! An unprovisioning from its beginning to its end: one beginning at every question, nobody calls it off half-way, and a
//! machine that breaks down on the way is no end.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    http::StatusCode,
    routing::{get, put},
};
use rackhand_core::{
    clients::ironic::{Patch, Target},
    clock::SystemClock,
    model::Role,
    ops::Ops,
    states::JobStatus,
    store::Engine,
    work::NoWitness,
};
use serde_json::{Value, json};

use super::{
    between::Harm,
    lab::{IMAGE, Lab, client, done, work},
};
use crate::{databases::Database, desk::Desk, e2e::eventually, harness::SOON};

const CHECK: &str = "check_unprovision_status";

impl Lab {
    async fn down(&self, id: &Value) -> Value {
        self.call(CHECK, json!({ "operation_id": id })).await.unwrap()
    }

    async fn job_of(&self, approval: &Value) -> String {
        let said = self.approve(approval.as_str().unwrap().parse().unwrap()).await.unwrap();
        said["started"]["job"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn one_unprovisioning_began_at_one_moment_whenever_and_however_it_is_asked_about() {
    let Some(lab) = Lab::new().await else { return };
    let node = lab.node(json!({ "tear_down_s": 0.5, "clean_s": 1, "clean_wait_s": 1 })).await;
    let wish = json!({ "image_id": IMAGE, "server_id": node.uuid });
    let provisioned = lab.call("provision_server", wish).await.unwrap();
    lab.until(&node.uuid, "active").await;
    let (by_node, by_approval) = (json!(node.uuid), json!(lab.ask(&node.uuid, true).await));
    let job = lab.job_of(&by_approval).await;
    let began = json!(lab.ops.store.read().await.unwrap().require_job(job.parse().unwrap()).await.unwrap().created_at);
    assert_ne!(began, provisioned["started_at"]);

    let worker = lab.work("w", Arc::new(NoWitness));
    let mut seen = std::collections::BTreeSet::new();
    let all_along = eventually(SOON, async || {
        let told = [lab.down(&by_node).await, lab.down(&by_approval).await];
        for told in &told {
            assert_eq!(told["started_at"], began, "{told}");
            seen.insert(told["provision_state"].as_str().unwrap().to_owned());
        }
        told.iter().all(|told| told["status"] == "completed").then_some(())
    });
    all_along.await.expect("it is done");
    worker.abort();
    assert!(seen.len() > 2, "{seen:?}");

    // The list of jobs says which node it was.
    let listed = lab.call("list_jobs", json!({})).await.unwrap();
    let about = json!({ "uuid": node.uuid, "name": node.name });
    assert_eq!((&listed["items"][0]["node"], &listed["items"][0]["server"]), (&about, &Value::Null));
    assert_eq!(lab.call("show_job", json!({ "job": job })).await.unwrap()["node"], about);

    // Somebody else's is not that job's.
    let instance = uuid::Uuid::now_v7().to_string();
    lab.patch(&node.uuid, &[Patch::add("/instance_uuid", instance)]).await;
    lab.told(&node.uuid, Target::Active, "active").await;
    lab.told(&node.uuid, Target::Deleted, "available").await;
    let others = lab.down(&by_node).await;
    assert!(others["started_at"].as_i64() > began.as_i64(), "{others}");
    assert_eq!(lab.down(&by_approval).await["started_at"], began);
}

/// To stop following would be to put the switch back while Ironic is at it, and so to wipe what was to be kept.
#[tokio::test]
async fn what_ironic_was_told_is_not_called_off_and_the_switch_goes_back_at_its_end() {
    let Some(lab) = Lab::new().await else { return };
    let worker = lab.work("w", Arc::new(NoWitness));
    for (clean, state, end) in [(true, "clean wait", "node-free-wiped"), (false, "deleting", "node-free-kept")] {
        let node = lab.active(json!({ "tear_down_s": 2, "clean_s": 1, "clean_wait_s": 3 })).await;
        lab.patch(&node.uuid, &[Patch::add("/automated_clean", true)]).await;
        let (by_node, by_approval) = (json!(node.uuid), json!(lab.ask(&node.uuid, clean).await));
        let job = lab.job_of(&by_approval).await;
        lab.in_state(&node.uuid, state).await;
        let refused = lab.call("cancel_job", json!({ "job": job })).await.unwrap_err();
        assert_eq!(refused.reason().code, "node-past-calling-off");
        assert!(refused.to_string().contains("cannot stop"), "{refused}");
        for id in [&by_node, &by_approval] {
            assert_eq!(lab.down(id).await["status"], "in_progress");
        }
        let ended = lab.ended(&job).await;
        let why = ended.outcome.map(|why| why.code).unwrap_or_default();
        assert_eq!((ended.status, why.as_str()), (JobStatus::Succeeded, end));
        assert_eq!(lab.until(&node.uuid, "available").await.automated_clean, Some(true));
    }
    worker.abort();
}

/// Our login is taken away half-way: the job is parked, and whoever gives it up then is told what goes on without it.
#[tokio::test]
async fn a_job_that_was_parked_half_way_is_given_up_without_a_wipe_and_without_a_lie() {
    let Some(lab) = Lab::new().await else { return };
    let worker = lab.work("w", Arc::new(NoWitness));
    let [kept, wiped] = [false, true].map(async |clean| {
        let node = lab.active(json!({ "tear_down_s": 8, "clean_s": 1, "clean_wait_s": 3 })).await;
        lab.patch(&node.uuid, &[Patch::add("/automated_clean", true)]).await;
        let approval = json!(lab.ask(&node.uuid, clean).await);
        let job = lab.job_of(&approval).await;
        lab.in_state(&node.uuid, "deleting").await;
        lab.at_step(&job, "await_available").await;
        lab.between.harm("GET", &node.uuid, Harm::Answer(403, r#"{"error_message": {"faultstring": "Forbidden"}}"#));
        let parked = lab.ended(&job).await;
        assert_eq!((parked.status, parked.reason.unwrap().code.as_str()), (JobStatus::Parked, "ironic-away"));
        lab.call("cancel_job", json!({ "job": job })).await.unwrap();
        (node.uuid, approval, job)
    });

    let (uuid, approval, job) = kept.await;
    // The switch is not put back while Ironic looks at it.
    lab.waiting(&job, "node-still-going").await;
    assert_eq!(lab.down(&approval).await["status"], "in_progress");
    assert_eq!(lab.ironic.node(&uuid).await.unwrap().automated_clean, Some(false));
    assert_eq!(lab.ended(&job).await.status, JobStatus::Cancelled);
    assert_eq!(lab.until(&uuid, "available").await.automated_clean, Some(true));

    let (_, approval, job) = wiped.await;
    assert_eq!(lab.ended(&job).await.status, JobStatus::Cancelled);
    let told = lab.down(&approval).await;
    assert_eq!(told["status"], "in_progress", "{told}");
    assert!(told["message"].as_str().unwrap().contains("no longer follows it"), "{told}");
    let gone_on = eventually(SOON, async || {
        let told = lab.down(&approval).await;
        (told["status"] == "completed").then_some(told)
    });
    let gone_on = gone_on.await.expect("Ironic goes on");
    assert_eq!(gone_on["started_at"], told["started_at"]);
    worker.abort();
}

impl Lab {
    async fn in_state(&self, uuid: &str, state: &str) {
        let there = eventually(SOON, async || {
            (self.ironic.node(uuid).await.unwrap().provision_state.to_string() == state).then_some(())
        });
        there.await.unwrap_or_else(|| panic!("{uuid} is never {state}"));
    }

    async fn at_step(&self, job: &str, step: &str) {
        let there = eventually(SOON, async || {
            let job = self.ops.store.read().await.unwrap().require_job(job.parse().unwrap()).await.unwrap();
            (job.step.as_deref() == Some(step)).then_some(())
        });
        there.await.unwrap_or_else(|| panic!("{job} is never at {step}"));
    }
}

/// An Ironic whose only node is what the test says; told to take it down, it begins.
async fn ironic_of(node: Arc<Mutex<Value>>) -> String {
    let (shown, patched, told) = (node.clone(), node.clone(), node);
    let versions = get(|| async { [("X-OpenStack-Ironic-API-Maximum-Version", "1.115")] });
    let show = |node: &Mutex<Value>| node.lock().unwrap().to_string();
    let router = Router::new()
        .route("/v1", versions)
        .route("/v1/nodes/{id}", get(move || async move { show(&shown) }).patch(move || async move { show(&patched) }))
        .route(
            "/v1/nodes/{id}/states/provision",
            put(move || async move {
                told.lock().unwrap()["provision_state"] = json!("deleting");
                StatusCode::ACCEPTED
            }),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// Ironic keeps it out of use half-way: that is told as a failure, and the job waits, for it may go on. A node that comes
/// to rest out of use is no success.
#[tokio::test]
async fn a_machine_that_breaks_down_on_its_way_is_waited_for_and_at_its_end_is_no_success() {
    let faulty = json!({ "maintenance": true, "fault": "power failure", "maintenance_reason": "the BMC is gone" });
    let sound = json!({ "maintenance": false, "fault": null, "maintenance_reason": null });
    for (at_end, status, code) in
        [(&sound, JobStatus::Succeeded, "node-free-wiped"), (&faulty, JobStatus::Failed, "node-failed")]
    {
        let db = Database::fresh(Engine::Sqlite).await.unwrap();
        let desk = Desk::new(&db).await;
        let recorded = include_str!("../../../core/src/clients/ironic/fixtures/node_failed.json");
        let node = Arc::new(Mutex::new(serde_json::from_str::<Value>(recorded).unwrap()));
        let is = |fields: &Value| {
            node.lock().unwrap().as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        };
        is(&json!({ "provision_state": "active", "reservation": null, "protected": false, "last_error": null }));
        is(&json!({ "automated_clean": null }));
        is(&sound);
        let ironic = Some(client(&ironic_of(node.clone()).await));
        let ops = Ops { clock: Arc::new(SystemClock), ironic, ..desk.ops.clone() };
        let anna = desk.person(1, Role::Admin).await.actor();
        let uuid = node.lock().unwrap()["uuid"].clone();
        let ask = |name: &'static str, input: Value| {
            let (ops, anna) = (&ops, &anna);
            async move { ops.call_by_name(anna, name, &input, None).await }
        };
        let asked = ask("unprovision_server", json!({ "server_id": uuid })).await.unwrap();
        let rackhand_core::ops::Answer::AwaitingApproval(approval) = asked else { panic!("{asked:?}") };
        let said = done(ask("approve", json!({ "approval": approval })).await).unwrap();
        let job = said["started"]["job"].as_str().unwrap().to_owned();
        let worker = work(&ops, "w", Arc::new(NoWitness));
        let once = async |wanted: JobStatus, code: &str| {
            let found = eventually(SOON, async || {
                let job = ops.store.read().await.unwrap().require_job(job.parse().unwrap()).await.unwrap();
                let why = job.outcome.clone().or(job.reason.clone()).map(|why| why.code).unwrap_or_default();
                (job.status == wanted && why == code).then_some(job)
            });
            found.await.unwrap_or_else(|| panic!("never {wanted} with {code}"))
        };
        once(JobStatus::Waiting, "node-moves").await;

        is(&json!({ "provision_state": "clean wait", "clean_step": { "step": "erase", "interface": "deploy" } }));
        is(&faulty);
        once(JobStatus::Waiting, "node-halted").await;
        for id in [&uuid, &json!(approval)] {
            let told = done(ask(CHECK, json!({ "operation_id": id })).await).unwrap();
            assert_eq!(told["status"], "failed", "{told}");
            assert!(told["message"].as_str().unwrap().contains("(power failure): the BMC is gone"), "{told}");
        }
        is(&sound);
        once(JobStatus::Waiting, "node-moves").await;

        is(&json!({ "provision_state": "available", "clean_step": null }));
        is(at_end);
        let ended = once(status, code).await;
        worker.abort();
        for id in [&uuid, &json!(approval)] {
            let told = done(ask(CHECK, json!({ "operation_id": id })).await).unwrap();
            assert_eq!(told["status"] == "completed", status == JobStatus::Succeeded, "{told}");
            assert_eq!(told["started_at"], json!(ended.created_at), "{told}");
        }
    }
}
