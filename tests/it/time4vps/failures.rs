//! What the client makes of a provider that refuses, hangs, breaks off or lies, and what it says of the effect.

use std::{sync::Arc, time::Duration};

use rackhand_core::{
    clients::{
        http::{self, Limits},
        time4vps::{TaskKind, Time4vps, Time4vpsError},
    },
    clock::SystemClock,
    fault::{Fault as _, FaultKind, chain},
    secret::Secret,
};
use rackhand_tests::time4vps::{Fault, Route};

use super::{ID, Scene, client};

#[tokio::test]
async fn the_client_keeps_the_wait_that_it_was_asked_for() {
    let scene = Scene::new().await;
    scene.sim.pace(Some(Duration::from_secs(30)));
    scene.client.reboot(ID).await.unwrap();
    scene.pass(6);
    let wait = |error| match error {
        Time4vpsError::RateLimited { wait } => wait.as_secs(),
        other => panic!("{other}"),
    };
    assert_eq!(wait(scene.client.reboot(ID).await.unwrap_err()), 24);
    let asked = scene.sim.calls().len();
    scene.pass(23);
    assert_eq!(wait(scene.client.clone().servers().await.unwrap_err()), 1);
    assert_eq!(scene.sim.calls().len(), asked, "the provider must not be asked again");
    scene.pass(1);
    scene.client.reboot(ID).await.unwrap();
    assert_eq!(scene.sim.effects().len(), 2);
}

#[tokio::test]
async fn certainly_not_done() {
    let scene = Scene::new().await;
    for fault in [
        Fault::RateLimited(1),
        Fault::AddressNotAllowed,
        Fault::WrongLogin,
        Fault::Errors(vec!["Something <b>else</b>".to_owned()]),
    ] {
        scene.sim.fault(Route::ResetPassword, Some(ID), fault, 1);
        let error = scene.client.reset_password(ID).await.unwrap_err();
        assert!(!error.effect_unknown(), "{error}");
        scene.pass(1);
    }
    assert!(scene.sim.effects().is_empty());
    assert_eq!(scene.sim.calls().len(), 4);
}

#[tokio::test]
async fn maybe_done() {
    for effect in [false, true] {
        for fault in [
            Fault::Html { status: 500, effect },
            Fault::Html { status: 502, effect },
            Fault::BrokenJson { effect },
            Fault::Hang { effect },
            Fault::Drop { effect },
        ] {
            let scene = Scene::new().await;
            scene.sim.fault(Route::ResetPassword, None, fault.clone(), 1);
            let error = scene.client.reset_password(ID).await.unwrap_err();
            assert!(error.effect_unknown() && error.kind() == FaultKind::Unavailable, "{fault:?}: {error}");
            assert_eq!(scene.sim.calls().len(), 1, "an action must not be sent twice");
            // How a caller finds out.
            let latest = scene.client.latest(ID, TaskKind::ResetPassword).await.unwrap();
            assert_eq!(latest.is_some(), effect, "{fault:?}");
            assert_eq!(scene.sim.effects().len(), usize::from(effect));
        }
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there() {
    let scene = Scene::new().await;
    let url = scene.sim.url().to_owned();
    drop(scene);
    let gone = client(&url, "us", "CANARY", Arc::new(SystemClock));
    for _ in 0..100 {
        let error = gone.reboot(ID).await.unwrap_err();
        if let Time4vpsError::Unavailable { status: None, sent: false, .. } = error {
            assert!(!error.effect_unknown() && !chain(&error).contains("CANARY"));
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("still there");
}

#[tokio::test]
async fn a_slow_provider_is_waited_for() {
    let scene = Scene::new().await;
    scene.sim.fault(Route::Servers, None, Fault::Slow(Duration::from_secs(3)), 1);
    let asking = tokio::spawn({
        let client = scene.client.clone();
        async move { client.servers().await }
    });
    while scene.sim.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    while !asking.is_finished() {
        scene.pass(1);
        tokio::task::yield_now().await;
    }
    assert_eq!(asking.await.unwrap().unwrap().len(), 1);
}

#[tokio::test]
async fn faults_wait_for_their_server_and_their_number() {
    let scene = Scene::new().await;
    scene.sim.fault(Route::Server, Some(ID + 1), Fault::WrongLogin, 1);
    scene.sim.fault(Route::Server, Some(ID), Fault::Html { status: 502, effect: false }, 2);
    assert!(scene.client.server(ID).await.is_err());
    assert!(scene.client.server(ID).await.is_err());
    assert!(scene.client.server(ID).await.is_ok());
    scene.sim.fault(Route::Server, None, Fault::WrongLogin, 1);
    scene.sim.clear_faults();
    assert!(scene.client.server(ID).await.is_ok());
}

#[tokio::test]
async fn a_task_of_somebody_else_is_seen() {
    let scene = Scene::new().await;
    let task = scene.sim.start_task(ID, TaskKind::Reboot).unwrap();
    assert_eq!(scene.task(task).await.name, TaskKind::Reboot.wire_name());
    assert!(scene.client.latest(ID, TaskKind::Reinstall).await.unwrap().is_none());
}

#[tokio::test]
async fn another_password_is_refused() {
    let scene = Scene::new().await;
    let stranger = client(scene.sim.url(), scene.sim.username(), "no", Arc::new(SystemClock));
    assert!(matches!(stranger.reboot(ID).await, Err(Time4vpsError::WrongLogin)));
    assert!(scene.sim.effects().is_empty());
}

#[test]
fn base_urls() {
    crate::harness::init();
    let http = http::client(Limits::default()).unwrap();
    let fits = |url: &str| Time4vps::new(http.clone(), url, "us", Secret::new("x"), Arc::new(SystemClock)).is_ok();
    assert!(fits("https://billing.time4vps.com/api") && fits("http://127.0.0.1:1/api/"));
    for url in ["", "billing.time4vps.com/api", "ftp://x/api", "https://us:pw@x/api", "https://x/api?a=b"] {
        assert!(!fits(url), "{url}");
    }
}
