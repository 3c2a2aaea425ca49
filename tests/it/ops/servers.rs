//! Operations on servers and their jobs: what is left alone, what is refused, what joins.

use std::time::Duration;

use rackhand_agent::work::Rebuilds;
use rackhand_core::{
    model::Role,
    ops::{OpError, PROVISION_VPS, table},
    states::{JobStatus, ServerStatus},
    work::Reconciler,
};
use serde_json::json;

use super::{answer, call, job_of, on};
use crate::{databases::each_engine, desk::Desk};

/// Operations on a server that only change what we say of it: nothing is done to the server itself.
const ABOUT: [&str; 6] =
    ["show_server", "label_server", "manage_server", "unmanage_server", "reserve_server", "release_server"];

#[tokio::test]
async fn unmanaged_and_reserved_servers_are_left_alone_whoever_asks() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Admin).await;
        let states = [
            (ServerStatus::Discovered, false, "unmanaged"),
            (ServerStatus::Ready, false, "unmanaged"),
            (ServerStatus::Reserved, true, "reserved"),
            (ServerStatus::Reserved, false, "reserved"),
            (ServerStatus::Decommissioned, true, "decommissioned"),
        ];
        let mut tried = 0;
        for (number, (status, managed, expected)) in (1..).zip(states) {
            let server = desk.server(number, status, managed).await;
            let takes_handle = |schema: schemars::Schema| {
                let required = schema.get("required").and_then(|list| list.as_array().cloned()).unwrap_or_default();
                required.contains(&json!("handle"))
            };
            for entry in table().iter().filter(|entry| takes_handle((entry.input)())) {
                let name = entry.spec.name;
                if ABOUT.contains(&name) {
                    continue;
                }
                for actor in [anna.actor(), rackhand_core::model::Actor::system("reconciler")] {
                    let input = json!({ "handle": server.handle });
                    let said = desk.ops.call_by_name(&actor, name, &input, None).await;
                    let people = entry.spec.people_only && actor.user.is_none();
                    let left = matches!(&said, Err(OpError::Untouchable { why, .. }) if *why == expected);
                    assert!(left || people && matches!(said, Err(OpError::PeopleOnly)), "{name}, {status}: {said:?}");
                    tried += 1;
                }
            }
            assert_eq!(desk.store().read().await.unwrap().require_server(server.id).await.unwrap().status, status);
        }
        assert_eq!(tried, 5 * 4 * 2, "provision, rebuild, force_rebuild and reset_attempts");
        let reserved = on(&desk.ops, &anna, "manage_server", "vps-3").await;
        assert!(matches!(reserved, Err(OpError::Untouchable { why: "reserved", .. })), "{reserved:?}");
        assert_eq!(desk.count_jobs().await, 0);
    })
    .await;
}

#[tokio::test]
async fn after_too_many_attempts_a_person_has_to_look() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Admin).await;
        let server = desk.server(1, ServerStatus::Error, true).await;
        db.sql("UPDATE servers SET provisioning_attempts = 3").await.unwrap();
        for name in ["set_up_server", "rebuild_server", "force_rebuild_server"] {
            let said = on(&desk.ops, &anna, name, &server.handle).await;
            assert!(matches!(said, Err(OpError::AttemptsSpent { attempts: 3, .. })), "{name}: {said:?}");
        }
        on(&desk.ops, &anna, "reset_attempts", &server.handle).await.unwrap();
        job_of(&on(&desk.ops, &anna, "set_up_server", &server.handle).await);
        db.sql("UPDATE servers SET address = NULL").await.unwrap();
        let again = on(&desk.ops, &anna, "set_up_server", &server.handle).await;
        assert!(matches!(again, Err(OpError::NoAddress(_))), "{again:?}");
    })
    .await;
}

#[tokio::test]
async fn asked_by_twenty_at_once_there_is_one_job() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Operator).await;
        let replicas = [desk.ops.clone(), desk.replica().await];
        for (number, key) in [(1, None), (2, Some("the same key"))] {
            let server = desk.server(number, ServerStatus::Ready, true).await;
            let asking: Vec<_> = (0..20)
                .map(|at| {
                    let (ops, actor) = (replicas[at % 2].clone(), anna.actor());
                    let input = json!({ "handle": server.handle });
                    tokio::spawn(async move { ops.call_by_name(&actor, "set_up_server", &input, key).await })
                })
                .collect();
            let mut said = Vec::new();
            for one in asking {
                said.push(one.await.unwrap());
            }
            let first = job_of(&said[0]);
            assert!(said.iter().all(|one| job_of(one) == first), "{said:?}");
            assert_eq!(desk.count_jobs().await, i64::from(number));
            if key.is_some() {
                let text: std::collections::HashSet<_> = said.iter().map(|one| format!("{one:?}")).collect();
                assert_eq!(text.len(), 1, "the same key, the same answer: {text:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_job_is_called_off_wherever_it_is() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Operator).await;
        let cases = [
            ("queued", "NULL", "cancelled"),
            ("queued", "5", "queued"),
            ("waiting", "5", "queued"),
            ("parked", "5", "queued"),
            ("running", "5", "running"),
        ];
        for (number, (status, started, expected)) in (1..).zip(cases) {
            let server = desk.server(number, ServerStatus::Ready, true).await;
            let id = job_of(&on(&desk.ops, &anna, "set_up_server", &server.handle).await);
            let lease = if status == "running" { "1" } else { "NULL" };
            let set = format!("status = '{status}', started_at = {started}, lease_until = {lease}");
            db.sql(&format!("UPDATE jobs SET {set} WHERE id = '{id}'")).await.unwrap();
            for _ in 0..2 {
                let said = call(&desk.ops, &anna, "cancel_job", &json!({ "job": id.short() })).await;
                let repeated = matches!(said, Err(OpError::Illegal(_))) && expected == "cancelled";
                assert!(said.is_ok() || repeated, "{status}: {said:?}");
            }
            let job = desk.store().read().await.unwrap().require_job(id).await.unwrap();
            assert_eq!((job.status.to_string().as_str(), job.cancel_requested), (expected, true), "{status}");
            let ended = job.status == JobStatus::Cancelled;
            assert_eq!((job.finished_at.is_some(), job.outcome.is_some()), (ended, ended), "{status}");
        }
    })
    .await;
}

#[tokio::test]
async fn jobs_are_named_by_their_end_and_only_parked_ones_are_sent_on() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Operator).await;
        let server = desk.server(1, ServerStatus::Ready, true).await;
        let id = job_of(&on(&desk.ops, &anna, "set_up_server", &server.handle).await);
        let retry = |name: String| {
            let (ops, anna) = (desk.ops.clone(), anna.clone());
            async move { call(&ops, &anna, "retry_job", &json!({ "job": name })).await }
        };
        assert!(matches!(retry(id.short()).await, Err(OpError::Illegal(_))));
        db.sql("UPDATE jobs SET status = 'parked', started_at = 1").await.unwrap();
        for name in ["", "abc", "%%%%", "00000000", "ёжик"] {
            assert!(matches!(retry(name.to_owned()).await, Err(OpError::NotFound { .. })), "{name}");
        }
        retry(format!(" {} ", id.to_string().to_uppercase())).await.unwrap();
        db.sql("UPDATE jobs SET status = 'parked'").await.unwrap();
        db.sql("UPDATE servers SET managed = 0").await.unwrap();
        assert!(matches!(retry(id.short()).await, Err(OpError::Untouchable { .. })));
    })
    .await;
}

#[tokio::test]
async fn a_persons_no_holds_against_what_a_status_asks_for() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Admin).await;
        desk.server(1, ServerStatus::ForceRebuild, true).await;
        let fresh = desk.server(2, ServerStatus::PendingSetup, true).await;
        let rebuilds = Rebuilds::new(desk.ops.clone());
        let mut tx = desk.store().write().await.unwrap();
        let lease = tx.take_lease("rebuilds", "test", Duration::from_hours(9)).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let look = async || {
            rebuilds.look(&lease).await.unwrap();
            rebuilds.look(&lease).await.unwrap();
            let asked = db.number("SELECT COUNT(*) FROM approvals").await;
            (asked, db.number("SELECT COUNT(*) FROM jobs").await)
        };
        assert_eq!(look().await, (1, 1), "each is asked for once");
        let audited = db.number("SELECT COUNT(*) FROM audit").await;

        let approval = desk
            .store()
            .read()
            .await
            .unwrap()
            .approvals(true, &rackhand_core::store::Slice::first(1))
            .await
            .unwrap()
            .remove(0)
            .id;
        // Late, and yet in time: it is the answer that counts, not the question.
        let nearly = desk.ops.limits.approval_life.saturating_sub(Duration::from_secs(1));
        desk.clock.advance(nearly);
        answer(&desk.ops, &anna, "refuse", approval).await.unwrap();
        let job = desk.store().read().await.unwrap().open_job(PROVISION_VPS, fresh.id).await.unwrap().unwrap();
        call(&desk.ops, &anna, "cancel_job", &json!({ "job": job.id })).await.unwrap();
        desk.clock.advance(Duration::from_hours(1) - Duration::from_secs(1));
        assert_eq!(look().await, (1, 1));
        assert_eq!(db.number("SELECT COUNT(*) FROM audit").await, audited + 2, "the two answers");
        desk.clock.advance(Duration::from_secs(2));
        assert_eq!(look().await, (2, 1), "a job that was called off comes back when a person wants it");
        on(&desk.ops, &anna, "set_up_server", &fresh.handle).await.unwrap();
        assert_eq!(look().await, (2, 2));
    })
    .await;
}
