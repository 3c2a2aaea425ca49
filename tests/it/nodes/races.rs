//! Many who want a node at once, the same request many times, and processes that die between two calls.

use std::collections::BTreeSet;

use futures::future::join_all;
use rackhand_core::{clients::ironic::Patch, model::Role, ops::OpError};
use serde_json::{Value, json};

use super::{
    between::{Harm, STRANGER},
    lab::{IMAGE, Lab, call_as},
    site::Site,
};
use crate::{
    api::caller::{Answered, Caller},
    databases::each_engine,
    e2e::eventually,
    harness::SOON,
};

/// Over HTTP, at two processes that share nothing but their database and Ironic.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_at_once_for_ten_nodes_get_ten_and_leave_nothing_behind() {
    let Some(site) = Site::on_postgres().await else { return };
    let lab = &site.lab;
    let nodes: BTreeSet<String> =
        join_all((0..10).map(|_| lab.node(json!({})))).await.into_iter().map(|node| node.uuid).collect();
    let (kept, raw) = tokio::join!(lab.node(json!({})), lab.enrolled(json!({})));
    lab.patch(&kept.uuid, &[Patch::add("/maintenance", true)]).await;
    let (_second, root) = site.replica().await;
    let first = site.program("operator");
    let doors = [first.clone(), Caller::new(&root, &first.secret)];
    let wish = json!({ "image_id": IMAGE, "resource_class": lab.class });
    let wishes = (0..20).map(|number| {
        let (door, wish) = (&doors[number % 2], &wish);
        async move { door.post_once("/provision", &format!("wish-{number}"), wish).await }
    });
    let answers = join_all(wishes).await;
    let (got, none): (Vec<Answered>, Vec<Answered>) = answers.into_iter().partition(|answer| answer.status == 202);
    let got: Vec<String> = got.iter().map(|it| it.good(202)["server_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((got.len(), got.iter().cloned().collect::<BTreeSet<_>>()), (10, nodes.clone()));
    for refused in &none {
        assert_eq!(refused.problem(404, "node-none-matches")["detail"], "No available servers matching criteria");
    }
    assert_eq!((none.len(), lab.reserved().await), (10, 10));
    let mut instances = BTreeSet::new();
    for node in &nodes {
        let active = lab.until(node, "active").await;
        assert_eq!(active.extra["rackhand"]["instance"], json!(active.instance_uuid), "one request has it");
        instances.extend(active.instance_uuid);
    }
    assert_eq!((instances.len(), lab.reserved().await), (10, 10));
    for other in [&kept, &raw] {
        let left = lab.ironic.node(&other.uuid).await.unwrap();
        assert_eq!((left.instance_uuid, left.instance_info.is_empty()), (None, true), "nobody reached for it");
        assert!(!left.extra.contains_key("rackhand"), "nor left a note on it");
    }
}

#[tokio::test]
async fn the_same_request_ten_times_at_once_takes_one_node() {
    each_engine(|db| async move {
        let Some(lab) = Lab::on(&db).await else { return };
        join_all((0..3).map(|_| lab.node(json!({ "deploy_s": 1 })))).await;
        let replica = lab.replica().await;
        let input = json!({ "image_id": IMAGE, "resource_class": lab.class });
        let same = (0..10).map(|number| {
            let (lab, replica, input) = (&lab, &replica, &input);
            async move {
                let ops = if number % 2 == 0 { &lab.ops } else { replica };
                call_as(ops, &lab.anna.actor(), input, "same").await.unwrap()
            }
        });
        let answers: BTreeSet<String> =
            join_all(same).await.into_iter().map(|it| it["server_id"].as_str().unwrap().to_owned()).collect();
        assert_eq!((answers.len(), lab.reserved().await), (1, 1));
        let written = lab.desk.db.number("SELECT COUNT(*) FROM audit WHERE outcome = 'done'").await;
        assert_eq!(written, 1, "what was done once is written down once");
        // The same key is another request where somebody else comes with it, and none with another body.
        let boris = lab.desk.person(2, Role::Operator).await;
        let other = call_as(&lab.ops, &boris.actor(), &input, "same").await.unwrap();
        assert!(!answers.contains(other["server_id"].as_str().unwrap()));
        let changed = json!({ "image_id": "another", "resource_class": lab.class });
        let reused = call_as(&lab.ops, &lab.anna.actor(), &changed, "same").await;
        assert!(matches!(reused, Err(OpError::KeyReused)), "{reused:?}");
        // So too where no answer was kept: the node has a note of what was asked for.
        lab.desk.db.sql("DELETE FROM requests").await.unwrap();
        let reused = call_as(&lab.ops, &lab.anna.actor(), &changed, "same").await;
        assert!(matches!(reused, Err(OpError::KeyReused)), "{reused:?}");
        let again = call_as(&lab.ops, &lab.anna.actor(), &input, "same").await.unwrap();
        assert!(answers.contains(again["server_id"].as_str().unwrap()));
    })
    .await;
}

/// The same request ten times at once, here and at a replica, where one node alone will do: all get it, and one answer.
async fn ten_equal_get_the_one(wish: impl Fn(&Lab, &str) -> Value) {
    each_engine(|db| {
        let wish = &wish;
        async move {
            let Some(lab) = Lab::on(&db).await else { return };
            let node = lab.node(json!({ "deploy_s": 1 })).await;
            let (replica, input) = (lab.replica().await, wish(&lab, &node.uuid));
            let same = (0..10).map(|number| {
                let (lab, replica, input) = (&lab, &replica, &input);
                async move {
                    let ops = if number % 2 == 0 { &lab.ops } else { replica };
                    call_as(ops, &lab.anna.actor(), input, "same").await.unwrap()
                }
            });
            let answers = join_all(same).await;
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
            assert_eq!((&answers[0]["server_id"], lab.reserved().await), (&json!(node.uuid), 1));
            lab.until(&node.uuid, "active").await;
            assert_eq!(lab.between.done("PUT", &format!("{}/states/provision", node.uuid)), 1, "begun once");
        }
    })
    .await;
}

#[tokio::test]
async fn the_same_request_ten_times_at_once_for_one_server_gets_it() {
    ten_equal_get_the_one(|_, node| json!({ "image_id": IMAGE, "server_id": node })).await;
}

#[tokio::test]
async fn the_same_request_ten_times_at_once_for_the_last_of_its_kind_gets_it() {
    ten_equal_get_the_one(|lab, _| json!({ "image_id": IMAGE, "resource_class": lab.class })).await;
}

/// Whatever answer is lost, and whatever process dies after it: the same request goes on from there.
#[tokio::test]
async fn a_request_goes_on_from_wherever_it_was_left() {
    let Some(lab) = Lab::new().await else { return };
    for (step, (method, end)) in
        [("PATCH", ""), ("PATCH", ""), ("GET", "/validate"), ("PUT", "/states/provision")].into_iter().enumerate()
    {
        let node = lab.node(json!({ "deploy_s": 1 })).await;
        let end = if end.is_empty() { node.uuid.clone() } else { end.to_owned() };
        if step == 1 {
            // The second change of the node: what is to be installed.
            lab.between.harm(method, &end, Harm::Pass);
        }
        lab.between.harm(method, &end, Harm::LoseAnswer);
        let (input, key) = (json!({ "image_id": IMAGE, "server_id": node.uuid }), format!("left-{step}"));
        let first = call_as(&lab.ops, &lab.anna.actor(), &input, &key).await;
        assert_eq!(lab.between.left(), 0, "{step}: the answer was lost");
        // A process that died wrote no answer down.
        lab.desk.db.sql("DELETE FROM requests").await.unwrap();
        let second = call_as(&lab.replica().await, &lab.anna.actor(), &input, &key).await.unwrap();
        if let Ok(first) = first {
            assert_eq!(first["started_at"], second["started_at"]);
        }
        assert_eq!(second["server_id"], json!(node.uuid), "{method} {end}");
        lab.until(&node.uuid, "active").await;
        assert_eq!(lab.between.count("PUT", &format!("{}/states/provision", node.uuid)), 1, "begun once");
    }
}

/// Who asked first hangs, and the same request takes the reservation over: it began when it was asked for first.
#[tokio::test]
async fn what_is_asked_again_began_when_it_was_first_asked() {
    let Some(lab) = Lab::new().await else { return };
    let node = lab.node(json!({})).await;
    let (ops, replica, anna) = (lab.ops.clone(), lab.replica().await, lab.anna.actor());
    let input = json!({ "image_id": IMAGE, "server_id": node.uuid });
    lab.between.harm("GET", "/validate", Harm::KeepAnswer);
    let (first, wish) = (anna.clone(), input.clone());
    let hangs = tokio::spawn(async move { call_as(&ops, &first, &wish, "slow").await });
    let asked = eventually(SOON, async || (lab.between.left() == 0).then_some(()));
    asked.await.expect("it is reserved, and looked at");
    let reserved = lab.ironic.node(&node.uuid).await.unwrap().extra["rackhand"]["reserved_at"].clone();
    let again = call_as(&replica, &anna, &input, "slow").await.unwrap();
    assert_eq!(again["started_at"], reserved);
    lab.until(&node.uuid, "active").await;
    assert_eq!(lab.between.count("PUT", &format!("{}/states/provision", node.uuid)), 1);
    hangs.abort();
}

/// The reservation was given back while the request took its time, and the node is somebody else's now.
#[tokio::test]
async fn what_somebody_else_took_meanwhile_is_left_to_them() {
    let Some(lab) = Lab::new().await else { return };
    let node = lab.node(json!({})).await;
    lab.between.harm("GET", "/validate", Harm::TakeOver);
    let input = json!({ "image_id": IMAGE, "server_id": node.uuid });
    let refused = call_as(&lab.ops, &lab.anna.actor(), &input, "late").await.unwrap_err();
    assert_eq!(refused.reason().code, "node-not-available");
    assert_eq!(lab.between.count("PUT", "/states/provision"), 0);
    assert_eq!(lab.ironic.node(&node.uuid).await.unwrap().instance_uuid.as_deref(), Some(STRANGER));
}

#[tokio::test]
async fn what_a_dead_process_reserved_is_given_back_after_a_while() {
    let Some(lab) = Lab::new().await else { return };
    let (stale, fresh, foreign) = tokio::join!(lab.node(json!({})), lab.node(json!({})), lab.node(json!({})));
    let reserve = async |uuid: &str, ago_ms: i64| {
        let instance = uuid::Uuid::now_v7().to_string();
        let note = json!({ "reserved_at": lab.ops.clock.now().0 - ago_ms, "instance": instance });
        lab.patch(uuid, &[Patch::add("/instance_uuid", instance), Patch::add("/extra/rackhand", note)]).await;
    };
    reserve(&stale.uuid, 6 * 60_000).await;
    reserve(&fresh.uuid, 60_000).await;
    let theirs = uuid::Uuid::now_v7().to_string();
    lab.patch(&foreign.uuid, &[Patch::add("/instance_uuid", theirs)]).await;
    assert_eq!(lab.ops.release_stale_reservations().await.unwrap(), 1);
    assert_eq!(lab.ops.release_stale_reservations().await.unwrap(), 0);
    for (uuid, has) in [(&stale.uuid, false), (&fresh.uuid, true), (&foreign.uuid, true)] {
        assert_eq!(lab.ironic.node(uuid).await.unwrap().instance_uuid.is_some(), has, "{uuid}");
    }
}
