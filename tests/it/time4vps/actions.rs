//! Actions as they should go: a task, its time, its effect, its password.

use std::time::Duration;

use rackhand_core::clients::time4vps::{TaskKind, Time4vpsError};
use rackhand_tests::time4vps::{Delays, Gaps, PasswordForm, TaskFault};

use super::{ID, OS, Scene};

#[tokio::test]
async fn a_server_is_listed_and_described() {
    let scene = Scene::new().await;
    let listed = scene.client.servers().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].id, listed[0].size.as_deref()), (ID, Some("Linux 8")));
    assert_eq!(scene.client.oses(ID).await.unwrap()[0].os, OS);

    scene.sim.change_address(ID, [10, 0, 0, 9].into());
    scene.sim.change_spec(ID, |spec| spec.status = "Suspended".to_owned());
    let server = scene.client.server(ID).await.unwrap();
    assert_eq!(server.address, Some([10, 0, 0, 9].into()));
    assert!(server.is_suspended() && scene.client.servers().await.unwrap().is_empty());

    scene.sim.remove_server(ID);
    assert!(matches!(scene.client.server(ID).await, Err(Time4vpsError::NotFound)));
}

#[tokio::test]
async fn a_reset_gives_a_password_that_logs_in() {
    let scene = Scene::new().await;
    for form in [PasswordForm::Html, PasswordForm::New, PasswordForm::Root] {
        scene.sim.password_form(Some(form));
        for _ in 0..24 {
            let task = scene.client.reset_password(ID).await.unwrap();
            let password = scene.task(task).await.password.expect("a password");
            assert!(scene.host.login(password.expose()), "{form:?}: {}", scene.sim.passwords().last().unwrap());
        }
    }
    assert_eq!(scene.sim.effects().len(), 72);
}

#[tokio::test]
async fn a_task_takes_its_time() {
    let scene = Scene::new().await;
    let delays = Delays { taken: Duration::from_mins(1), completed: Duration::from_mins(9) };
    scene.sim.delays(TaskKind::Reinstall, delays);
    let task = scene.client.reinstall(ID, OS, Some("ssh-ed25519 AAAA us")).await.unwrap();
    assert!(!scene.task(task).await.completed);

    let busy = scene.client.server(ID).await.unwrap().active_task.expect("an active task");
    assert_eq!(busy.name, TaskKind::Reinstall.wire_name());
    assert_eq!(busy.activated_at(), scene.task(task).await.activated_at());
    assert!(matches!(scene.client.reboot(ID).await, Err(Time4vpsError::Busy { .. })));
    scene.pass(599);
    assert!(!scene.task(task).await.completed && scene.sim.effects().is_empty());

    scene.pass(1);
    let done = scene.task(task).await;
    assert!(done.completed && !done.failed);
    assert!(scene.host.login(done.password.expect("a reinstall's password").expose()));
    let state = scene.host.state();
    assert_eq!((state.installation, state.ssh_key.as_deref()), (1, Some("ssh-ed25519 AAAA us")));
    let server = scene.client.server(ID).await.unwrap();
    assert!(server.active_task.is_none() && server.last_tasks[0].completed);
    assert_eq!(scene.sim.effects()[0].task, task);
}

#[tokio::test]
async fn a_task_ends_without_anybody_asking() {
    let scene = Scene::new().await;
    scene.sim.delays(TaskKind::Reboot, Delays { taken: Duration::ZERO, completed: Duration::from_secs(5) });
    scene.client.reboot(ID).await.unwrap();
    scene.pass(5);
    while scene.host.state().reboots == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_old_password_works_a_little_longer() {
    let scene = Scene::new().await;
    let mut passwords = Vec::new();
    for _ in 0..2 {
        scene.sim.old_password_lingers(Duration::from_secs(20));
        let task = scene.client.reset_password(ID).await.unwrap();
        passwords.push(scene.task(task).await.password.unwrap());
    }
    assert!(scene.host.login(passwords[0].expose()) && scene.host.login(passwords[1].expose()));
    scene.pass(20);
    assert!(!scene.host.login(passwords[0].expose()) && scene.host.login(passwords[1].expose()));
}

#[tokio::test]
async fn numbers_in_quotes_and_fields_missing() {
    for gaps in [Gaps::Null, Gaps::Missing] {
        let scene = Scene::new().await;
        scene.sim.quoted_numbers(true);
        scene.sim.gaps(gaps);
        assert_eq!(scene.client.servers().await.unwrap()[0].id, ID);
        let task = scene.client.reset_password(ID).await.unwrap();
        let done = scene.task(task).await;
        assert!(done.completed && scene.host.login(done.password.unwrap().expose()));
        let server = scene.client.server(ID).await.unwrap();
        assert_eq!((server.domain, server.cpu_cores), (None, None));
    }
}

#[tokio::test]
async fn tasks_that_go_wrong() {
    let scene = Scene::new().await;
    scene.sim.task_fault(ID, TaskFault::Fails("Error: VM is locked".to_owned()));
    let task = scene.client.reset_password(ID).await.unwrap();
    let failed = scene.task(task).await;
    assert!(failed.completed && failed.failed && failed.password.is_none());
    assert_eq!(failed.said.as_deref(), Some("Error: VM is locked"));
    assert!(scene.sim.effects().is_empty());

    scene.sim.task_fault(ID, TaskFault::NoPassword);
    let task = scene.client.reset_password(ID).await.unwrap();
    let mute = scene.task(task).await;
    assert!(mute.completed && !mute.failed && mute.password.is_none());

    scene.sim.task_fault(ID, TaskFault::NeverCompletes);
    let task = scene.client.reset_password(ID).await.unwrap();
    scene.pass(100_000);
    assert!(!scene.task(task).await.completed);
    assert!(matches!(scene.client.reset_password(ID).await, Err(Time4vpsError::Busy { .. })));
    assert_eq!(scene.sim.effects().len(), 1);
}

#[tokio::test]
async fn a_reinstall_of_an_unknown_template_is_refused() {
    let scene = Scene::new().await;
    let error = scene.client.reinstall(ID, "windows-95", None).await.unwrap_err();
    assert!(matches!(error, Time4vpsError::Refused { .. }) && !error.effect_unknown());
    assert_eq!(scene.host.state().installation, 0);
}
