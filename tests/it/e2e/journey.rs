//! An admin's day: a server appears, is set up, is rebuilt.

use rackhand_core::clients::time4vps::TaskKind;
use rackhand_core::states::ServerStatus;

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_server_is_found_managed_set_up_and_rebuilt() {
    let world = World::new().await;
    let host = world.host(267_179).await;
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
    let rebuilt =
        |shown: &[rackhand_tests::telegram::Shown]| shown.iter().filter(|m| m.text.contains("is ready")).count() >= 2;
    world.wait("that it is ready again", rebuilt).await;
    assert_eq!(world.effects(267_179, TaskKind::Reinstall), 1);
    let mut tx = world.store().await.read().await.expect("a look");
    let server = tx.server_by_handle("vps-267179").await.expect("the store").expect("the server");
    assert_eq!(server.status, ServerStatus::Ready);
    assert_ne!(server.host_key.expect("a pinned key"), first_key, "a new system has a new key");
}
