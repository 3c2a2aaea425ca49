//! The passwords that the provider makes show up nowhere, also where things go wrong. What was sent, kept and logged is
//! searched at the end of every [`World`]; here the processes are watched, too.

use rackhand_tests::{sim_host, time4vps::TaskFault};

use super::{canary::ProcessWatch, world::World};

#[tokio::test(flavor = "multi_thread")]
async fn no_password_is_seen_anywhere() {
    walk(World::new().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_is_seen_anywhere_on_postgres() {
    if let Some(world) = World::on_postgres().await {
        walk(world).await;
    }
}

/// A playbook fails, a reset fails, a set-up ends well, and a rebuild.
async fn walk(world: World) {
    let host = world.host(42);
    world.host(43);
    world.provider.task_fault(43, TaskFault::Fails("Task failed: the guest did not answer".into()));
    let failing = sim_host::Fault { at_task: 2, kind: sim_host::FaultKind::Failed("told you so".into()) };
    host.fail_playbook("access", failing);
    let running = world.start();
    world.first_admin(&running).await;

    let watch = ProcessWatch::start();
    for server in ["vps-42", "vps-43"] {
        world.manage(server).await;
        world
            .wait("the failure", |shown| {
                shown.iter().any(|m| m.text.contains(server) && m.text.contains("could not be set up"))
            })
            .await;
    }
    world.telegram.say(&world.admin, "/provision vps-42");
    world.wait("the success", |shown| shown.iter().any(|m| m.text.contains("vps-42 is back"))).await;
    world.telegram.say(&world.admin, "/rebuild vps-42");
    world.tap("Approve").await;
    world.wait("the rebuild", |shown| shown.iter().any(|m| m.text.contains("vps-42 is ready"))).await;
    let passwords = world.provider.passwords();
    assert!(passwords.len() >= 3, "the walk made passwords: {}", passwords.len());
    watch.assert_unseen(&passwords);
}
