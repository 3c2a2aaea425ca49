//! A program's day over REST, with the running program killed at every turn: the next one goes on with the same answers,
//! and Ironic is told nothing twice.

use rackhand_core::clients::ironic::Patch;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    between::Harm,
    lab::IMAGE,
    site::{Site, once, provision, unprovision},
};
use crate::{api::caller::Caller, e2e::eventually, harness::SOON};

#[tokio::test(flavor = "multi_thread")]
async fn nodes_come_and_go_whatever_dies_meanwhile() {
    let Some(mut site) = Site::new().await else { return };
    let program = site.program("admin");
    let lab = &site.lab;
    let (slow, named, kept, free, bad) = tokio::join!(
        lab.node(json!({ "prepare_s": 0.5, "tear_down_s": 2, "clean_s": 1, "clean_wait_s": 2 })),
        lab.node(json!({ "prepare_s": 1.5, "wait_s": 2 })),
        lab.node(json!({})),
        lab.node(json!({})),
        lab.node(json!({ "deploy": "fail", "message": "no disk found" })),
    );
    begun_by_one_and_told_by_another(&mut site, &program, &slow.uuid).await;
    let begun = provision(&program, json!({ "image_id": IMAGE, "server_id": bad.name })).await.good(202);
    assert_eq!((&begun["operation_id"], &begun["status"]), (&json!(bad.uuid), &json!("accepted")));
    watched_by_two(&mut site, &program, named.name.as_deref().unwrap(), &named.uuid).await;

    let by_kind = json!({ "image_id": IMAGE, "resource_class": site.lab.class });
    let by_kind = provision(&program, by_kind).await.good(202)["server_id"].clone();
    let by_nothing = provision(&program, json!({ "image_id": IMAGE })).await.good(202)["server_id"].clone();
    assert_ne!(by_kind, by_nothing);
    assert!([&kept, &free].iter().all(|node| [&by_kind, &by_nothing].contains(&&json!(node.uuid))));
    provision(&program, json!({ "image_id": IMAGE })).await.problem(404, "node-none-matches");
    once(&program, &format!("/provision/{}", kept.uuid), "completed").await;
    let failed = once(&program, &format!("/provision/{}", bad.uuid), "failed").await;
    assert!(failed["message"].as_str().unwrap().contains("no disk found"), "{failed}");
    assert_eq!(failed["provision_state"], "deploy failed");

    cleaned_by_whoever_lives(&mut site, &program, &slow.uuid).await;
    kept_by_whoever_lives(&mut site, &program, &kept.uuid).await;
    refused(&site, &program, &named.uuid).await;
    assert_eq!(program.get(&format!("/provision/{}", bad.name.unwrap())).await.good(200), failed, "whoever is asked");
}

/// Killed when Ironic was told, and nobody heard its answer: the same request goes on from there.
async fn begun_by_one_and_told_by_another(site: &mut Site, program: &Caller, node: &str) {
    let (wish, path) = (json!({ "image_id": IMAGE, "server_id": node }), format!("/provision/{node}"));
    program.get(&path).await.problem(409, "node-not-provisioning");
    let telling = format!("{node}/states/provision");
    site.lab.between.harm("PUT", &telling, Harm::KeepAnswer);
    let asked = program.request(Method::POST, "/provision").header("Idempotency-Key", "wish").json(&wish).send();
    let unheard = tokio::spawn(asked);
    told(site, "PUT", &telling, 1).await;
    site.killed().await;
    assert!(unheard.await.unwrap().is_err(), "nobody is there to answer");
    let audit = program.get("/audit?limit=50").await.good(200);
    let rows = |outcome: &str| {
        let rows = audit["items"].as_array().unwrap().iter();
        rows.filter(|row| row["operation"] == "provision_server" && row["outcome"] == outcome).count()
    };
    assert_eq!((rows("begun"), rows("done")), (1, 0), "what the dead one did left its trace: {audit}");

    let first = program.post_once("/provision", "wish", &wish).await.good(202);
    assert_eq!((&first["operation_id"], &first["server_id"]), (&json!(node), &json!(node)));
    let done = once(program, &path, "completed").await;
    assert_eq!((&done["started_at"], &done["progress_percent"]), (&first["started_at"], &json!(100)));
    assert!(!done["completed_at"].is_null(), "{done}");
    assert_eq!(program.post_once("/provision", "wish", &wish).await.good(202), first, "the same request once more");
    assert_eq!(site.lab.between.count("PUT", &telling), 1, "Ironic was told once");
}

/// Killed between two questions in the middle of the deployment.
async fn watched_by_two(site: &mut Site, program: &Caller, name: &str, node: &str) {
    let first = provision(program, json!({ "image_id": IMAGE, "server_id": name })).await.good(202);
    assert_eq!(first["server_id"], json!(node));
    let mut seen: Vec<(String, Value)> = Vec::new();
    for last in ["wait call-back", "active"] {
        let there = eventually(SOON, async || {
            let now = program.get(&format!("/provision/{node}")).await.good(200);
            assert_eq!(now["started_at"], first["started_at"], "the same at each question");
            let state = now["provision_state"].as_str().unwrap().to_owned();
            let is_there = state == last;
            seen.push((state, now["status"].clone()));
            is_there.then_some(())
        });
        there.await.unwrap_or_else(|| panic!("never {last}"));
        site.killed().await;
    }
    for (state, status) in [("deploying", "in_progress"), ("wait call-back", "in_progress"), ("active", "completed")] {
        assert!(seen.contains(&(state.to_owned(), json!(status))), "{seen:?}");
    }
}

/// Killed while the question is open, while the node is taken down, and once more on the way.
async fn cleaned_by_whoever_lives(site: &mut Site, program: &Caller, node: &str) {
    let telling = format!("{node}/states/provision");
    let before = site.lab.between.done("PUT", &telling);
    let id = unprovision(program, node, true).await;
    let (path, by_node) = (format!("/unprovision/{id}"), format!("/unprovision/{node}"));
    site.killed().await;
    assert_eq!(unprovision(program, node, true).await, id, "the same question");
    for path in [&path, &by_node] {
        let waits = program.get(path).await.good(200);
        assert_eq!((&waits["status"], &waits["server_id"]), (&json!("awaiting_approval"), &json!(node)), "{waits}");
    }
    assert_eq!(site.lab.between.done("PUT", &telling), before, "nothing before the press");
    site.answer(node, "Approve").await;
    for states in [["deleting"].as_slice(), &["deleting", "cleaning", "clean wait", "available"]] {
        let there = eventually(SOON, async || {
            let now = program.get(&path).await.good(200);
            states.contains(&now["provision_state"].as_str().unwrap()).then_some(())
        });
        there.await.unwrap_or_else(|| panic!("never {states:?}"));
        site.killed().await;
    }
    let done = once(program, &path, "completed").await;
    assert_eq!((&done["operation_id"], &done["provision_state"]), (&json!(id), &json!("available")));
    assert_eq!(program.get(&by_node).await.good(200)["status"], "completed");
    once(program, &format!("/operations/{id}"), "succeeded").await;
    assert_eq!(site.lab.between.done("PUT", &telling), before + 1, "taken down once");
}

/// Killed each time when Ironic did what it was told, and nobody heard so.
async fn kept_by_whoever_lives(site: &mut Site, program: &Caller, node: &str) {
    site.lab.patch(node, &[Patch::add("/automated_clean", true)]).await;
    let id = unprovision(program, node, false).await;
    let telling = format!("{node}/states/provision");
    for (turn, (method, end)) in [("PATCH", node), ("PUT", &telling), ("PATCH", node)].into_iter().enumerate() {
        let before = site.lab.between.done(method, end);
        site.lab.between.harm(method, end, Harm::KeepAnswer);
        if turn == 0 {
            site.answer(node, "Approve").await;
        } else {
            site.killed().await;
        }
        told(site, method, end, before + 1).await;
    }
    assert_eq!(program.get(&format!("/unprovision/{id}")).await.good(200)["status"], "in_progress", "not yet put back");
    site.killed().await;
    let done = once(program, &format!("/unprovision/{id}"), "completed").await;
    assert_eq!(done["provision_state"], "available");
    let operation = once(program, &format!("/operations/{id}"), "succeeded").await;
    assert!(operation["message"].as_str().unwrap().contains("nothing was wiped"), "{operation}");
    let free = site.lab.until(node, "available").await;
    assert_eq!((free.automated_clean, free.instance_uuid), (Some(true), None));
    assert_eq!(site.lab.between.done("PUT", &telling), 2, "up once and down once");
}

/// A no, and what is told afterwards of the question and of the node.
async fn refused(site: &Site, program: &Caller, node: &str) {
    let id = unprovision(program, node, true).await;
    site.answer(node, "Refuse").await;
    let over = once(program, &format!("/unprovision/{id}"), "failed").await;
    assert!(over["message"].as_str().unwrap().contains("@anna refused it"), "{over}");
    program.get(&format!("/unprovision/{node}")).await.problem(409, "node-not-unprovisioning");
    assert_eq!(program.get(&format!("/provision/{node}")).await.good(200)["status"], "completed");
}

/// Waits until Ironic did so much of this.
async fn told(site: &Site, method: &str, end: &str, times: usize) {
    let done = eventually(SOON, async || (site.lab.between.done(method, end) >= times).then_some(())).await;
    done.unwrap_or_else(|| panic!("{method} …{end} was not done {times} times"));
}
