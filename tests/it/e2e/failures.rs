//! The outside is slow, lying and rude: each time the job ends in a clear state, nothing is left half open, and the chat
//! says what to do next.

use std::sync::Arc;

use rackhand_core::{
    clients::time4vps::TaskKind,
    model::{Job, Server},
    ops::PROVISION_VPS,
    states::{JobStatus, ServerStatus},
    store::JobFilter,
};
use rackhand_tests::{
    sim_host::{self, SimHost},
    time4vps::{Fault, Route, TaskFault},
};

use super::world::{Running, SOON, World};

const ID: i64 = 77;
const HANDLE: &str = "vps-77";

/// A world with one discovered server, and an admin.
async fn world(settings: &[(&'static str, &str)]) -> (World, Arc<SimHost>, Running) {
    let world = World::new().await;
    for (name, value) in settings {
        world.set(name, *value);
    }
    let host = world.host(ID).await;
    let running = world.start();
    world.first_admin(&running).await;
    world.telegram.say(&world.admin, &format!("/server {HANDLE}"));
    world.wait("the server's card", |shown| shown.iter().any(|message| message.button("Manage").is_some())).await;
    (world, host, running)
}

/// How the newest job stands, with its server.
async fn newest(world: &World) -> Option<(Job, Server)> {
    let mut tx = world.store().await.read().await.expect("a look");
    let job = tx.jobs(&JobFilter::default(), 0, 1).await.expect("the store").pop()?;
    let server = tx.server_by_handle(HANDLE).await.expect("the store").expect("the server");
    assert_eq!(job.kind, PROVISION_VPS);
    Some((job, server))
}

/// Waits until the newest job has this status.
async fn until(world: &World, status: JobStatus) -> (Job, Server) {
    let limit = tokio::time::timeout(SOON, async {
        loop {
            if let Some(found) = newest(world).await.filter(|(job, _)| job.status == status) {
                return found;
            }
            tokio::task::yield_now().await;
        }
    });
    match limit.await {
        Ok(found) => found,
        Err(_) => panic!("the job is not {status}: {:?}", newest(world).await.map(|(job, _)| job)),
    }
}

/// The job failed at this step for this reason; the server is given back, and the chat says so with a way on.
async fn failed_at(world: &World, step: &str, code: &str) -> (Job, Server) {
    let (job, server) = until(world, JobStatus::Failed).await;
    assert_eq!(job.failed_step.as_deref(), Some(step), "{job:?}");
    assert_eq!(job.outcome.as_ref().map(|reason| reason.code.as_str()), Some(code), "{job:?}");
    assert_eq!(server.status, ServerStatus::Error);
    let mut tx = world.store().await.read().await.expect("a look");
    assert!(!tx.any_secret().await.expect("the store"), "no password is left behind");
    drop(tx);
    world
        .wait("the failure with a way on", |shown| {
            shown.iter().any(|message| message.text.contains(HANDLE) && message.button("Try again").is_some())
        })
        .await;
    (job, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rude_provider_delays_the_job_and_nothing_happens_twice() {
    let (world, _host, _running) = world(&[]).await;
    let reset = || Route::ResetPassword;
    world.provider.fault(reset(), Some(ID), Fault::RateLimited(1), 1);
    world.provider.fault(reset(), Some(ID), Fault::Html { status: 502, effect: false }, 1);
    world.provider.fault(reset(), Some(ID), Fault::Drop { effect: true }, 1);
    world.provider.fault(Route::Task, Some(ID), Fault::BrokenJson { effect: false }, 2);
    world.tap("Manage").await;
    until(&world, JobStatus::Succeeded).await;
    assert_eq!(world.effects(ID, TaskKind::ResetPassword), 1, "the lost answer was looked up, not asked for again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_never_completes_ends_the_job() {
    let (world, _host, _running) = world(&[("RACKHAND_RESET_LIMIT_S", "1")]).await;
    world.provider.task_fault(ID, TaskFault::NeverCompletes);
    world.tap("Manage").await;
    failed_at(&world, "await_password", "provider-too-slow").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_not_told_ends_the_job() {
    let (world, _host, _running) = world(&[]).await;
    world.provider.task_fault(ID, TaskFault::NoPassword);
    world.tap("Manage").await;
    failed_at(&world, "await_password", "provider-no-password").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_stays_away_ends_the_job() {
    let (world, host, _running) = world(&[("RACKHAND_SSH_AWAIT_LIMIT_S", "1")]).await;
    host.down().await;
    world.tap("Manage").await;
    failed_at(&world, "await_ssh", "ssh-away").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_failed_playbooks_are_enough_until_a_person_has_looked() {
    let (world, host, _running) = world(&[]).await;
    let failing = sim_host::Fault { at_task: 3, kind: sim_host::FaultKind::Failed("no space left on device".into()) };
    host.fail_playbook_times("access", failing, 3);
    world.tap("Manage").await;
    for attempt in 1..=3 {
        let (_, server) = failed_at(&world, "access", "ansible-task-failed").await;
        assert_eq!(server.provisioning_attempts, attempt);
        if attempt < 3 {
            world.telegram.say(&world.admin, &format!("/provision {HANDLE}"));
            let mut filter = JobFilter::default();
            filter.open = false;
            let jobs = usize::try_from(attempt).expect("few") + 1;
            let more = tokio::time::timeout(SOON, async {
                loop {
                    let mut tx = world.store().await.read().await.expect("a look");
                    if tx.jobs(&filter, 0, 10).await.expect("the store").len() == jobs {
                        return;
                    }
                }
            });
            more.await.expect("another job");
        }
    }
    world.telegram.say(&world.admin, &format!("/provision {HANDLE}"));
    world
        .wait("the refusal with a way on", |shown| shown.iter().any(|m| m.button("Allow new attempts").is_some()))
        .await;
    world.tap("Allow new attempts").await;
    world.telegram.say(&world.admin, &format!("/provision {HANDLE}"));
    until(&world, JobStatus::Succeeded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_playbook_past_its_limit_ends_the_job() {
    let (world, host, _running) = world(&[("PROVISIONING_TIMEOUT", "2")]).await;
    host.fail_playbook("base", sim_host::Fault { at_task: 2, kind: sim_host::FaultKind::Hang });
    world.tap("Manage").await;
    failed_at(&world, "base", "ansible-timed-out").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_changed_parks_the_job_and_tells_both() {
    let (world, host, _running) = world(&[]).await;
    world.tap("Manage").await;
    until(&world, JobStatus::Succeeded).await;
    let resets = world.effects(ID, TaskKind::ResetPassword);
    // Another machine answers at the same address: another host key.
    host.change_host_key();
    world.telegram.say(&world.admin, &format!("/rebuild {HANDLE}"));
    world.tap("Approve").await;
    let (job, server) = until(&world, JobStatus::Parked).await;
    let reason = job.reason.expect("a reason");
    assert_eq!(reason.code, "identity-mismatch");
    assert!(reason.facts.contains_key("known") && reason.facts.contains_key("seen"));
    assert_eq!(world.effects(ID, TaskKind::Reinstall), 0, "nothing destructive was sent");
    assert_eq!(world.effects(ID, TaskKind::ResetPassword), resets);
    assert_eq!(server.status, ServerStatus::Provisioning);
    world.wait("both keys", |shown| shown.iter().any(|m| m.text.contains(&reason.facts["seen"][..20]))).await;
}
