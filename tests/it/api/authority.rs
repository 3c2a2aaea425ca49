//! Who is let in, and what they may do there.

use std::time::Duration;

use rackhand_agent::api::Auth;
use rackhand_core::{
    model::{Actor, ActorKind, Role},
    ops::{Answer, OpError, RevokeToken, RevokeTokenInput},
    states::ServerStatus,
    store::Engine,
};
use serde_json::{Value, json};

use super::caller::{Answered, Door, Place, client, token};
use crate::{
    databases::{Database, each_engine},
    desk::{Desk, as_kind},
};

#[tokio::test]
async fn nobody_is_let_in_without_a_good_token() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        let ops = &place.desk.ops;
        let (revoked, old) =
            (token(ops, "revoked", Role::Admin, None).await, token(ops, "old", Role::Admin, Some(1)).await);
        assert_eq!(place.door.caller(&old).get("/servers").await.status, 200);
        ops.call::<RevokeToken>(&Actor::shell(), &RevokeTokenInput { name: "revoked".into() }, None).await.unwrap();
        place.desk.clock.advance(Duration::from_hours(25));
        for secret in [&revoked, &old, "rh_0000", "", "x y"] {
            let answered = place.door.caller(secret).get("/servers").await;
            answered.problem(401, "unauthenticated");
            assert!(answered.header("www-authenticate").starts_with("Bearer"), "{answered:?}");
        }
        let root = &place.viewer.root;
        for path in ["/api/v1/servers", "/servers", "/openapi.json", "/metrics", "/api/jobs"] {
            Answered::of(client().get(format!("{root}{path}"))).await.problem(401, "unauthenticated");
            let query = format!("{root}{path}?access_token={old}");
            Answered::of(client().get(query)).await.problem(401, "unauthenticated");
        }
        let good = token(ops, "good", Role::Viewer, None).await;
        let twice = client().get(format!("{root}/servers")).bearer_auth(&good).bearer_auth(&good);
        Answered::of(twice).await.problem(401, "unauthenticated");
        Answered::of(client().get(format!("{root}/servers")).basic_auth("good", Some(&good)))
            .await
            .problem(401, "unauthenticated");
    })
    .await;
}

#[tokio::test]
async fn only_health_and_the_empty_page_are_for_everybody() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    for path in ["/healthz", "/readyz", "/docs", "/docs/page.js", "/docs/page.css"] {
        let answered = Answered::of(client().get(format!("{}{path}", place.viewer.root))).await;
        assert_eq!(answered.status, 200, "{path}: {answered:?}");
    }
}

#[tokio::test]
async fn what_destroys_waits_for_a_person_whoever_asks() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        place.desk.person(1, Role::Admin).await;
        place.desk.server(1, ServerStatus::Ready, true).await;
        for (ask, key) in [("a", "one"), ("b", "one"), ("c", "two")] {
            let answered = place.admin.post_once("/servers/vps-1/rebuild", key, &json!({})).await;
            let asked = answered.good(202);
            assert_eq!(asked["status"], "awaiting_approval", "{ask}");
            let id = asked["approval_id"].as_str().unwrap();
            assert_eq!(answered.header("location"), format!("/api/v1/approvals/{id}"));
            let shown = place.viewer.get(&format!("/approvals/{id}")).await.good(200);
            assert_eq!((&shown["status"], &shown["requested_by"]), (&json!("asked"), &json!("token admin")));
        }
        assert_eq!(place.viewer.get("/approvals").await.good(200)["items"].as_array().unwrap().len(), 1);
        let patched = place.admin.patch("/servers/vps-1", &json!({ "status": "force_rebuild" })).await.good(202);
        assert_eq!(patched["status"], "awaiting_approval");
        assert_eq!(place.desk.count_jobs().await, 0);
        place.operator.post("/servers/vps-1/rebuild", &json!({})).await.problem(403, "forbidden");
    })
    .await;
}

#[tokio::test]
async fn a_parked_job_is_sent_on_by_programs_but_for_a_wipe() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        let anna = place.desk.person(1, Role::Admin).await;
        for number in 1..=2 {
            place.desk.server(number, ServerStatus::Ready, true).await;
        }
        let begun = place.operator.post("/servers/vps-1/provision", &json!({})).await.good(202);
        let asked = place.admin.post("/servers/vps-2/rebuild", &json!({})).await.good(202);
        let approval = json!({ "approval": asked["approval_id"] });
        let answer = place.desk.ops.call_by_name(&anna.actor(), "approve", &approval, None).await.unwrap();
        let Answer::Done(started) = answer else { panic!("{answer:?}") };
        let retry = |job: &Value| format!("/jobs/{}/retry", job.as_str().unwrap());
        let (set_up, wipe) = (retry(&begun["job"]), retry(&started["started"]["job"]));

        place.operator.post(&set_up, &json!({})).await.problem(409, "illegal");
        db.sql("UPDATE jobs SET status = 'parked', started_at = 1").await.unwrap();
        place.viewer.post(&set_up, &json!({})).await.problem(403, "forbidden");
        assert_eq!(place.operator.post(&set_up, &json!({})).await.good(200)["status"], "queued");

        // The yes to it is a moment old, and was not said to this.
        for caller in [&place.operator, &place.admin] {
            caller.post(&wipe, &json!({})).await.problem(403, "people-only");
        }
        let model = as_kind(&anna, ActorKind::Model);
        let job = json!({ "job": started["started"]["job"] });
        let refused = place.desk.ops.call_by_name(&model, "retry_job", &job, None).await;
        assert!(matches!(refused, Err(OpError::PeopleOnly)), "{refused:?}");
        assert_eq!(db.number("SELECT COUNT(*) FROM jobs WHERE status = 'parked'").await, 1);
        let done = format!(
            "INSERT INTO job_steps (job, seq, name, status, attempt, data, started_at)
             VALUES ('{}', 2, 'reinstall', 'done', 1, 'null', 0)",
            started["started"]["job"].as_str().unwrap()
        );
        db.sql(&done).await.unwrap();
        assert_eq!(place.operator.post(&wipe, &json!({})).await.good(200)["status"], "queued", "it is wiped already");
    })
    .await;
}

#[tokio::test]
async fn without_tokens_only_this_machine_is_answered() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let desk = Desk::new(&db).await;
    let door = Door::with(&desk.ops, Auth::None, 1000).await;
    let caller = door.caller("");
    caller.get("/servers").await.good(200);
    for (name, value) in [
        ("host", "evil.example"),
        ("host", "127.0.0.1.evil.example"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let asked = client().get(format!("{}/servers", caller.root)).header(name, value);
        Answered::of(asked).await.problem(403, "strange-host");
    }
    for name in ["localhost:80", "127.0.0.1", "[::1]:8080"] {
        Answered::of(client().get(format!("{}/servers", caller.root)).header("host", name)).await.good(200);
    }
}

#[tokio::test]
async fn whoever_asks_too_often_is_told_when_to_come_back() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let desk = Desk::new(&db).await;
    let door = Door::with(&desk.ops, Auth::Token, 3).await;
    let (one, two) =
        (token(&desk.ops, "one", Role::Viewer, None).await, token(&desk.ops, "two", Role::Viewer, None).await);
    let (one, two) = (door.caller(&one), door.caller(&two));
    for _ in 0..3 {
        one.get("/servers").await.good(200);
    }
    let refused = one.get("/servers").await;
    refused.problem(429, "too-many-requests");
    assert_eq!(refused.header("retry-after"), "20");
    two.get("/servers").await.good(200);
    desk.clock.advance(Duration::from_secs(20));
    one.get("/servers").await.good(200);
    one.get("/servers").await.problem(429, "too-many-requests");
}
