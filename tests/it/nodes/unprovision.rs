//! Taking a node down: what a person allows, what the job does, and what it says of the disks.

use std::sync::Arc;

use rackhand_core::{
    clients::ironic::{Patch, Target},
    ops::ironic::patiently,
    states::JobStatus,
    work::NoWitness,
};
use serde_json::{Value, json};

use super::lab::{At, IMAGE, Lab, outcome};

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

/// What was put on a node after the question is not what was asked about, whoever it is used for.
#[tokio::test]
async fn what_was_deployed_anew_since_it_was_asked_is_not_taken_down() {
    let Some(lab) = Lab::new().await else { return };
    for standalone in [true, false] {
        let node = if standalone {
            let node = lab.node(json!({})).await;
            lab.told(&node.uuid, Target::Active, "active").await
        } else {
            lab.active(json!({})).await
        };
        let image = |name: &str| {
            let url = format!("http://anna:canary@127.0.0.1:1/{name}.raw?signature=canary");
            [Patch::add("/instance_info/image_source", url), Patch::add("/instance_info/image_checksum", "00")]
        };
        lab.patch(&node.uuid, &image("old")).await;
        let id = lab.ask(&node.uuid, true).await;
        let shown = lab.call("show_approval", json!({ "approval": id })).await.unwrap();
        assert_eq!(shown["plan"]["identity"]["image"], "http://127.0.0.1:1/old.raw", "{shown}");
        assert!(!shown.to_string().contains("canary"), "{shown}");

        lab.patch(&node.uuid, &image("new")).await;
        let anew = lab.told(&node.uuid, Target::Rebuild, "active").await;
        let said = lab.approve(id).await.unwrap();
        let changes = said["stale"]["changes"].as_array().unwrap_or_else(|| panic!("{said}"));
        let facts: Vec<&str> = changes.iter().map(|change| change["what"].as_str().unwrap()).collect();
        assert_eq!(facts, ["image", "since"], "{said}");
        let left = lab.ironic.node(&node.uuid).await.unwrap();
        assert_eq!(left.provision_updated_at, anew.provision_updated_at, "untouched");
        assert_eq!(lab.between.done("PUT", &format!("{}/states/provision", node.uuid)), 0);

        // The same image once more: only the moment tells, and so it does to a job that was not begun yet.
        let job = lab.allowed(&node.uuid, true).await;
        lab.told(&node.uuid, Target::Rebuild, "active").await;
        let worker = lab.work("w", Arc::new(NoWitness));
        let parked = lab.ended(&job).await;
        worker.abort();
        let why = parked.reason.unwrap();
        assert_eq!((parked.status, why.code.as_str()), (JobStatus::Parked, "node-changed"));
        assert_eq!(why.facts["what"], "since");
        assert_eq!(lab.between.done("PUT", &format!("{}/states/provision", node.uuid)), 0);
    }
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
        lab.dies_at(At::Commit(at)).await;
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

/// Whoever has the node next is wiped after, too, however quick they are.
#[tokio::test]
async fn the_switch_goes_back_though_somebody_has_the_node_already() {
    let Some(lab) = Lab::new().await else { return };
    let node = lab.active(json!({})).await;
    lab.patch(&node.uuid, &[Patch::add("/automated_clean", true)]).await;
    let job = lab.allowed(&node.uuid, false).await;
    lab.dies_at(At::After("await_available:result")).await;
    lab.patch(&node.uuid, &[Patch::add("/extra/script", json!({ "wait_s": -1 }))]).await;
    lab.told(&node.uuid, Target::Active, "wait call-back").await;
    let worker = lab.work("next", Arc::new(NoWitness));
    let waits = lab.waiting(&job, "node-switch-waits").await;
    assert!(waits.reason.unwrap().text.contains("state transition"), "it says what it waits for");
    let status = lab.call("get_operation", json!({ "id": job })).await.unwrap();
    assert_eq!(status["status"], "waiting", "{status}");
    assert!(status["message"].as_str().unwrap().contains("cannot be switched back yet"), "{status}");
    lab.told(&node.uuid, Target::Abort, "deploy failed").await;
    let ended = lab.ended(&job).await;
    worker.abort();
    assert_eq!((ended.status, outcome(&ended)), (JobStatus::Succeeded, "node-free-kept"), "{ended:?}");
    assert_eq!(lab.ironic.node(&node.uuid).await.unwrap().automated_clean, Some(true));
}

/// What failed is taken down once more by somebody else, while the job cleans up after itself.
#[tokio::test]
async fn a_job_that_failed_puts_the_switch_back_once_the_node_rests() {
    let Some(lab) = Lab::new().await else { return };
    let node = lab.active(json!({ "tear_down": "fail", "message": "no power" })).await;
    lab.patch(&node.uuid, &[Patch::add("/automated_clean", true)]).await;
    let job = lab.allowed(&node.uuid, false).await;
    lab.dies_at(At::After("await_available:failed")).await;
    lab.until(&node.uuid, "error").await;
    lab.patch(&node.uuid, &[Patch::add("/extra/script", json!({ "tear_down_s": 6 }))]).await;
    patiently(&lab.ops.clock, || lab.ironic.provision(&node.uuid, Target::Deleted, None)).await.unwrap();
    let worker = lab.work("next", Arc::new(NoWitness));
    lab.waiting(&job, "node-still-going").await;
    let ended = lab.ended(&job).await;
    worker.abort();
    assert_eq!((ended.status, outcome(&ended)), (JobStatus::Failed, "node-failed"), "{ended:?}");
    assert_eq!(lab.until(&node.uuid, "available").await.automated_clean, Some(true));
}
