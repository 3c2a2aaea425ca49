//! Making a managed node available: what a person allows, what the job does, and what it says of the disks.

use std::sync::Arc;

use rackhand_core::{
    clients::ironic::{Node, Patch, Target},
    ids::ApprovalId,
    model::{Actor, ActorKind},
    ops::Answer,
    states::JobStatus,
    work::NoWitness,
};
use serde_json::{Value, json};

use super::{
    between::Harm,
    lab::{At, Lab, outcome},
};

impl Lab {
    /// A node that is manageable, and is cleaned as `automated_clean` says.
    async fn manageable(&self, script: Value, automated_clean: Option<bool>) -> Node {
        let node = self.enrolled(script).await;
        self.told(&node.uuid, Target::Manage, "manageable").await;
        self.patch(&node.uuid, &[Patch::add("/automated_clean", json!(automated_clean))]).await
    }

    /// Asks for it in this person's name, and is asked back.
    async fn ask_as(&self, actor: &Actor, node: &str) -> ApprovalId {
        match self.ops.call_by_name(actor, "provide_node", &json!({ "node": node }), None).await.unwrap() {
            Answer::AwaitingApproval(id) => id,
            Answer::Done(value) => panic!("it just ran: {value}"),
        }
    }

    /// Asks and allows: the job.
    async fn provided(&self, node: &str) -> String {
        let id = self.ask_as(&self.anna.actor(), node).await;
        let said = self.approve(id).await.unwrap();
        said["started"]["job"].as_str().unwrap_or_else(|| panic!("{said} is no start")).to_owned()
    }

    /// How often Ironic was told where the node is to go.
    fn told_of(&self, node: &Node) -> usize {
        self.between.done("PUT", &format!("{}/states/provision", node.uuid))
    }
}

#[tokio::test]
async fn a_node_becomes_available_after_a_yes_and_says_the_truth_of_its_disks() {
    let Some(lab) = Lab::new().await else { return };
    let worker = lab.work("w", Arc::new(NoWitness));
    for (cleaning, lost, told) in [
        (None, "loss-disk", "node-free-wiped"),
        (Some(true), "loss-disk", "node-free-wiped"),
        (Some(false), "loss-none", "node-free-not-wiped"),
    ] {
        let node = lab.manageable(json!({ "clean_s": 1, "clean_wait_s": 2 }), cleaning).await;
        let id = lab.ask_as(&lab.anna.actor(), node.name.as_deref().unwrap()).await;
        assert_eq!(lab.ask_as(&lab.anna.actor(), &node.uuid).await, id, "the same question by its other name");
        let shown = lab.call("show_approval", json!({ "approval": id })).await.unwrap();
        assert_eq!((&shown["plan"]["losses"], &shown["plan"]["target"]), (&json!([lost]), &json!(node.name)));
        let waits = lab.call("get_operation", json!({ "id": id })).await.unwrap();
        assert_eq!(waits["status"], "awaiting_approval");
        assert_eq!((lab.told_of(&node), lab.until(&node.uuid, "manageable").await.uuid), (0, node.uuid.clone()));

        let job = lab.approve(id).await.unwrap()["started"]["job"].as_str().unwrap().to_owned();
        let job = lab.ended(&job).await;
        assert_eq!((job.status, outcome(&job)), (JobStatus::Succeeded, told), "{cleaning:?}: {job:?}");
        assert_eq!(lab.until(&node.uuid, "available").await.automated_clean, cleaning);
        let over = lab.call("get_operation", json!({ "id": id })).await.unwrap();
        assert_eq!((&over["status"], &over["job"]), (&json!("succeeded"), &json!(job.id)));
        assert_eq!(over["message"].as_str().unwrap().contains("nothing was wiped"), cleaning == Some(false), "{over}");
        let again = lab.call("provide_node", json!({ "node": node.uuid })).await.unwrap_err();
        assert_eq!(again.reason().code, "node-wrong-state");
        assert!(again.to_string().contains("it is available"), "{again}");
    }
    worker.abort();
}

/// What a person wanted kept stays until a person says otherwise, whoever asks and by whatever way.
#[tokio::test]
async fn nobody_wipes_by_the_back_door_what_was_to_be_kept() {
    let Some(lab) = Lab::new().await else { return };
    let node = lab.active(json!({ "clean_s": 1 })).await;
    let worker = lab.work("w", Arc::new(NoWitness));
    let kept = lab.ended(&lab.allowed(&node.uuid, false).await).await;
    assert_eq!(outcome(&kept), "node-free-kept");
    for kind in [ActorKind::Token, ActorKind::Model, ActorKind::Person] {
        let actor = Actor { kind, ..lab.anna.actor() };
        lab.ops.call_by_name(&actor, "manage_node", &json!({ "node": node.uuid }), None).await.unwrap();
        let managed = lab.until(&node.uuid, "manageable").await;
        assert_eq!((managed.clean_step, managed.automated_clean), (None, None), "to manage is not to wipe");
        lab.ask_as(&actor, &node.uuid).await;
    }
    worker.abort();
    let left = lab.ironic.node(&node.uuid).await.unwrap();
    assert_eq!(left.provision_state.to_string(), "manageable");
    assert_eq!(lab.desk.db.number("SELECT COUNT(*) FROM jobs WHERE kind = 'provide_node'").await, 0);
}

#[tokio::test]
async fn what_changed_since_it_was_asked_is_not_made_available() {
    let Some(lab) = Lab::new().await else { return };
    let node = lab.manageable(json!({}), Some(false)).await;
    let stale = async |id: ApprovalId, what: &[&str]| {
        let said = lab.approve(id).await.unwrap();
        let changes = said["stale"]["changes"].as_array().unwrap_or_else(|| panic!("{said}")).clone();
        let facts: Vec<&str> = changes.iter().map(|change| change["what"].as_str().unwrap()).collect();
        assert_eq!(facts, what, "{said}");
    };
    // Nothing was to be wiped, and now all of it would be.
    let id = lab.ask_as(&lab.anna.actor(), &node.uuid).await;
    lab.patch(&node.uuid, &[Patch::add("/automated_clean", true)]).await;
    stale(id, &["cleaning", "losses"]).await;
    // It was used and came back.
    let id = lab.ask_as(&lab.anna.actor(), &node.uuid).await;
    lab.told(&node.uuid, Target::Provide, "available").await;
    assert_eq!(lab.approve(id).await.unwrap_err().reason().code, "node-wrong-state");
    lab.told(&node.uuid, Target::Manage, "manageable").await;
    stale(id, &["since"]).await;

    // The same after the yes, before the job begins; and what nobody approved.
    let job = lab.provided(&node.uuid).await;
    let second = lab.ops.call_by_name(&lab.anna.actor(), "provide_node", &json!({ "node": node.uuid }), None).await;
    let Answer::AwaitingApproval(second) = second.unwrap() else { panic!("it just ran") };
    assert_eq!(lab.approve(second).await.unwrap_err().reason().code, "busy");
    lab.told(&node.uuid, Target::Provide, "available").await;
    lab.told(&node.uuid, Target::Manage, "manageable").await;
    let worker = lab.work("w", Arc::new(NoWitness));
    let parked = lab.ended(&job).await;
    assert_eq!((parked.status, parked.reason.unwrap().code.as_str()), (JobStatus::Parked, "node-changed"));
    worker.abort();
    lab.call("cancel_job", json!({ "job": job })).await.unwrap();
    let worker = lab.work("w", Arc::new(NoWitness));
    assert_eq!(lab.ended(&job).await.status, JobStatus::Cancelled);
    worker.abort();

    let job = lab.provided(&node.uuid).await;
    let forge = "UPDATE jobs SET kind = 'unprovision_node', params = '{\"clean\":true,' || substr(params, 2)
         WHERE status = 'queued'";
    lab.desk.db.sql(forge).await.unwrap();
    let worker = lab.work("w", Arc::new(NoWitness));
    let forged = lab.ended(&job).await;
    assert_eq!((forged.status, forged.reason.unwrap().code.as_str()), (JobStatus::Parked, "not-approved"));
    worker.abort();
    assert_eq!(lab.told_of(&node), 0, "Ironic was told nothing by us");
}

#[tokio::test]
async fn a_cleaning_that_fails_tells_why() {
    let Some(lab) = Lab::new().await else { return };
    let node = lab.manageable(json!({ "clean": "fail", "message": "disk 3 does not answer" }), Some(true)).await;
    let worker = lab.work("w", Arc::new(NoWitness));
    let job = lab.ended(&lab.provided(&node.uuid).await).await;
    worker.abort();
    let why = job.outcome.unwrap();
    assert_eq!((job.status, why.code.as_str()), (JobStatus::Failed, "node-failed"), "{why:?}");
    assert!(why.facts["detail"].contains("disk 3 does not answer"), "{why:?}");
    assert_eq!(job.failed_step.as_deref(), Some("await_available"));
    lab.until(&node.uuid, "clean failed").await;
}

/// Whatever call goes wrong, in whatever way: it is made again, and Ironic does it once.
#[tokio::test]
async fn each_call_may_fail_or_lose_its_answer() {
    let Some(lab) = Lab::new().await else { return };
    let worker = lab.work("w", Arc::new(NoWitness));
    let tries = [
        ("GET", Harm::Status(500)),
        ("GET", Harm::LoseAnswer),
        ("PUT", Harm::Status(503)),
        ("PUT", Harm::Status(500)),
        ("PUT", Harm::LoseAnswer),
    ];
    for (method, harm) in tries {
        let node = lab.manageable(json!({ "clean_s": 1 }), Some(true)).await;
        let job = {
            let id = lab.ask_as(&lab.anna.actor(), &node.uuid).await;
            let end = if method == "GET" { node.uuid.clone() } else { format!("{}/states/provision", node.uuid) };
            if method == "GET" {
                // The approval looks first.
                lab.between.harm(method, &end, Harm::Pass);
            }
            lab.between.harm(method, &end, harm.clone());
            lab.approve(id).await.unwrap()["started"]["job"].as_str().unwrap().to_owned()
        };
        let ended = lab.ended(&job).await;
        assert_eq!(lab.between.left(), 0, "{method} {harm:?}");
        assert_eq!((ended.status, outcome(&ended)), (JobStatus::Succeeded, "node-free-wiped"), "{method} {harm:?}");
        assert_eq!(lab.told_of(&node), 1, "{method} {harm:?}: told once");
    }
    worker.abort();
}

/// The worker dies after each of its commits; another one goes on from the journal to the same end.
#[tokio::test]
async fn whenever_its_worker_dies_the_end_is_the_same() {
    let Some(lab) = Lab::new().await else { return };
    let lab = &lab;
    let tries = (1..=6).map(|at| async move { (at, lab.manageable(json!({}), Some(false)).await) });
    for (at, node) in futures::future::join_all(tries).await {
        let job = lab.provided(&node.uuid).await;
        lab.dies_at(At::Commit(at)).await;
        let worker = lab.work(&format!("next-{at}"), Arc::new(NoWitness));
        let ended = lab.ended(&job).await;
        worker.abort();
        assert_eq!((ended.status, outcome(&ended)), (JobStatus::Succeeded, "node-free-not-wiped"), "{at}: {ended:?}");
        lab.until(&node.uuid, "available").await;
        assert_eq!(lab.told_of(&node), 1, "{at}: told once");
    }
}
