//! Requests that are sent again, and changes to what somebody else changed meanwhile.

use std::time::Duration;

use futures::future::join_all;
use rackhand_agent::work::Housekeeping;
use rackhand_core::{model::Role, states::ServerStatus, store::Engine, work::Reconciler};
use reqwest::{Method, header::HeaderValue};
use serde_json::json;

use super::caller::{Answered, Door, Place, token};
use crate::{
    databases::{Database, each_engine},
    desk::Desk,
};

#[tokio::test]
async fn the_same_key_gives_the_same_answer_and_another_body_none() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        place.desk.server(1, ServerStatus::PendingSetup, true).await;
        place.desk.server(2, ServerStatus::PendingSetup, true).await;
        let first = place.operator.post_once("/servers/vps-1/provision", "k", &json!({})).await.good(202);
        assert_eq!(first["joined"], false);
        let again = place.operator.post_once("/servers/vps-1/provision", "k", &json!({})).await.good(202);
        assert_eq!(first, again);
        let alias = place.operator.at(Method::POST, "/servers/vps-1/provision").header("Idempotency-Key", "k");
        assert_eq!(Answered::of(alias).await.good(202), first);
        place.operator.post_once("/servers/vps-2/provision", "k", &json!({})).await.problem(409, "key-reused");
        let job = first["job"].as_str().unwrap();
        place.operator.post_once(&format!("/jobs/{job}/cancel"), "k", &json!({})).await.problem(409, "key-reused");
        // Another's key is another key.
        let other = place.admin.post_once("/servers/vps-1/provision", "k", &json!({})).await.good(202);
        assert_eq!(other["joined"], true);
        for key in ["", "a b", &"x".repeat(256), "ключ"] {
            place.operator.post_once("/servers/vps-1/provision", key, &json!({})).await.bad("Idempotency-Key");
        }
        place.operator.post_once("/servers/vps-2/provision", &"x".repeat(255), &json!({})).await.good(202);
        // A process that starts on the same database knows them too.
        let restarted = Door::open(&place.desk.replica().await).await;
        let secret = token(&place.desk.ops, "again", Role::Operator, None).await;
        let caller = place.door.caller(&secret);
        let before = caller.post_once("/servers/vps-1/provision", "r", &json!({})).await.good(202);
        let caller = restarted.caller(&secret);
        assert_eq!(caller.post_once("/servers/vps-1/provision", "r", &json!({})).await.good(202), before);
        caller.post_once("/servers/vps-2/provision", "r", &json!({})).await.problem(409, "key-reused");
    })
    .await;
}

#[tokio::test]
async fn a_key_is_good_for_a_day() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        place.desk.server(1, ServerStatus::PendingSetup, true).await;
        let mut tx = place.desk.store().write().await.unwrap();
        let lease = tx.take_lease("housekeeping", "test", Duration::from_hours(1)).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let keeper = Housekeeping::new(place.desk.ops.clone());
        let ask = async || place.operator.post_once("/servers/vps-1/provision", "daily", &json!({})).await;

        let first = ask().await.good(202);
        assert_eq!(first["joined"], false);
        place.desk.clock.advance(Duration::from_mins(24 * 60 - 1));
        keeper.look(&lease).await.unwrap();
        assert_eq!(ask().await.good(202), first, "the answer of a day ago, not one of now");
        place.desk.clock.advance(Duration::from_mins(61));
        keeper.look(&lease).await.unwrap();
        let anew = ask().await.good(202);
        assert_eq!((&anew["job"], &anew["joined"]), (&first["job"], &json!(true)), "asked anew, it joins the open job");
        assert_eq!(ask().await.good(202), anew, "and that is kept for another day");
    })
    .await;
}

#[tokio::test]
async fn fifty_equal_requests_through_two_replicas_make_one_job() {
    let Some(db) = Database::fresh(Engine::Postgres).await else { return };
    let desk = Desk::new(&db).await;
    desk.server(1, ServerStatus::PendingSetup, true).await;
    let secret = token(&desk.ops, "many", Role::Operator, None).await;
    let doors = [Door::open(&desk.ops).await, Door::open(&desk.replica().await).await];
    let callers = doors.each_ref().map(|door| door.caller(&secret));
    let asked = (0..50).map(|number| {
        let caller = callers[number % 2].clone();
        async move { caller.post_once("/servers/vps-1/provision", "one", &json!({})).await.good(202) }
    });
    let answers = join_all(asked).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(answers[0]["joined"], false);
    assert_eq!(desk.count_jobs().await, 1);
    assert_eq!(db.number("SELECT COUNT(*) FROM audit WHERE target = 'vps-1'").await, 1);
}

#[tokio::test]
async fn what_was_seen_is_told_by_its_tag() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        place.desk.person(1, Role::Admin).await;
        place.desk.server(1, ServerStatus::Ready, true).await;
        let seen = place.viewer.get("/servers/vps-1").await;
        let tag = seen.header("etag").to_owned();
        let get = |tag: &str| place.viewer.request(Method::GET, "/servers/vps-1").header("If-None-Match", tag);
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let answered = Answered::of(get(&known)).await;
            assert_eq!((answered.status.as_u16(), answered.text.as_str()), (304, ""), "{known}");
            assert_eq!(answered.header("etag"), tag);
        }
        Answered::of(get("\"x\"")).await.good(200);
        let patch = |tag: &str| {
            let request = place.admin.request(Method::PATCH, "/servers/vps-1").header("If-Match", tag);
            Answered::of(request.json(&json!({ "status": "force_rebuild" })))
        };
        patch(&tag).await.good(202);
        patch("*").await.good(202);
        db.sql("UPDATE servers SET label = 'another' WHERE handle = 'vps-1'").await.unwrap();
        for old in [&tag, &format!("W/{tag}"), "\"x\"", "nonsense"] {
            patch(old).await.problem(412, "not-as-seen");
        }
        let unreadable = HeaderValue::from_bytes(b"\"\xff\"").unwrap();
        let request = place.admin.request(Method::PATCH, "/servers/vps-1").header("If-Match", unreadable);
        let answered = Answered::of(request.json(&json!({ "status": "force_rebuild" }))).await;
        answered.problem(412, "not-as-seen");
        let now = place.viewer.get("/servers/vps-1").await.header("etag").to_owned();
        assert_ne!(now, tag);
        patch(&now).await.good(202);
    })
    .await;
}

/// Everybody saw the same; one of them was first.
#[tokio::test]
async fn of_changes_to_what_all_saw_one_is_made() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        place.desk.server(1, ServerStatus::Ready, true).await;
        let tag = place.viewer.get("/servers/vps-1").await.header("etag").to_owned();
        let asked = (0..6).map(|number| {
            let request = place.operator.request(Method::PATCH, "/servers/vps-1").header("If-Match", &tag);
            Answered::of(request.json(&json!({ "labels": { "who": number.to_string() } })))
        });
        let answers = join_all(asked).await;
        let with = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((with(200), with(200) + with(412)), (1, answers.len()), "{answers:?}");
        let won = answers.iter().find(|answer| answer.status == 200).unwrap().good(200);
        assert_eq!(place.viewer.get("/servers/vps-1").await.good(200)["server"]["labels"], won["labels"]);
    })
    .await;
}
