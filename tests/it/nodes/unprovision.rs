//! Taking a node down: what a person allows, what the job does, and what it says of the disks.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use rackhand_core::{
    clients::ironic::{Patch, Target},
    model::Job,
    states::JobStatus,
    work::{NoWitness, Witness},
};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::lab::{IMAGE, Lab};

fn outcome(job: &Job) -> &str {
    job.outcome.as_ref().map_or("", |outcome| outcome.code.as_str())
}

#[tokio::test]
async fn a_node_is_taken_down_with_and_without_cleaning_and_says_the_truth() {
    let Some(lab) = Lab::new().await else { return };
    let script = json!({ "tear_down_s": 0.5, "clean_s": 1, "clean_wait_s": 2 });
    let worker = lab.work("w", Arc::new(NoWitness));
    for (clean, was, told) in [
        (true, None, "node-free-wiped"),
        (true, Some(false), "node-free-not-wiped"),
        (false, None, "node-free-kept"),
        (false, Some(true), "node-free-kept"),
    ] {
        let node = lab.active(script.clone()).await;
        if let Some(was) = was {
            lab.patch(&node.uuid, &[Patch::add("/automated_clean", was)]).await;
        }
        let approval = lab.ask(node.name.as_deref().unwrap(), clean).await;
        let said = lab.approve(approval).await.unwrap();
        let job = said["started"]["job"].as_str().unwrap().to_owned();
        let begun = lab.call("check_unprovision_status", json!({ "operation_id": node.uuid })).await.unwrap();
        assert_eq!(begun["operation_id"], json!(node.uuid));
        let job = lab.ended(&job).await;
        assert_eq!((job.status, outcome(&job)), (JobStatus::Succeeded, told), "{clean} {was:?}: {job:?}");
        let free = lab.until(&node.uuid, "available").await;
        assert_eq!((free.automated_clean, free.instance_uuid), (was, None), "{clean}");
        let status = lab.call("check_unprovision_status", json!({ "operation_id": node.uuid })).await.unwrap();
        assert_eq!(status["status"], json!("completed"));
        let says_no = status["message"].as_str().unwrap().contains("nothing was wiped");
        assert_eq!(says_no, was == Some(false), "{status}");
        // The approval knows more than the node: without cleaning, that it was without.
        let status = lab.call("check_unprovision_status", json!({ "operation_id": approval })).await.unwrap();
        assert_eq!((&status["status"], &status["operation_id"]), (&json!("completed"), &json!(approval)));
        let says_no = status["message"].as_str().unwrap().contains("nothing was wiped");
        assert_eq!(says_no, told != "node-free-wiped", "{status}");
    }
    worker.abort();
}

#[tokio::test]
async fn what_changed_since_it_was_asked_is_not_taken_down() {
    let Some(lab) = Lab::new().await else { return };
    let node = lab.active(json!({})).await;
    let id = lab.ask(&node.uuid, true).await;
    assert_eq!(lab.ask(node.name.as_deref().unwrap(), true).await, id, "the same question by its other name");
    assert_ne!(lab.ask(&node.uuid, false).await, id);
    lab.patch(&node.uuid, &[Patch::add("/automated_clean", false)]).await;
    let said = lab.approve(id).await.unwrap();
    let changes = said["stale"]["changes"].as_array().unwrap_or_else(|| panic!("{said}"));
    assert!(changes.iter().any(|change| change["what"] == "cleaning" && change["is"] == "off"), "{said}");

    // Somebody else took it down, and somebody else has it now.
    let id = lab.ask(&node.uuid, true).await;
    lab.told(&node.uuid, Target::Deleted, "available").await;
    let gone = lab.approve(id).await.unwrap_err();
    assert_eq!(gone.reason().code, "node-not-provisioned");
    lab.call("provision_server", json!({ "image_id": IMAGE, "server_id": node.uuid })).await.unwrap();
    lab.until(&node.uuid, "active").await;
    let said = lab.approve(id).await.unwrap();
    let changes = said["stale"]["changes"].as_array().unwrap_or_else(|| panic!("{said}"));
    assert!(changes.iter().any(|change| change["what"] == "instance"), "{said}");
    assert_eq!(lab.desk.count_jobs().await, 0);

    // It changes after the yes, before the job begins.
    let job = lab.allowed(&node.uuid, true).await;
    lab.told(&node.uuid, Target::Deleted, "available").await;
    let worker = lab.work("w", Arc::new(NoWitness));
    let parked = lab.ended(&job).await;
    let why = parked.reason.map(|reason| reason.code).unwrap_or_default();
    assert_eq!((parked.status, why.as_str()), (JobStatus::Parked, "node-changed-state"));
    worker.abort();
}

#[tokio::test]
async fn a_second_job_for_a_node_is_refused_and_a_forged_one_does_nothing() {
    let Some(lab) = Lab::new().await else { return };
    let node = lab.active(json!({})).await;
    let (clean, keep) = (lab.ask(&node.uuid, true).await, lab.ask(&node.uuid, false).await);
    let job = lab.approve(clean).await.unwrap()["started"]["job"].as_str().unwrap().to_owned();
    let second = lab.approve(keep).await.unwrap_err();
    assert_eq!(second.reason().code, "busy");
    lab.desk.db.sql("UPDATE jobs SET params = replace(params, '\"clean\":true', '\"clean\":false')").await.unwrap();
    let worker = lab.work("w", Arc::new(NoWitness));
    let parked = lab.ended(&job).await;
    let why = parked.reason.map(|reason| reason.code).unwrap_or_default();
    assert_eq!((parked.status, why.as_str()), (JobStatus::Parked, "not-approved"));
    assert_eq!(lab.ironic.node(&node.uuid).await.unwrap().provision_state.to_string(), "active");
    worker.abort();
}

#[tokio::test]
async fn a_failure_on_the_way_tells_why_and_puts_the_switch_back() {
    let Some(lab) = Lab::new().await else { return };
    let worker = lab.work("w", Arc::new(NoWitness));
    let cases: [(Value, bool, &str); 2] = [
        (json!({ "clean": "fail", "message": "disk 3 does not answer" }), true, "disk 3 does not answer"),
        (json!({ "tear_down": "fail", "message": "no power" }), false, "no power"),
    ];
    for (script, clean, words) in cases {
        let node = lab.active(script).await;
        lab.patch(&node.uuid, &[Patch::add("/automated_clean", true)]).await;
        let job = lab.ended(&lab.allowed(&node.uuid, clean).await).await;
        let why = job.outcome.clone().unwrap();
        assert_eq!((job.status, why.code.as_str()), (JobStatus::Failed, "node-failed"), "{job:?}");
        assert!(why.facts["detail"].contains(words), "{why:?}");
        let left = lab.ironic.node(&node.uuid).await.unwrap();
        assert_eq!(left.automated_clean, Some(true));
        let told = lab.call("check_unprovision_status", json!({ "operation_id": node.uuid })).await.unwrap();
        assert_eq!(told["status"], json!("failed"));
        assert!(told["message"].as_str().unwrap().contains(words), "{told}");
    }
    worker.abort();
}

/// Holds a worker for ever at its n-th commit, as if its process had died there.
struct DiesAt {
    at: usize,
    seen: AtomicUsize,
    dead: Notify,
}

#[async_trait]
impl Witness for DiesAt {
    async fn before(&self, _what: &str) {}
    async fn after(&self, _what: &str) {
        if self.seen.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
            self.dead.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// The worker dies after each of its first commits; another one goes on from the journal to the same end.
#[tokio::test]
async fn whenever_its_worker_dies_the_end_is_the_same() {
    let Some(lab) = Lab::new().await else { return };
    let lab = &lab;
    let tries = (1..=8).map(|at| async move {
        let node = lab.active(json!({ "tear_down_s": 0.3 })).await;
        lab.patch(&node.uuid, &[Patch::add("/automated_clean", true)]).await;
        (at, node.uuid)
    });
    for (at, uuid) in futures::future::join_all(tries).await {
        let job = lab.allowed(&uuid, false).await;
        let witness = Arc::new(DiesAt { at, seen: AtomicUsize::new(0), dead: Notify::new() });
        let doomed = lab.work(&format!("doomed-{at}"), witness.clone());
        witness.dead.notified().await;
        doomed.abort();
        // Whoever served this database is dead: its leases are void.
        let mut tx = lab.ops.store.write().await.unwrap();
        tx.void_leases().await.unwrap();
        tx.commit().await.unwrap();
        let worker = lab.work(&format!("next-{at}"), Arc::new(NoWitness));
        let ended = lab.ended(&job).await;
        worker.abort();
        assert_eq!((ended.status, outcome(&ended)), (JobStatus::Succeeded, "node-free-kept"), "{at}: {ended:?}");
        let free = lab.until(&uuid, "available").await;
        assert_eq!(free.automated_clean, Some(true), "{at}");
        let deletes = lab.between.done("PUT", &format!("{uuid}/states/provision"));
        assert_eq!(deletes, 1, "{at}: taken down once");
    }
}

#[tokio::test]
async fn an_approval_tells_of_its_own_job_whatever_becomes_of_the_node() {
    let Some(lab) = Lab::new().await else { return };
    let node = lab.active(json!({})).await;
    let told = async |id: &Value| lab.call("check_unprovision_status", json!({ "operation_id": id })).await.unwrap();
    let back = json!(lab.ask(&node.uuid, true).await);
    lab.call("withdraw_approval", json!({ "approval": back })).await.unwrap();
    let over = told(&back).await;
    assert!(over["message"].as_str().unwrap().contains("asked for it and took it back"), "{over}");
    assert!(over["status"] == "failed" && over["completed_at"].is_i64(), "{over}");
    let [called_off, done] = [true, false].map(async |clean| {
        let id = lab.ask(&node.uuid, clean).await;
        (json!(id), lab.approve(id).await.unwrap()["started"]["job"].as_str().unwrap().to_owned())
    });
    let (called_off, job) = called_off.await;
    assert_eq!(told(&called_off).await["status"], "in_progress");
    lab.call("cancel_job", json!({ "job": job })).await.unwrap();
    assert_eq!(
        (&told(&called_off).await["status"], lab.ended(&job).await.status),
        (&json!("failed"), JobStatus::Cancelled)
    );

    let (done, job) = done.await;
    let worker = lab.work("w", Arc::new(NoWitness));
    lab.ended(&job).await;
    worker.abort();
    let completed = told(&done).await;
    assert_eq!(completed["status"], "completed", "{completed}");
    // Somebody else has it now.
    let instance = uuid::Uuid::now_v7().to_string();
    lab.patch(&node.uuid, &[Patch::add("/instance_uuid", instance)]).await;
    lab.told(&node.uuid, Target::Active, "active").await;
    let later = told(&done).await;
    assert_eq!((&later["message"], &later["completed_at"]), (&completed["message"], &completed["completed_at"]));
    assert_eq!((&later["status"], &told(&called_off).await["status"]), (&json!("completed"), &json!("failed")));
}
