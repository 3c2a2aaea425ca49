//! An approval binds exactly one plan, for a while, once.

use std::time::Duration;

use rackhand_core::{
    clock::{Clock, SystemClock},
    ids::JobId,
    model::{Actor, Role},
    ops::{OpError, Ops, approved},
    states::{ApprovalStatus, JobStatus, ServerStatus},
    units::Timestamp,
};
use serde_json::{Value, json};

use super::{answer, approve, ask, call, on, program, started};
use crate::{databases::each_engine, desk::Desk};

#[tokio::test]
async fn a_yes_starts_the_plan_once() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let (anna, boris) = (desk.person(1, Role::Admin).await, desk.person(2, Role::Admin).await);
        let server = desk.server(1, ServerStatus::Ready, true).await;
        let id = ask(&desk.ops, &anna.actor(), &server.handle).await;
        assert_eq!(ask(&desk.ops, &boris.actor(), &server.handle).await, id, "asked again it is the same question");
        assert_eq!(desk.count_jobs().await, 0);
        let job = started(&approve(&desk.ops, &boris, id).await.unwrap());
        let mut tx = desk.store().read().await.unwrap();
        let (job, approval) = (tx.require_job(job).await.unwrap(), tx.approval(id).await.unwrap().unwrap());
        assert_eq!((job.approval, job.requester), (Some(id), Some(anna.id)));
        assert_eq!((approval.status, approval.job), (ApprovalStatus::Used, Some(job.id)));
        assert_eq!(job.params["reinstall"], true);
        drop(tx);

        let again = approve(&desk.ops, &boris, id).await.unwrap();
        assert_eq!(again["answered"]["status"], "used");
        let no = answer(&desk.ops, &boris, "refuse", id).await.unwrap();
        assert_eq!(no["answered"]["status"], "used", "a no comes too late");
        assert_eq!(desk.count_jobs().await, 1);
        let busy = on(&desk.ops, &anna, "rebuild_server", &server.handle).await;
        assert!(matches!(busy, Err(OpError::Busy { job: other, .. }) if other == job.id), "{busy:?}");
    })
    .await;
}

#[tokio::test]
async fn pressed_by_many_at_once_it_starts_once() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Admin).await;
        let replicas = [desk.ops.clone(), desk.replica().await];
        for number in 1..=5 {
            let server = desk.server(number, ServerStatus::Ready, true).await;
            let id = ask(&desk.ops, &anna.actor(), &server.handle).await;
            let presses: Vec<_> = (0..8)
                .map(|press| {
                    let (ops, anna) = (replicas[press % 2].clone(), anna.clone());
                    tokio::spawn(async move { approve(&ops, &anna, id).await.unwrap() })
                })
                .collect();
            let mut starts = 0;
            for press in presses {
                let said = press.await.unwrap();
                if said.get("started").is_some() {
                    starts += 1;
                } else {
                    assert_eq!(said["answered"]["status"], "used", "{said}");
                }
            }
            assert_eq!((starts, desk.count_jobs().await), (1, i64::from(number)));
        }
    })
    .await;
}

#[tokio::test]
async fn too_late_is_too_late() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Admin).await;
        let server = desk.server(1, ServerStatus::Ready, true).await;
        let id = ask(&desk.ops, &anna.actor(), &server.handle).await;
        desk.clock.advance(desk.ops.limits.approval_life / 2);
        assert_eq!(ask(&desk.ops, &anna.actor(), &server.handle).await, id);
        desk.clock.advance(desk.ops.limits.approval_life / 2);
        assert_eq!(approve(&desk.ops, &anna, id).await.unwrap(), "expired");
        assert_eq!(approve(&desk.ops, &anna, id).await.unwrap(), "expired");
        let anew = ask(&desk.ops, &anna.actor(), &server.handle).await;
        assert_ne!(anew, id);
        desk.clock.advance(desk.ops.limits.approval_life);
        desk.ops.tick_approvals(Duration::from_mins(1)).await.unwrap();
        assert_eq!(approve(&desk.ops, &anna, anew).await.unwrap(), "expired");
        assert_eq!(desk.count_jobs().await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_no_is_a_no() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Admin).await;
        let server = desk.server(1, ServerStatus::Ready, true).await;
        let id = ask(&desk.ops, &anna.actor(), &server.handle).await;
        answer(&desk.ops, &anna, "refuse", id).await.unwrap();
        let late = approve(&desk.ops, &anna, id).await.unwrap();
        assert_eq!(late["answered"], json!({ "status": "refused", "by": anna.name() }));
        assert_eq!(desk.count_jobs().await, 0);
    })
    .await;
}

#[tokio::test]
async fn what_changed_since_is_said_and_nothing_runs() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Admin).await;
        let changes = [
            ("address", "192.0.2.1", "198.51.100.9", "address = '198.51.100.9'"),
            ("host_key", "none", "ssh-ed25519 AAAA", "host_key = 'ssh-ed25519 AAAA'"),
            ("provider_id", "3", "777", "provider_id = '777'"),
        ];
        for (number, (what, was, is, set)) in (1..).zip(changes) {
            let server = desk.server(number, ServerStatus::Ready, true).await;
            let id = ask(&desk.ops, &anna.actor(), &server.handle).await;
            db.sql(&format!("UPDATE servers SET {set} WHERE id = '{}'", server.id)).await.unwrap();
            let said = approve(&desk.ops, &anna, id).await.unwrap();
            assert_eq!(said["stale"]["changes"], json!([{ "what": what, "was": was, "is": is }]));
            assert_eq!(approve(&desk.ops, &anna, id).await.unwrap(), "expired", "it stays worthless");
            assert_ne!(ask(&desk.ops, &anna.actor(), &server.handle).await, id);
        }
        assert_eq!(desk.count_jobs().await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_plan_that_cannot_run_any_more_is_an_error_and_stays_a_question() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Admin).await;
        let server = desk.server(1, ServerStatus::Ready, true).await;
        let id = ask(&desk.ops, &anna.actor(), &server.handle).await;
        for (status, managed) in [("reserved", 1), ("ready", 0), ("maintenance", 1), ("decommissioned", 1)] {
            let set = format!("UPDATE servers SET status = '{status}', managed = {managed}");
            db.sql(&set).await.unwrap();
            let said = approve(&desk.ops, &anna, id).await;
            assert!(matches!(said, Err(OpError::Untouchable { .. } | OpError::Illegal(_))), "{status}: {said:?}");
        }
        db.sql("UPDATE servers SET status = 'ready', managed = 1").await.unwrap();
        started(&approve(&desk.ops, &anna, id).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn two_persons_are_two_persons() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let mut ops = desk.ops.clone();
        ops.limits.two_persons = true;
        let (anna, boris) = (desk.person(1, Role::Admin).await, desk.person(2, Role::Admin).await);
        let server = desk.server(1, ServerStatus::Ready, true).await;
        let id = ask(&ops, &anna.actor(), &server.handle).await;
        assert!(matches!(approve(&ops, &anna, id).await, Err(OpError::OwnRequest)));
        started(&approve(&ops, &boris, id).await.unwrap());

        // The shell has no user, and still is somebody.
        let server = desk.server(2, ServerStatus::Ready, true).await;
        let id = ask(&ops, &Actor::shell(), &server.handle).await;
        let own = ops.call_by_name(&Actor::shell(), "approve", &json!({ "approval": id }), None).await;
        assert!(matches!(own, Err(OpError::OwnRequest)), "{own:?}");
        started(&approve(&ops, &anna, id).await.unwrap());

        // Nor is anybody two through a program that they let in.
        let server = desk.server(3, ServerStatus::Ready, true).await;
        let (annas, shells) = (anna.actor(), Actor::shell());
        for (maker, name) in [(&annas, "annas"), (&shells, "shells")] {
            let id = ask(&ops, &program(&ops, maker, name, Role::Admin).await, &server.handle).await;
            let own = ops.call_by_name(maker, "approve", &json!({ "approval": id }), None).await;
            assert!(matches!(own, Err(OpError::OwnRequest)), "{name}: {own:?}");
            answer(&ops, &boris, "refuse", id).await.unwrap();
        }
        let id = ask(&ops, &program(&ops, &annas, "annas-too", Role::Admin).await, &server.handle).await;
        started(&approve(&ops, &boris, id).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn who_may_no_longer_ask_has_not_asked() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let (anna, boris) = (desk.person(1, Role::Admin).await, desk.person(2, Role::Admin).await);
        let server = desk.server(1, ServerStatus::Ready, true).await;
        let id = ask(&desk.ops, &boris.actor(), &server.handle).await;
        call(&desk.ops, &anna, "set_role", &json!({ "telegram_id": 2, "role": "operator" })).await.unwrap();
        let dead = approve(&desk.ops, &boris, id).await;
        assert!(matches!(dead, Err(OpError::Forbidden { has: Role::Operator, .. })), "{dead:?}");
        let said = approve(&desk.ops, &anna, id).await.unwrap();
        assert_eq!(said["stale"]["changes"], json!([{ "what": "requester", "was": "admin", "is": "operator" }]));
        assert_eq!(desk.count_jobs().await, 0);
    })
    .await;
}

/// Of a program that an issuer vouches for until a moment.
#[tokio::test]
async fn a_question_is_open_no_longer_than_its_asker_is_known() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Admin).await;
        let server = desk.server(1, ServerStatus::Ready, true).await;
        let until = desk.ops.clock.now().plus(Duration::from_mins(1));
        let program = Actor::program("jwt:ci".to_owned(), Role::Admin, Some(until));
        let id = ask(&desk.ops, &program, &server.handle).await;
        assert_eq!(desk.store().read().await.unwrap().approval(id).await.unwrap().unwrap().expires_at, until);
        desk.clock.advance(Duration::from_secs(61));
        assert_eq!(approve(&desk.ops, &anna, id).await.unwrap(), json!("expired"));
        assert_eq!(desk.count_jobs().await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_plan_is_the_same_text_on_every_day_and_machine() {
    let desk_plan = |db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Admin).await;
        let server = desk.server(1, ServerStatus::Ready, true).await;
        let id = ask(&desk.ops, &anna.actor(), &server.handle).await;
        let approval = desk.store().read().await.unwrap().approval(id).await.unwrap().unwrap();
        assert_eq!(approval.plan.hash(), approval.plan_hash, "what is stored is what was hashed");
        let golden = "887600ee";
        assert_eq!(approval.plan_hash.get(..8), Some(golden), "{}", serde_json::to_string(&approval.plan).unwrap());
    };
    each_engine(desk_plan).await;
}

#[tokio::test]
async fn a_rebuild_by_status_needs_the_same_yes() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Admin).await;
        let server = desk.server(1, ServerStatus::Ready, true).await;
        let asked = on(&desk.ops, &anna, "force_rebuild_server", &server.handle).await.unwrap();
        let rackhand_core::ops::Answer::AwaitingApproval(id) = asked else { panic!("{asked:?}") };
        assert_eq!(status(&desk.ops, &server.handle).await, ServerStatus::Ready);
        assert_eq!(approve(&desk.ops, &anna, id).await.unwrap()["started"]["job"], Value::Null);
        assert_eq!(status(&desk.ops, &server.handle).await, ServerStatus::ForceRebuild);
        let instead = on(&desk.ops, &anna, "set_up_server", &server.handle).await;
        assert!(matches!(instead, Err(OpError::RebuildWished(_))), "{instead:?}");

        let input = rackhand_core::ops::HandleInput { handle: server.handle.clone() };
        let system = Actor::system("reconciler");
        let first = desk.ops.rebuild_approved(&system, &input, id).await.unwrap();
        assert!(matches!(first, rackhand_core::ops::Answer::Done(_)), "{first:?}");
        let busy = on(&desk.ops, &anna, "release_server", &server.handle).await;
        assert!(matches!(busy, Err(OpError::Busy { .. })), "the job would run although it was called off: {busy:?}");
        let rackhand_core::ops::Answer::Done(first) = first else { panic!("{first:?}") };
        assert!(allowed(&desk.ops, first.job).await, "the yes to the status is the yes to its job");
        db.sql(&format!("UPDATE jobs SET status = '{}'", JobStatus::Cancelled)).await.unwrap();
        let second = desk.ops.rebuild_approved(&system, &input, id).await.unwrap();
        assert!(matches!(second, rackhand_core::ops::Answer::AwaitingApproval(_)), "one yes, one job: {second:?}");
        assert_eq!(desk.count_jobs().await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_job_that_wipes_needs_an_approval_that_the_program_itself_used() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Admin).await;
        let server = desk.server(1, ServerStatus::Ready, true).await;
        let id = ask(&desk.ops, &anna.actor(), &server.handle).await;
        let job = started(&approve(&desk.ops, &anna, id).await.unwrap());
        assert!(allowed(&desk.ops, job).await);

        // Each lie is told with the database's tools, and taken back.
        let other = "00000000-0000-7000-8000-000000000009";
        let lies = [
            ("jobs", "approval = NULL"),
            ("jobs", "params = replace(params, '192.0.2.1', '192.0.2.9')"),
            ("approvals", "job = NULL"),
            ("approvals", "seal = NULL"),
            ("approvals", "seal = 'ab'"),
            ("approvals", "decided_by = 'somebody'"),
            ("approvals", "decided_at = decided_at + 1"),
            ("approvals", "status = 'approved'"),
            ("approvals", "plan_hash = 'ab'"),
            ("servers", "handle = 'vps-2'"),
        ];
        for (table, lie) in lies {
            db.sql(&format!("CREATE TABLE kept AS SELECT * FROM {table}")).await.unwrap();
            db.sql(&format!("UPDATE {table} SET {lie}")).await.unwrap();
            assert!(!allowed(&desk.ops, job).await, "{table}: {lie}");
            let column = lie.split(' ').next().unwrap();
            db.sql(&format!("UPDATE {table} SET {column} = (SELECT {column} FROM kept)")).await.unwrap();
            db.sql("DROP TABLE kept").await.unwrap();
            assert!(allowed(&desk.ops, job).await, "{table}: {lie}, taken back");
        }

        // The yes to one job is none to the next, although the plan is the same.
        db.sql(&format!("UPDATE jobs SET id = '{other}', target = target")).await.unwrap();
        db.sql(&format!("UPDATE approvals SET job = '{other}'")).await.unwrap();
        assert!(!allowed(&desk.ops, other.parse().unwrap()).await);
    })
    .await;
}

#[tokio::test]
async fn a_status_with_a_forged_approval_is_asked_about() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Admin).await;
        let server = desk.server(1, ServerStatus::Ready, true).await;
        let id = ask(&desk.ops, &anna.actor(), &server.handle).await;
        db.sql("UPDATE approvals SET status = 'used', decided_by = 'x', decided_at = 1").await.unwrap();
        db.sql("UPDATE servers SET status = 'force_rebuild'").await.unwrap();
        let input = rackhand_core::ops::HandleInput { handle: server.handle.clone() };
        let said = desk.ops.rebuild_approved(&Actor::system("reconciler"), &input, id).await.unwrap();
        assert!(matches!(said, rackhand_core::ops::Answer::AwaitingApproval(_)), "{said:?}");
        assert_eq!(desk.count_jobs().await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_wipe_goes_on_by_an_admin_and_while_the_yes_is_fresh() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let (anna, oleg) = (desk.person(1, Role::Admin).await, desk.person(2, Role::Operator).await);
        let server = desk.server(1, ServerStatus::Ready, true).await;
        let id = ask(&desk.ops, &anna.actor(), &server.handle).await;
        let job = started(&approve(&desk.ops, &anna, id).await.unwrap());
        let retry = json!({ "job": job });
        let park = "UPDATE jobs SET status = 'parked', started_at = 1";
        db.sql(park).await.unwrap();
        let low = call(&desk.ops, &oleg, "retry_job", &retry).await;
        assert!(matches!(low, Err(OpError::Forbidden { needs: Role::Admin, .. })), "{low:?}");
        call(&desk.ops, &anna, "retry_job", &retry).await.unwrap();
        db.sql(park).await.unwrap();
        desk.clock.advance(desk.ops.limits.approval_life);
        let old = call(&desk.ops, &anna, "retry_job", &retry).await;
        assert!(matches!(old, Err(OpError::ApprovalOver { job: named }) if named == job), "{old:?}");
        // What is wiped already needs no yes.
        let done = format!(
            "INSERT INTO job_steps (job, seq, name, status, attempt, data, started_at)
             VALUES ('{job}', 2, 'reinstall', 'done', 1, 'null', 0)"
        );
        db.sql(&done).await.unwrap();
        call(&desk.ops, &oleg, "retry_job", &retry).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn all_open_questions_are_counted() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let anna = desk.person(1, Role::Admin).await;
        for number in 1..=103 {
            let server = desk.server(number, ServerStatus::Ready, true).await;
            let id = ask(&desk.ops, &anna.actor(), &server.handle).await;
            if number == 1 {
                call(&desk.ops, &anna, "refuse", &json!({ "approval": id })).await.unwrap();
            }
        }
        let status = call(&desk.ops, &anna, "show_status", &json!({})).await.unwrap();
        let rackhand_core::ops::Answer::Done(status) = status else { panic!("{status:?}") };
        assert_eq!(status["approvals"], 102);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_held_stays_as_it_was_read() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let server = desk.server(1, ServerStatus::Ready, true).await;
        let mut tx = desk.store().write().await.unwrap();
        tx.hold_server(&server.handle).await.unwrap().unwrap();
        let other = desk.replica().await;
        let (id, sync) = (server.id, Timestamp(1));
        let change = tokio::spawn(async move {
            let mut tx = other.store.write().await.unwrap();
            tx.pin_host_key(id, Some("ssh-ed25519 AAAA"), sync).await.unwrap();
            tx.commit().await.unwrap();
        });
        SystemClock.sleep(Duration::from_millis(300)).await;
        assert!(!change.is_finished());
        assert_eq!(tx.require_server(server.id).await.unwrap().host_key, None);
        tx.commit().await.unwrap();
        change.await.unwrap();
    })
    .await;
}

async fn allowed(ops: &Ops, job: JobId) -> bool {
    let mut tx = ops.store.read().await.unwrap();
    let job = tx.require_job(job).await.unwrap();
    let params = serde_json::from_value(job.params.clone()).unwrap();
    approved(&mut tx, &ops.keyring, &job, &params).await.unwrap()
}

async fn status(ops: &Ops, handle: &str) -> ServerStatus {
    ops.store.read().await.unwrap().server_by_handle(handle).await.unwrap().unwrap().status
}
