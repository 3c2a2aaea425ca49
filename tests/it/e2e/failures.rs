//! The outside is slow, lying and rude: each time the job ends in a clear state, nothing is left half open, and the chat
//! says what to do next.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use rackhand_core::{
    clients::time4vps::TaskKind,
    model::{Job, Server},
    states::{JobStatus, ServerStatus},
    store::{JobFilter, Slice},
};
use rackhand_tests::{
    sim_host::{self, SimHost},
    time4vps::{Fault, Route, TaskFault},
};

use super::world::{Running, World, eventually};
use crate::harness::SOON;

const ID: i64 = 77;
const HANDLE: &str = "vps-77";

/// A world with one discovered server, and an admin who looks at it.
async fn world(settings: &[(&'static str, &str)]) -> (World, Arc<SimHost>, Running) {
    let world = World::new().await;
    for (name, value) in settings {
        world.set(name, *value);
    }
    let host = world.host(ID);
    let running = world.start();
    world.first_admin(&running).await;
    world.telegram.say(&world.admin, &format!("/server {HANDLE}"));
    world.wait("the server's card", |shown| shown.iter().any(|message| message.button("Manage").is_some())).await;
    (world, host, running)
}

/// Waits until the newest of `count` jobs has this status.
async fn until(world: &World, count: usize, status: JobStatus) -> (Job, Server) {
    let store = world.store().await;
    let found = eventually(SOON, async || {
        let mut tx = store.read().await.expect("a look");
        let jobs = tx.jobs(&JobFilter::default(), &Slice::first(10)).await.expect("the store");
        let newest = jobs.first().filter(|job| jobs.len() == count && job.status == status)?.clone();
        let server = tx.server_by_handle(HANDLE).await.expect("the store").expect("the server");
        Some((newest, server))
    });
    found.await.unwrap_or_else(|| panic!("job {count} never was {status}"))
}

/// Job `count` failed at this step for this reason; the server is given back, and the chat says so with a way on.
async fn failed_at(world: &World, count: usize, step: &str, code: &str) -> Server {
    let (job, server) = until(world, count, JobStatus::Failed).await;
    assert_eq!(job.failed_step.as_deref(), Some(step), "{job:?}");
    assert_eq!(job.outcome.as_ref().map(|reason| reason.code.as_str()), Some(code), "{job:?}");
    assert_eq!(server.status, ServerStatus::Error);
    let mut tx = world.store().await.read().await.expect("a look");
    assert!(!tx.any_secret().await.expect("the store"), "no password is left behind");
    drop(tx);
    world
        .wait("the failure with a way on", |shown| {
            let told = |m: &&rackhand_tests::telegram::Shown| m.text.contains("👉") && m.button("Try again").is_some();
            shown.iter().filter(told).count() == count
        })
        .await;
    server
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
    until(&world, 1, JobStatus::Succeeded).await;
    assert_eq!(world.effects(ID, TaskKind::ResetPassword), 1, "the lost answer was looked up, not asked for again");
}

/// The client gives a call 20 s; the request did arrive.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_hangs_after_it_acted_is_not_asked_again() {
    let (world, _host, _running) = world(&[]).await;
    world.provider.fault(Route::ResetPassword, Some(ID), Fault::Hang { effect: true }, 1);
    world.tap("Manage").await;
    until(&world, 1, JobStatus::Succeeded).await;
    assert_eq!(world.effects(ID, TaskKind::ResetPassword), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_the_provider_refuses_parks_the_job_with_advice() {
    let (world, _host, _running) = world(&[]).await;
    world.provider.fault(Route::ResetPassword, Some(ID), Fault::AddressNotAllowed, 1);
    world.tap("Manage").await;
    let (job, _) = until(&world, 1, JobStatus::Parked).await;
    assert_eq!(job.reason.expect("a reason").code, "provider-address");
    // The admin mends it and sends the job on.
    world.tap("Go on").await;
    until(&world, 1, JobStatus::Succeeded).await;
    assert_eq!(world.effects(ID, TaskKind::ResetPassword), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_never_completes_ends_the_job() {
    let (world, _host, _running) = world(&[("RACKHAND_RESET_LIMIT_S", "1")]).await;
    world.provider.task_fault(ID, TaskFault::NeverCompletes);
    world.tap("Manage").await;
    failed_at(&world, 1, "await_password", "provider-too-slow").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_not_told_ends_the_job() {
    let (world, _host, _running) = world(&[]).await;
    world.provider.task_fault(ID, TaskFault::NoPassword);
    world.tap("Manage").await;
    failed_at(&world, 1, "await_password", "provider-no-password").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_stays_away_ends_the_job() {
    let (world, host, _running) = world(&[("RACKHAND_SSH_AWAIT_LIMIT_S", "1")]).await;
    host.down().await;
    world.tap("Manage").await;
    failed_at(&world, 1, "await_ssh", "ssh-away").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_playbook_is_tried_again_before_the_job_ends() {
    let (world, host, _running) = world(&[]).await;
    let away = sim_host::Fault { at_task: 2, kind: sim_host::FaultKind::Unreachable };
    host.fail_playbook_times("base", away, 1);
    world.tap("Manage").await;
    until(&world, 1, JobStatus::Succeeded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_failed_playbooks_are_enough_until_a_person_has_looked() {
    let (world, host, _running) = world(&[]).await;
    let failing = sim_host::Fault { at_task: 3, kind: sim_host::FaultKind::Failed("no space left on device".into()) };
    host.fail_playbook_times("access", failing, 3);
    world.tap("Manage").await;
    for attempt in 1..=3 {
        let server = failed_at(&world, attempt, "access", "ansible-task-failed").await;
        assert_eq!(server.provisioning_attempts, i64::try_from(attempt).expect("few"));
        world.telegram.say(&world.admin, &format!("/provision {HANDLE}"));
    }
    world.wait("the refusal", |shown| shown.iter().any(|m| m.button("Allow new attempts").is_some())).await;
    world.tap("Allow new attempts").await;
    world.wait("that it may", |shown| shown.iter().any(|m| m.text.contains("may be tried again"))).await;
    world.telegram.say(&world.admin, &format!("/provision {HANDLE}"));
    until(&world, 4, JobStatus::Succeeded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_playbook_past_its_limit_ends_the_job() {
    let (world, host, _running) = world(&[("PROVISIONING_TIMEOUT", "2")]).await;
    host.fail_playbook("base", sim_host::Fault { at_task: 2, kind: sim_host::FaultKind::Hang });
    world.tap("Manage").await;
    failed_at(&world, 1, "base", "ansible-timed-out").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_key_that_changed_parks_the_job_and_tells_both() {
    let (world, host, _running) = world(&[]).await;
    world.tap("Manage").await;
    until(&world, 1, JobStatus::Succeeded).await;
    let resets = world.effects(ID, TaskKind::ResetPassword);
    // Another machine answers at the same address.
    host.change_host_key();
    world.telegram.say(&world.admin, &format!("/rebuild {HANDLE}"));
    world.tap("Approve").await;
    let (job, server) = until(&world, 2, JobStatus::Parked).await;
    assert_eq!(job.reason.expect("a reason").code, "identity-mismatch");
    assert_eq!(world.effects(ID, TaskKind::Reinstall), 0, "nothing destructive was sent");
    assert_eq!(world.effects(ID, TaskKind::ResetPassword), resets);
    assert_eq!(server.status, ServerStatus::Provisioning);
    world.wait("both keys", |shown| shown.iter().any(|m| m.text.matches("SHA256:").count() == 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_changed_behind_our_back_parks_the_job_and_tells_both() {
    let (world, _host, _running) = world(&[("RACKHAND_SYNC_INTERVAL_S", "3600")]).await;
    let other = IpAddr::V4(Ipv4Addr::new(127, 99, 99, 99));
    world.provider.change_address(ID, other);
    world.tap("Manage").await;
    let (job, _) = until(&world, 1, JobStatus::Parked).await;
    let reason = job.reason.expect("a reason");
    assert_eq!((reason.code.as_str(), reason.facts["what"].as_str()), ("identity-mismatch", "address"));
    assert_eq!(world.effects(ID, TaskKind::ResetPassword), 0, "nothing was sent");
    world.wait("both addresses", |shown| shown.iter().any(|m| m.text.contains(&other.to_string()))).await;
}

/// The client gives a call 20 s; the request arrives only after that.
#[tokio::test(flavor = "multi_thread")]
async fn a_reinstall_that_arrives_late_is_taken_for_the_one_that_was_asked() {
    let (world, _host, running) = world(&[("RACKHAND_SETTLE_S", "20")]).await;
    world.tap("Manage").await;
    until(&world, 1, JobStatus::Succeeded).await;
    world.provider.fault(Route::Reinstall, Some(ID), Fault::Hang { effect: false }, 1);
    world.telegram.say(&world.admin, &format!("/rebuild {HANDLE}"));
    world.tap("Approve").await;
    eventually(SOON, async || running.log_contains("did not answer in time").then_some(())).await.expect("a deadline");
    world.provider.start_task(ID, TaskKind::Reinstall);
    until(&world, 2, JobStatus::Succeeded).await;
    assert_eq!(world.effects(ID, TaskKind::Reinstall), 1, "wiped once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reinstall_that_tells_no_password_is_followed_by_a_reset() {
    let (world, _host, _running) = world(&[]).await;
    world.tap("Manage").await;
    until(&world, 1, JobStatus::Succeeded).await;
    world.provider.task_fault(ID, TaskFault::NoPassword);
    world.telegram.say(&world.admin, &format!("/rebuild {HANDLE}"));
    world.tap("Approve").await;
    until(&world, 2, JobStatus::Succeeded).await;
    assert_eq!((world.effects(ID, TaskKind::Reinstall), world.effects(ID, TaskKind::ResetPassword)), (1, 2));
}
