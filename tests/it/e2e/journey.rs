//! An admin's day: a server appears, is set up, is rebuilt.

use rackhand_core::{clients::time4vps::TaskKind, states::ServerStatus};
use rackhand_tests::{
    sim_host,
    telegram::{Person, Shown},
};
use rustix::process::Signal;
use sqlx::Connection;

use super::world::{Running, World, eventually};
use crate::harness::SOON;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_server_is_found_managed_set_up_and_rebuilt() {
    let world = World::new().await;
    let host = world.host(267_179);
    let running = world.start();
    world.first_admin(&running).await;

    // Found by itself; one tap takes it; the job is one message that ends in a summary.
    world.telegram.say(&world.admin, "/server vps-267179");
    world.tap("✅ Manage").await;
    world.wait("that it is ready", |shown| shown.iter().any(|m| m.text.contains("is ready"))).await;
    let state = host.state();
    assert!(!state.password_login && state.docker && state.hostname == "vps-267179", "{state:?}");
    assert_eq!(world.effects(267_179, TaskKind::ResetPassword), 1);
    assert_eq!(world.effects(267_179, TaskKind::Reinstall), 0);

    let mut tx = world.store().await.read().await.expect("a look");
    let server = tx.server_by_handle("vps-267179").await.expect("the store").expect("the server");
    assert_eq!(server.status, ServerStatus::Ready);
    assert!(!tx.any_secret().await.expect("the store"), "the stored password is gone");
    drop(tx);

    // Rebuilt, after a yes to exactly what was shown.
    let first_key = server.host_key.expect("a pinned key");
    world.telegram.say(&world.admin, "/rebuild vps-267179");
    world.tap("Approve").await;
    let rebuilt = |shown: &[Shown]| shown.iter().filter(|m| m.text.contains("is ready")).count() >= 2;
    world.wait("that it is ready again", rebuilt).await;
    assert_eq!(world.effects(267_179, TaskKind::Reinstall), 1);
    let mut tx = world.store().await.read().await.expect("a look");
    let server = tx.server_by_handle("vps-267179").await.expect("the store").expect("the server");
    assert_eq!(server.status, ServerStatus::Ready);
    assert_ne!(server.host_key.expect("a pinned key"), first_key, "a new system has a new key");
}

/// A world with one server that is set up, and its admin.
async fn with_a_ready_server() -> (World, Running) {
    let world = World::new().await;
    world.host(12);
    let running = world.start();
    world.first_admin(&running).await;
    world.telegram.say(&world.admin, "/server vps-12");
    world.tap("✅ Manage").await;
    world.wait("that it is ready", |shown| ready(shown, "vps-12") == 1).await;
    (world, running)
}

fn ready(shown: &[Shown], handle: &str) -> usize {
    shown.iter().filter(|message| message.text.contains(&format!("{handle} is ready"))).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_rebuilds_a_server_after_the_yes_of_another_admin() {
    let (world, _running) = with_a_ready_server().await;
    // A second admin, by an invite that the first one makes.
    world.telegram.say(&world.admin, "/invite admin");
    let code = |shown: &[Shown]| {
        let text = &shown.iter().rev().find(|m| m.text.contains("/start ") && m.from.is_none())?.text;
        text.split("/start ").nth(1)?.split_whitespace().next().map(str::to_owned)
    };
    let code = world.telegram.wait_for(world.admin.id, SOON, code).await.expect("an invite");
    let boris = Person::new(1002, "Boris").speaking("ru");
    world.telegram.say(&boris, &format!("/start {code}"));

    let welcomed = |shown: &[Shown]| shown.iter().any(|m| m.text.contains("администратор")).then_some(());
    world.telegram.wait_for(boris.id, SOON, welcomed).await.expect("a welcome");

    world.telegram.say(&world.admin, "/force_rebuild vps-12");
    let question = |shown: &[Shown]| {
        let asked = shown.iter().find(|m| m.button("Согласен").is_some())?;
        Some((asked.id, asked.button("Согласен")?.to_owned()))
    };
    let (message, yes) = world.telegram.wait_for(boris.id, SOON, question).await.expect("the question, in Russian");
    // Pressed twice: once is enough, and the second press says so.
    world.telegram.press(&boris, boris.id, message, &yes);
    let second = world.telegram.press(&boris, boris.id, message, &yes);
    world.wait("that it is ready again", |shown| ready(shown, "vps-12") == 2).await;
    assert!(world.telegram.wait_for_answer(&second, SOON).await.is_ok());
    assert_eq!(world.effects(12, TaskKind::Reinstall), 1);
}

/// Somebody with the database's tools writes the status: that is a wish, and no permission.
#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_nobody_allowed_is_asked_about() {
    let (world, _running) = with_a_ready_server().await;
    let url = format!("sqlite://{}", world.dir.path().join("data/rackhand.db").display());
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(&url).await.expect("the database");
    sqlx::query("UPDATE servers SET status = 'force_rebuild'").execute(&mut connection).await.expect("the status");
    world.tap("Approve").await;
    world.wait("that it is ready again", |shown| ready(shown, "vps-12") == 2).await;
    assert_eq!(world.effects(12, TaskKind::Reinstall), 1, "after the yes, and not before");
}

/// Somebody with the database's tools writes the job itself: it is parked before anything is sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_nobody_allowed_wipes_nothing() {
    let (world, _running) = with_a_ready_server().await;
    let url = format!("sqlite://{}", world.dir.path().join("data/rackhand.db").display());
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(&url).await.expect("the database");
    let job = "INSERT INTO jobs (id, kind, target, params, status, run_at, requested_by, requester, created_at)
        SELECT '0199aaaa-0000-7000-8000-000000000001', kind, target,
            replace(replace(params, '\"reinstall\":false', '\"reinstall\":true'), '\"setup\"', '\"rebuild\"'),
            'queued', 0, requested_by, requester, created_at FROM jobs LIMIT 1";
    sqlx::query(job).execute(&mut connection).await.expect("the job");
    world.wait("that it is parked", |shown| shown.iter().any(|m| m.text.contains("Nobody approved"))).await;
    assert_eq!(world.effects(12, TaskKind::Reinstall), 0);
}

/// SIGTERM in the middle of a playbook: the step is handed over, the process ends by itself, and the next goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_hands_the_job_over() {
    let world = World::new().await;
    let host = world.host(12);
    host.fail_playbook("base", sim_host::Fault { at_task: 4, kind: sim_host::FaultKind::Hang });
    let mut running = world.start();
    world.first_admin(&running).await;
    world.telegram.say(&world.admin, "/server vps-12");
    world.tap("✅ Manage").await;
    let hanging = |m: &Shown| m.text.contains("packages, Docker") && m.text.contains("Task 4 of");
    world.wait("the playbook's task", |shown| shown.iter().any(hanging)).await;
    running.signal(Signal::TERM);
    let ended = eventually(SOON, async || running.ended()).await.expect("its end");
    assert!(ended.success(), "{ended:?}");
    let _next = world.start();
    world.wait("that it is ready", |shown| ready(shown, "vps-12") == 1).await;
    assert_eq!(world.effects(12, TaskKind::ResetPassword), 1);
}
