//! Keystone before the real Ironic: tokens that are shared, end, are taken back, or are refused.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use rackhand_core::{
    clients::{
        http::{self, Limits},
        ironic::{Auth, Credential, Interface, Ironic, IronicError, Keystone, NodeFilter, Scope, Service},
    },
    clock::{Manual, ManualClock, SharedClock},
    fault::{Fault as _, FaultKind, chain},
    secret::Secret,
    units::Timestamp,
};
use rackhand_tests::keystone::{Guard, KeystoneSim, PROJECT, USER};

use crate::harness::{Peer, need};

const LIFE: Duration = Duration::from_hours(1);

/// Keystone, a guard that trusts it, and the real Ironic behind the guard.
struct Scene {
    clock: Arc<ManualClock>,
    keystones: Arc<ManualClock>,
    keystone: KeystoneSim,
    guard: Guard,
}

impl Scene {
    async fn new() -> Option<Self> {
        let ironic = need(Peer::Ironic)?;
        crate::harness::init();
        let clock = ManualClock::new(Timestamp(1_800_000_000_000));
        // Keystone's clock is two days behind ours, which must not matter.
        let keystones = ManualClock::new(Timestamp(1_800_000_000_000 - 172_800_000));
        let keystone = KeystoneSim::start(Arc::new(Manual(keystones.clone())), LIFE).await.unwrap();
        let guard = keystone.guard(&ironic).await.unwrap();
        let scene = Self { clock, keystones, keystone, guard };
        for (service, interface, region, url) in [
            ("compute", "public", "north", "http://127.0.0.1:1"),
            ("baremetal", "public", "north", "http://127.0.0.1:1"),
            ("baremetal", "internal", "south", "http://127.0.0.1:1/v1"),
            ("baremetal", "public", "south", &format!("{}/v1/", scene.guard.url())),
        ] {
            scene.keystone.endpoint(service, interface, region, url);
        }
        Some(scene)
    }

    fn password(password: &str, scope: Scope) -> Credential {
        let (username, user_domain) = (USER.to_owned(), "Default".to_owned());
        Credential::Password { username, user_domain, password: Secret::new(password), scope }
    }

    fn right(&self) -> Credential {
        Self::password(&self.keystone.password(), Scope::System)
    }

    fn client(&self, credential: Credential, region: &str, url: Option<&str>) -> Ironic {
        let clock: SharedClock = Arc::new(Manual(self.clock.clone()));
        let account = Keystone {
            auth_url: format!("{}/v3/", self.keystone.url()),
            credential,
            region: Some(region.to_owned()),
            interface: Interface::Public,
        };
        let http = http::client(Limits::default()).unwrap();
        Ironic::new(http, url, Auth::Keystone(account), clock).unwrap()
    }

    fn pass(&self, span: Duration) {
        self.clock.advance(span);
        self.keystones.advance(span);
    }
}

async fn works(ironic: &Ironic) {
    ironic.nodes_page(&NodeFilter::default(), None, 1).await.unwrap();
}

#[tokio::test]
async fn each_login_gets_a_token_and_finds_ironic_in_the_catalogue() {
    let Some(scene) = Scene::new().await else { return };
    let project = Scope::Project { name: PROJECT.to_owned(), domain: "Default".to_owned() };
    let (id, secret) = scene.keystone.application();
    let application = Credential::Application { id, secret: Secret::new(secret) };
    for credential in [scene.right(), Scene::password(&scene.keystone.password(), project), application] {
        let (before, ironic) = (scene.keystone.given(), scene.client(credential, "south", None));
        works(&ironic).await;
        join_all((0..20).map(|_| works(&ironic))).await;
        assert_eq!(scene.keystone.given(), before + 1, "one token for all");
    }
    assert_eq!(scene.guard.refused(), 0);
    works(&scene.client(scene.right(), "nowhere", Some(scene.guard.url()))).await;

    let error = scene.client(scene.right(), "west", None).version().await.unwrap_err();
    assert_eq!(error.to_string(), "Keystone's catalogue has no public address of a baremetal service in region west");
    assert_eq!(error.kind(), FaultKind::NeedsPerson);
}

#[tokio::test]
async fn many_at_once_ask_for_one_token() {
    let Some(scene) = Scene::new().await else { return };
    let ironic = scene.client(scene.right(), "south", None);
    join_all((0..20).map(|_| works(&ironic))).await;
    assert_eq!(scene.keystone.asked(), 1);
    scene.keystone.revoke();
    join_all((0..20).map(|_| works(&ironic))).await;
    assert_eq!(scene.keystone.asked(), 2, "nor do those who are refused ask each for themselves");
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end_and_once_when_it_is_refused() {
    let Some(scene) = Scene::new().await else { return };
    let ironic = scene.client(scene.right(), "south", None);
    works(&ironic).await;
    scene.pass(LIFE.checked_sub(Duration::from_mins(3)).unwrap());
    works(&ironic).await;
    assert_eq!(scene.keystone.given(), 1);
    scene.pass(Duration::from_secs(61));
    works(&ironic).await;
    assert_eq!((scene.keystone.given(), scene.guard.refused()), (2, 0), "before anybody had to refuse it");

    scene.keystone.revoke();
    works(&ironic).await;
    assert_eq!((scene.keystone.given(), scene.guard.refused()), (3, 1));

    scene.guard.distrust();
    let passed = scene.guard.passed();
    let error = ironic.version().await.map(drop).and(ironic.node("n").await.map(drop)).unwrap_err();
    assert!(matches!(error, IronicError::Unauthenticated { service: Service::Ironic, .. }), "{error}");
    assert_eq!((scene.keystone.given(), scene.guard.refused(), scene.guard.passed()), (4, 3, passed), "renewed once");
}

#[tokio::test]
async fn what_keystone_refuses_never_comes_to_ironic() {
    let Some(scene) = Scene::new().await else { return };
    let other = Scope::Project { name: "other".to_owned(), domain: "Default".to_owned() };
    let wrong = Credential::Application { id: scene.keystone.application().0, secret: Secret::new("canary") };
    let scoped = Scene::password(&scene.keystone.password(), other);
    for credential in [Scene::password("canary", Scope::System), wrong, scoped] {
        let error = scene.client(credential, "south", None).node("n").await.unwrap_err();
        assert!(matches!(error, IronicError::Unauthenticated { service: Service::Keystone, .. }), "{error}");
        assert_eq!((error.kind(), error.effect_unknown()), (FaultKind::Unauthenticated, false));
        assert!(!chain(&error).contains("canary") && !format!("{error:?}").contains("canary"));
    }
    let ironic = scene.client(scene.right(), "south", None);
    for (status, kind) in [(503, "busy"), (500, "unavailable")] {
        scene.keystone.breaks_down(Some(status));
        let error = ironic.node("n").await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("Keystone is {kind}")), "{error}");
        assert_eq!((error.kind(), error.effect_unknown()), (FaultKind::Unavailable, false), "Ironic was not asked");
    }
    assert_eq!((scene.guard.passed(), scene.guard.refused()), (0, 0));
    scene.keystone.breaks_down(None);
    works(&ironic).await;
}
