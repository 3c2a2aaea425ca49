//! The store's promises, on both databases: what the database itself refuses, and who gets what of many that ask at once.

use std::{collections::HashSet, time::Duration};

use rackhand_core::{
    ids::{ApprovalId, ServerId},
    keyring::Aad,
    model::{Approval, Body, EventLevel, IncidentKind, Job, Level, NewJob, NewServer, Notice, Plan, Reason},
    states::{ApprovalEvent, ApprovalStatus, JobEvent, JobStatus},
    store::{Claim, ClaimBy, JobFilter, Kinds, Mail, Remembered, Sent, Slice, Store, StoreError, Tx, job_key},
    units::Timestamp,
};
use serde_json::{Value, json};

use crate::databases::each_engine;

const NOW: Timestamp = Timestamp(1_000_000);
const LEASE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn many_processes_open_one_new_database_at_once() {
    each_engine(|db| async move {
        for store in futures::future::join_all((0..8).map(|_| db.open())).await {
            assert_eq!(store.read().await.unwrap().count_jobs().await.unwrap(), []);
            store.close().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_path_may_hold_any_character() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a b%20?c#d.db");
    Store::open_sqlite(&path).await.unwrap().close().await;
    assert!(path.exists());
}

#[tokio::test]
async fn the_database_refuses_what_must_never_be() {
    each_engine(|db| async move {
        let store = db.open().await;
        let server = server(&store, 1).await;
        let approval = asked(&store, "hash").await;
        let job = queued(&store, Some(server), None).await;
        let insert = |id: &str, status: &str, lease: &str, approval: &str| {
            format!(
                "INSERT INTO jobs (id, kind, target, params, status, run_at, requested_by, created_at, started_at,
                     lease_until, approval)
                 VALUES ('{id}', 'other', '{server}', 'null', '{status}', 0, 'x', 0, 1, {lease}, {approval})"
            )
        };
        db.sql(&format!("UPDATE jobs SET status = 'running', lease_until = 9, started_at = 1 WHERE id = '{}'", job.id))
            .await
            .unwrap();
        for (status, lease) in [("running", "1"), ("waiting", "NULL"), ("parked", "NULL"), ("queued", "NULL")] {
            let refused = db.sql(&insert("a", status, lease, "NULL")).await;
            assert!(refused.is_err(), "a second job that has begun and is {status}");
        }
        db.sql("UPDATE jobs SET status = 'failed', lease_until = NULL").await.unwrap();
        for (id, status) in [("b", "asleep"), ("c", ""), ("d", "running")] {
            assert!(db.sql(&insert(id, status, "NULL", "NULL")).await.is_err(), "a job that is {status:?} unleased");
        }
        assert!(db.sql(&insert("e", "failed", "5", "NULL")).await.is_err(), "a lease on a job that has ended");
        let quoted = format!("'{approval}'");
        db.sql(&insert("f", "failed", "NULL", &quoted)).await.unwrap();
        assert!(db.sql(&insert("g", "failed", "NULL", &quoted)).await.is_err(), "two jobs for one approval");
        assert!(db.sql(&insert("h", "failed", "NULL", "'nobody'")).await.is_err(), "an approval that is not there");
        for (table, column) in [("servers", "status"), ("approvals", "status"), ("jobs", "ending")] {
            let sql = format!("UPDATE {table} SET {column} = 'nonsense'");
            assert!(db.sql(&sql).await.is_err(), "{table}.{column}");
        }
        assert!(db.sql("UPDATE servers SET provisioning_attempts = -1").await.is_err());
        assert!(db.sql("UPDATE servers SET managed = 2").await.is_err());
        let again = add_approval(&store, "hash").await;
        assert!(matches!(again, Err(StoreError::Taken(_))), "{again:?}");
    })
    .await;
}

#[tokio::test]
async fn every_due_job_is_claimed_once_and_in_order() {
    each_engine(|db| async move {
        let stores = [db.open().await, db.open().await];
        let mut expected = Vec::new();
        for _ in 0..40 {
            expected.push(queued(&stores[0], None, None).await.id);
        }
        let first = claim(&stores[0]).await.unwrap();
        assert_eq!(first.id, expected[0]);
        let claimers: Vec<_> = (0..20)
            .map(|number| {
                let store = stores[number % 2].clone();
                tokio::spawn(async move {
                    let mut got = Vec::new();
                    while let Some(job) = claim(&store).await {
                        got.push(job.id);
                    }
                    got
                })
            })
            .collect();
        let mut got = vec![first.id];
        for claimer in claimers {
            got.extend(claimer.await.unwrap());
        }
        assert_eq!(got.len(), 40);
        assert_eq!(got.iter().collect::<HashSet<_>>(), expected.iter().collect::<HashSet<_>>());
    })
    .await;
}

#[tokio::test]
async fn a_target_has_one_job_at_a_time_and_keeps_the_one_that_began() {
    each_engine(|db| async move {
        let store = db.open().await;
        let server = server(&store, 1).await;
        let first = queued(&store, Some(server), None).await;
        let (joined, fresh) = enqueue(&store, "work", Some(server)).await;
        assert_eq!((joined.id, fresh), (first.id, false));
        let (other, fresh) = enqueue(&store, "other", Some(server)).await;
        assert!(fresh);
        let running = claim(&store).await.unwrap();
        assert_eq!(running.id, first.id);
        assert!(claim(&store).await.is_none(), "the target is busy");
        assert!(!due(&store).await);

        // Handed over, it goes before the other one, although that was asked for earlier than the handing over.
        let mut tx = store.write().await.unwrap();
        tx.let_go(&running, JobEvent::Release, None, NOW.plus(LEASE), NOW).await.unwrap();
        tx.commit().await.unwrap();
        assert!(claim(&store).await.is_none(), "its target belongs to the job that began");
        let mut tx = store.write().await.unwrap();
        let again = tx.claim(&by(), NOW.plus(LEASE)).await.unwrap().unwrap();
        assert_eq!((again.id, again.lease_epoch), (first.id, 2));
        tx.let_go(&again, JobEvent::Succeed, None, NOW, NOW).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(claim(&store).await.unwrap().id, other.id);
    })
    .await;
}

#[tokio::test]
async fn many_enqueue_the_same_and_get_one() {
    each_engine(|db| async move {
        let store = db.open().await;
        let server = server(&store, 1).await;
        let asking: Vec<_> = (0..20)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut tx = store.write().await.unwrap();
                    let answer = tx.enqueue(&new_job("work", Some(server), None), NOW).await;
                    if answer.is_ok() {
                        tx.commit().await.unwrap();
                    }
                    answer.map(|(job, _)| job.id)
                })
            })
            .collect();
        let mut ids = HashSet::new();
        for one in asking {
            match one.await.unwrap() {
                Ok(id) => drop(ids.insert(id)),
                Err(error) => assert!(error.is_race(), "{error:?}"),
            }
        }
        assert_eq!(ids.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_lease_that_ran_out_passes_on_and_the_old_owner_changes_nothing() {
    each_engine(|db| async move {
        let store = db.open().await;
        let job = queued(&store, None, None).await;
        let old = claim(&store).await.unwrap();
        let old_claim = Claim { job: job.id, epoch: old.lease_epoch };
        assert!(claim(&store).await.is_none());
        let mut tx = store.write().await.unwrap();
        assert!(!tx.heartbeat(old_claim, LEASE).await.unwrap());
        assert_eq!(tx.void_leases().await.unwrap(), 1);
        tx.commit().await.unwrap();

        let new = claim(&store).await.unwrap();
        assert_eq!((new.id, new.lease_epoch), (job.id, 2));
        let mut tx = store.write().await.unwrap();
        assert!(matches!(tx.fence(old_claim).await, Err(StoreError::LeaseLost(_))));
        assert!(matches!(tx.heartbeat(old_claim, LEASE).await, Err(StoreError::LeaseLost(_))));
        let fenced = tx.fence(Claim { job: job.id, epoch: 2 }).await.unwrap();
        tx.let_go(&fenced, JobEvent::Succeed, None, NOW, NOW).await.unwrap();
        assert!(tx.fence(Claim { job: job.id, epoch: 2 }).await.is_err(), "an ended job has no owner");
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_short_lease_runs_out_by_the_databases_own_clock() {
    each_engine(|db| async move {
        let store = db.open().await;
        queued(&store, None, None).await;
        let mut tx = store.write().await.unwrap();
        let short = ClaimBy { owner: "short".to_owned(), kinds: kinds(), lease: Duration::ZERO };
        tx.claim(&short, NOW).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let again = async {
            loop {
                match claim(&store).await {
                    Some(job) => break job,
                    None => tokio::task::yield_now().await,
                }
            }
        };
        let again = tokio::time::timeout(Duration::from_secs(10), again).await.unwrap();
        assert_eq!(again.lease_epoch, 2);
    })
    .await;
}

#[tokio::test]
async fn a_role_has_one_holder() {
    each_engine(|db| async move {
        let store = db.open().await;
        let mut tx = store.write().await.unwrap();
        let anna = tx.take_lease("sender", "anna", LEASE).await.unwrap().unwrap();
        assert_eq!(tx.take_lease("sender", "boris", LEASE).await.unwrap(), None);
        assert_eq!(tx.take_lease("sender", "anna", LEASE).await.unwrap(), Some(anna.clone()));
        assert!(tx.take_lease("poller", "boris", LEASE).await.unwrap().is_some());
        tx.fence_lease(&anna).await.unwrap();
        tx.drop_lease(&anna).await.unwrap();
        let boris = tx.take_lease("sender", "boris", LEASE).await.unwrap().unwrap();
        assert!(boris.epoch > anna.epoch);
        assert!(matches!(tx.fence_lease(&anna).await, Err(StoreError::LeaseLost(_))));
        tx.drop_lease(&anna).await.unwrap();
        tx.fence_lease(&boris).await.unwrap();
        tx.void_leases().await.unwrap();
        let again = tx.take_lease("sender", "boris", LEASE).await.unwrap().unwrap();
        assert!(again.epoch > boris.epoch, "what was voided begins anew, even for the same owner");
    })
    .await;
}

#[tokio::test]
async fn incidents_are_open_once_for_each_server_and_kind() {
    each_engine(|db| async move {
        let store = db.open().await;
        let one = server(&store, 1).await;
        let mut tx = store.write().await.unwrap();
        for server in [Some(one), None] {
            let kind = IncidentKind::ServerMissing;
            let (first, fresh) = tx.open_incident(server, kind, "gone", NOW).await.unwrap();
            assert!(fresh);
            let (same, fresh) = tx.open_incident(server, kind, "still gone", NOW).await.unwrap();
            assert_eq!((same.id, same.details, fresh), (first.id.clone(), "gone".to_owned(), false));
            assert!(tx.open_incident(server, IncidentKind::IdentityMismatch, "other", NOW).await.unwrap().1);
            let over = tx.resolve_incident(server, kind, NOW).await.unwrap().unwrap();
            assert_eq!((over.id.clone(), over.resolved_at), (first.id.clone(), Some(NOW)));
            assert!(tx.resolve_incident(server, kind, NOW).await.unwrap().is_none());
            assert!(tx.open_incident(server, kind, "again", NOW).await.unwrap().1);
            assert_eq!(tx.incident(&first.id).await.unwrap().unwrap().details, "gone");
        }
        assert_eq!(tx.open_incidents().await.unwrap().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn secrets_requests_and_updates_are_kept_and_forgotten() {
    each_engine(|db| async move {
        let store = db.open().await;
        let mut tx = store.write().await.unwrap();
        let at = Aad { table: "servers", row: "1", column: "root_password" };
        assert_eq!(tx.secret(&at).await.unwrap(), None);
        tx.put_secret(&at, "v1.a", NOW).await.unwrap();
        tx.put_secret(&at, "v1.b", NOW).await.unwrap();
        assert_eq!(tx.secret(&at).await.unwrap().as_deref(), Some("v1.b"));
        assert_eq!(tx.secret(&Aad { row: "2", ..at }).await.unwrap(), None);
        tx.forget_secret(&at).await.unwrap();
        tx.forget_secret(&at).await.unwrap();
        assert_eq!(tx.secret(&at).await.unwrap(), None);

        let request = Remembered { operation: "o".into(), input_hash: "h".into(), answer: "a".into() };
        tx.remember("k", &request, NOW).await.unwrap();
        assert_eq!(tx.remembered("k").await.unwrap().unwrap().answer, "a");
        assert!(tx.remembered("l").await.unwrap().is_none());

        assert_eq!(tx.last_update().await.unwrap(), None);
        assert!(tx.note_update(7, "x", NOW).await.unwrap());
        assert!(!tx.note_update(7, "x", NOW).await.unwrap());
        assert!(tx.note_update(8, "x", NOW).await.unwrap());
        assert!(tx.is_noted(7).await.unwrap() && !tx.is_noted(9).await.unwrap());
        tx.forget_requests(NOW.plus(LEASE)).await.unwrap();
        assert_eq!(tx.last_update().await.unwrap(), Some(8), "the newest is kept: it says where to go on");
        assert!(!tx.is_noted(7).await.unwrap() && tx.remembered("k").await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn old_messages_and_stories_are_forgotten_bit_by_bit_but_not_what_still_lives() {
    each_engine(|db| async move {
        let store = db.open().await;
        let (later, much) = (NOW.plus(LEASE), 10);
        let (open, ended) = (queued(&store, None, None).await, queued(&store, None, None).await);
        let mut tx = store.write().await.unwrap();
        for job in [&open, &ended] {
            tx.add_event(job, "s", EventLevel::Info, "x", NOW).await.unwrap();
        }
        let over = Reason::new("cancelled", "called off");
        tx.cancel_unbegun(&ended, &over, NOW).await.unwrap();
        let keys = [job_key(open.id), job_key(ended.id), "a".to_owned(), "b".to_owned(), "waits".to_owned()];
        for (at, key) in (0..).zip(&keys) {
            let body = Body::Notice(Notice::JobEnded { job: open.id });
            tx.mail(&Mail { chat: 5, key: key.clone(), level: Level::Info, body }, NOW).await.unwrap();
            if key != "waits" {
                let mail = tx.next_for(5, NOW).await.unwrap().unwrap();
                assert_eq!(&mail.key, key);
                tx.mail_sent(&Sent { id: mail.id, revision: 1, message_id: at }, NOW, NOW).await.unwrap();
            }
        }
        assert_eq!(tx.forget_mail(NOW, much).await.unwrap(), 0, "nothing is old");
        assert_eq!(tx.forget_mail(later, 1).await.unwrap(), 1);
        assert_eq!(tx.forget_mail(later, much).await.unwrap(), 2);
        assert!(tx.mail_body(5, &keys[0]).await.unwrap().is_some(), "it follows a job that has not ended");
        assert!(tx.mail_body(5, "waits").await.unwrap().is_some());
        assert_eq!(tx.forget_events(NOW, much).await.unwrap(), 0);
        assert_eq!(tx.forget_events(later, much).await.unwrap(), 1);
        assert_eq!(tx.events(open.id, 0, 9).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_job_is_found_by_what_people_type_and_its_story_is_in_order() {
    each_engine(|db| async move {
        let store = db.open().await;
        let (one, two) = (server(&store, 1).await, server(&store, 2).await);
        let job = queued(&store, Some(one), None).await;
        let other = queued(&store, Some(two), None).await;
        let mut tx = store.write().await.unwrap();
        assert_eq!(tx.jobs_ending(&job.id.short()).await.unwrap()[0].id, job.id);
        assert_eq!(tx.jobs_ending(&job.id.to_string()).await.unwrap().len(), 1);
        assert_eq!(tx.jobs_ending("%").await.unwrap().len(), 0);
        assert_eq!(tx.jobs_ending("ы").await.unwrap().len(), 0);
        let listed = tx.jobs(&JobFilter { target: Some(one), open: true }, &Slice::first(9)).await.unwrap();
        assert_eq!(listed.iter().map(|job| job.id).collect::<Vec<_>>(), [job.id]);
        let listed = tx.jobs(&JobFilter::default(), &Slice::first(1)).await.unwrap();
        assert_eq!(listed[0].id, other.id, "newest first");
        assert_eq!(tx.count_jobs().await.unwrap(), [(JobStatus::Queued, 2)]);
        for number in 1..=5 {
            tx.add_event(&job, "step", EventLevel::Info, &format!("line {number}"), NOW).await.unwrap();
        }
        let lines: Vec<_> = tx.last_events(job.id, 2).await.unwrap().into_iter().map(|event| event.message).collect();
        assert_eq!(lines, ["line 4", "line 5"]);
        assert_eq!(tx.events(job.id, 3, 9).await.unwrap()[0].seq, 4);
        assert_eq!(tx.past_runs("work", 9).await.unwrap(), []);
        let unbegun = tx.cancel_unbegun(&job, &Reason::new("cancelled", "off"), NOW).await.unwrap();
        assert_eq!((unbegun.status, unbegun.finished_at), (JobStatus::Cancelled, Some(NOW)));
        assert!(matches!(tx.request_cancel(&job, NOW).await, Err(StoreError::Changed(_))));
    })
    .await;
}

#[tokio::test]
async fn an_approval_moves_once() {
    each_engine(|db| async move {
        let store = db.open().await;
        let id = asked(&store, "one").await;
        let mut tx = store.write().await.unwrap();
        let approval = tx.approval(id).await.unwrap().unwrap();
        assert_eq!(tx.approval_asked_for("one").await.unwrap().unwrap().id, id);
        assert_eq!(tx.approvals_to_warn(NOW.plus(LEASE)).await.unwrap().len(), 1);
        assert_eq!(tx.approvals_to_warn(NOW.plus(LEASE)).await.unwrap().len(), 0);
        let moved = tx.move_approval(&approval, ApprovalEvent::Refuse, "anna", Some("no"), NOW).await.unwrap();
        assert_eq!(moved.status, ApprovalStatus::Refused);
        let late = tx.move_approval(&approval, ApprovalEvent::Approve, "boris", None, NOW).await;
        assert!(matches!(late, Err(StoreError::Changed(_))));
        let illegal = tx.move_approval(&moved, ApprovalEvent::Approve, "boris", None, NOW).await;
        assert!(matches!(illegal, Err(StoreError::Illegal(_))));
        assert!(tx.approval_asked_for("one").await.unwrap().is_none());
        assert!(tx.approvals_overdue(NOW.plus(LEASE)).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_read_sees_one_moment_and_a_dropped_write_never_was() {
    each_engine(|db| async move {
        let store = db.open().await;
        let mut read = store.read().await.unwrap();
        assert_eq!(read.count_jobs().await.unwrap(), []);
        queued(&store, None, None).await;
        assert_eq!(read.count_jobs().await.unwrap(), [], "still the moment before");
        drop(read);
        let mut tx = store.write().await.unwrap();
        tx.enqueue(&new_job("work", None, None), NOW).await.unwrap();
        drop(tx);
        let counts = store.read().await.unwrap().count_jobs().await.unwrap();
        assert_eq!(counts, [(JobStatus::Queued, 1)]);
        assert_eq!(store.commits(), 1);
    })
    .await;
}

async fn server(store: &Store, number: u32) -> ServerId {
    let new = NewServer {
        handle: format!("vps-{number}"),
        provider: "time4vps".to_owned(),
        provider_id: number.to_string(),
        address: None,
        label: String::new(),
        size: String::new(),
        managed: true,
    };
    let mut tx = store.write().await.unwrap();
    let server = tx.add_server(&new, NOW).await.unwrap();
    tx.commit().await.unwrap();
    server.id
}

fn new_job(kind: &'static str, target: Option<ServerId>, approval: Option<ApprovalId>) -> NewJob {
    NewJob { kind, target, params: Value::Null, requested_by: "system test".to_owned(), requester: None, approval }
}

async fn enqueue(store: &Store, kind: &'static str, target: Option<ServerId>) -> (Job, bool) {
    let mut tx = store.write().await.unwrap();
    let answer = tx.enqueue(&new_job(kind, target, None), NOW).await.unwrap();
    tx.commit().await.unwrap();
    answer
}

async fn queued(store: &Store, target: Option<ServerId>, approval: Option<ApprovalId>) -> Job {
    let mut tx = store.write().await.unwrap();
    let (job, _) = tx.enqueue(&new_job("work", target, approval), NOW).await.unwrap();
    tx.commit().await.unwrap();
    job
}

fn kinds() -> Kinds {
    ["other", "work"].into_iter().collect()
}

fn by() -> ClaimBy {
    ClaimBy { owner: "test".to_owned(), kinds: kinds(), lease: LEASE }
}

async fn claim(store: &Store) -> Option<Job> {
    let mut tx = store.write().await.unwrap();
    let job = tx.claim(&by(), NOW).await.unwrap();
    tx.commit().await.unwrap();
    job
}

async fn due(store: &Store) -> bool {
    store.read().await.unwrap().any_job_due(&kinds(), NOW).await.unwrap()
}

async fn asked(store: &Store, hash: &str) -> ApprovalId {
    add_approval(store, hash).await.unwrap()
}

async fn add_approval(store: &Store, hash: &str) -> Result<ApprovalId, StoreError> {
    let approval = Approval {
        id: ApprovalId::new(),
        plan: Plan {
            operation: "rebuild_server".to_owned(),
            input: json!({}),
            target: "vps-1".to_owned(),
            identity: std::collections::BTreeMap::new(),
            losses: Vec::new(),
        },
        plan_hash: hash.to_owned(),
        requested_by: "person anna".to_owned(),
        requester: None,
        token: None,
        status: ApprovalStatus::Asked,
        asked_at: NOW,
        expires_at: NOW.plus(LEASE),
        decided_by: None,
        decided_at: None,
        outcome: None,
        job: None,
        seal: None,
    };
    let mut tx: Tx = store.write().await?;
    tx.add_approval(&approval).await?;
    tx.commit().await?;
    Ok(approval.id)
}
