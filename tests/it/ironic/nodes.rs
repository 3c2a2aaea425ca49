//! One node of the real Ironic: its life, its failures, and what it refuses.

use rackhand_core::{
    clients::ironic::{ConfigDrive, Ironic, IronicError, Patch, ProvisionState, Target, Verdict},
    fault::{Fault as _, FaultKind},
    secret::Secret,
};
use serde_json::json;

use super::{available, client, clock, scripted, settled, unique, watched, write};
use crate::harness::{Peer, need};

#[tokio::test]
async fn a_node_goes_through_its_life_and_tells_how_far_it_is() {
    let Some(url) = need(Peer::Ironic) else { return };
    let (ironic, name) = (client(&url), unique("life"));
    assert!(ironic.version().await.unwrap() >= 56);
    let mut new = scripted(&name);
    new.resource_class = Some("baremetal.large".to_owned());
    new.driver_info = [("bmc".to_owned(), json!("192.0.2.1"))].into_iter().collect();
    new.driver_secrets = [("bmc_password".to_owned(), Secret::new("canary"))].into();
    assert!(!format!("{new:?}").contains("canary"));
    let node = ironic.create_node(&new).await.unwrap();
    assert_eq!(node.provision_state, ProvisionState::Enroll);
    assert_eq!((node.name.as_deref(), node.resource_class.as_deref()), (Some(&*name), Some("baremetal.large")));
    assert_eq!((node.automated_clean, node.maintenance, node.instance_uuid), (Some(false), false, None));

    ironic.provision(&name, Target::Manage, None).await.unwrap();
    let node = settled(&ironic, &name, &ProvisionState::Manageable).await;
    assert_eq!((node.conductor.as_deref(), &node.driver), (Some("test-conductor"), &Some("fake-hardware".to_owned())));
    let taken = Patch::add("/instance_uuid", uuid::Uuid::now_v7().to_string());
    ironic.patch_node(&name, &[taken]).await.unwrap();
    ironic.provision(&name, Target::Provide, None).await.unwrap();
    let node = settled(&ironic, &name, &ProvisionState::Available).await;

    write(&ironic, &node, json!({ "deploy_s": 1, "wait_s": 1 })).await;
    let drive = ConfigDrive(json!({ "meta_data": { "hostname": name }, "vendor_data": { "secret": "canary" } }));
    assert!(!format!("{drive:?}").contains("canary"));
    let before = clock().now();
    ironic.provision(&name, Target::Active, Some(&drive)).await.unwrap();
    is_locked(&ironic, &name).await;
    let seen = watched(&ironic, &name, &ProvisionState::Active).await;
    for state in [ProvisionState::Deploying, ProvisionState::WaitCallBack] {
        let at = seen.iter().find(|node| node.provision_state == state).unwrap_or_else(|| panic!("never {state}"));
        assert_eq!(at.target_provision_state, Some(ProvisionState::Active), "{state}");
    }
    let mut steps = seen.iter().filter_map(|node| Some((node.deploy_progress?, node.deploy_step.clone()?)));
    let (progress, step) = steps.next_back().expect("its progress is told");
    assert_eq!((progress.all, &*step.interface), (2, "deploy"));
    assert!(progress.done < progress.all);
    let node = seen.last().unwrap();
    assert_eq!((node.target_provision_state.clone(), node.deploy_progress, &node.deploy_step), (None, None, &None));
    assert!(!format!("{node:?}").contains("canary"), "Ironic tells no configdrive");
    assert!(node.provision_updated_at.unwrap() >= before, "Ironic and this test share a clock");

    let error = ironic.provision(&name, Target::Active, None).await.unwrap_err();
    assert!(matches!(error, IronicError::InvalidState { .. }), "{error}");
    assert_eq!((error.kind(), error.effect_unknown()), (FaultKind::Conflict, false));
}

/// A conductor is at work on the node, for a second.
async fn is_locked(ironic: &Ironic, name: &str) {
    let error = ironic.provision(name, Target::Deleted, None).await.unwrap_err();
    assert!(matches!(&error, IronicError::Locked { host: Some(host), .. } if host == "test-conductor"), "{error}");
    assert_eq!((error.kind(), error.effect_unknown()), (FaultKind::Conflict, false));
    let error = ironic.patch_node(name, &[Patch::add("/extra/more", 1)]).await.unwrap_err();
    assert!(matches!(error, IronicError::InvalidState { .. } | IronicError::Locked { .. }), "{error}");
}

#[tokio::test]
async fn a_deployment_that_fails_says_why_and_an_aborted_one_too() {
    let Some(url) = need(Peer::Ironic) else { return };
    let ironic = client(&url);
    let node = available(&ironic, &unique("fails")).await;
    write(&ironic, &node, json!({ "deploy": "fail", "message": "the disk is on fire" })).await;
    ironic.provision(&node.uuid, Target::Active, None).await.unwrap();
    let failed = settled(&ironic, &node.uuid, &ProvisionState::DeployFailed).await;
    assert_eq!(failed.last_error.as_deref(), Some("Deploy step deploy.deploy failed: the disk is on fire."));
    assert_eq!(failed.target_provision_state, Some(ProvisionState::Active));
    let history = ironic.history(&node.uuid).await.unwrap();
    let last = history.iter().rfind(|event| event.severity == "ERROR").unwrap();
    assert_eq!(Some(&last.event), failed.last_error.as_ref());
    assert!(last.at.unwrap() >= history[0].at.unwrap());

    write(&ironic, &node, json!({ "wait_s": -1 })).await;
    ironic.provision(&node.uuid, Target::Active, None).await.unwrap();
    settled(&ironic, &node.uuid, &ProvisionState::WaitCallBack).await;
    ironic.provision(&node.uuid, Target::Abort, None).await.unwrap();
    let aborted = settled(&ironic, &node.uuid, &ProvisionState::DeployFailed).await;
    assert!(aborted.last_error.unwrap().contains("abort"));
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_its_cause() {
    let Some(url) = need(Peer::Ironic) else { return };
    let (ironic, name) = (client(&url), unique("refuses"));
    let node = available(&ironic, &name).await;
    let active = async || ironic.provision(&node.uuid, Target::Active, None).await.unwrap_err();

    write(&ironic, &node, json!({ "validate_error": "no kernel" })).await;
    let error = active().await;
    assert!(matches!(&error, IronicError::NotValid { message } if message.contains("no kernel")), "{error}");
    let validation = ironic.validate(&name).await.unwrap();
    let error = validation.require(&["deploy", "power", "nothing"]).unwrap_err();
    assert!(matches!(&error, IronicError::NotValid { message } if message == "deploy: no kernel"), "{error:?}");
    validation.require(&["power", "nothing"]).unwrap();
    assert_eq!(validation.0["power"], Verdict::Fit);
    write(&ironic, &node, json!({ "validate_error": "Image debian-99 could not be found." })).await;
    let error = active().await;
    assert!(matches!(&error, IronicError::NoImage { message } if message.contains("debian-99")), "{error}");
    assert_eq!(error.kind(), FaultKind::Invalid);

    ironic.patch_node(&name, &[Patch::add("/maintenance", true)]).await.unwrap();
    let error = active().await;
    assert!(matches!(error, IronicError::InMaintenance { .. }), "{error}");
    let other = Patch::add("/instance_uuid", uuid::Uuid::now_v7().to_string());
    let error = ironic.patch_node(&name, &[other]).await.unwrap_err();
    assert!(matches!(error, IronicError::Associated { .. }), "{error}");
    let second = ironic.create_node(&scripted(&unique("second"))).await.unwrap();
    let same = Patch::add("/instance_uuid", node.instance_uuid.clone().unwrap());
    let error = ironic.patch_node(&second.uuid, &[same]).await.unwrap_err();
    assert!(matches!(error, IronicError::Associated { .. }), "{error}");

    let error = ironic.create_node(&scripted(&name)).await.unwrap_err();
    assert!(matches!(error, IronicError::Duplicate { .. }), "{error}");
    let mut driverless = scripted(&unique("driverless"));
    driverless.driver = "nothing".to_owned();
    let error = ironic.create_node(&driverless).await.unwrap_err();
    assert!(matches!(error, IronicError::NoConductor { .. }), "{error}");
    assert_eq!(error.kind(), FaultKind::Unavailable);
    let error = ironic.create_node(&scripted("no name")).await.unwrap_err();
    assert!(matches!(&error, IronicError::Refused { message } if message.contains("'no name'")), "{error}");
    let error = ironic.patch_node(&name, &[Patch::replace("/provision_state", "active")]).await.unwrap_err();
    assert!(matches!(error, IronicError::Refused { .. }), "{error}");
    ironic.delete_node(&second.uuid).await.unwrap();
    let error = ironic.node(&second.uuid).await.unwrap_err();
    assert!(matches!(error, IronicError::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn a_name_is_the_name_of_one_node_and_never_a_path() {
    let Some(url) = need(Peer::Ironic) else { return };
    let ironic = client(&url);
    let base = unique("odd");
    for name in [format!("{base}.json"), format!("{base}~a_b.c"), format!("1.2.3.4.{base}"), format!("{base}-.-")] {
        let node = ironic.create_node(&scripted(&name)).await.unwrap();
        assert_eq!(ironic.node(&name).await.unwrap().uuid, node.uuid, "{name}");
        ironic.patch_node(&name, &[Patch::add("/extra/is", name.as_str())]).await.unwrap();
        assert_eq!(ironic.node(&node.uuid).await.unwrap().extra["is"], name.as_str());
    }
    let plain = ironic.create_node(&scripted(&base)).await.unwrap();
    let no_names = ["", ".", "..", "é", "a b", "a\nb", "%2e%2e", "detail/x"].map(str::to_owned);
    let paths = ["/states", "/../", "%2Fstates", "?fields=uuid", "#x", "\\states", ";x", "\u{0}"]
        .map(|end| format!("{base}{end}"));
    for name in no_names.into_iter().chain(paths) {
        let error = ironic.node(&name).await.map(|node| node.uuid).unwrap_err();
        assert!(matches!(error, IronicError::NotFound { .. }), "{name:?}: {error}");
        let error = ironic.delete_node(&name).await.unwrap_err();
        assert!(matches!(error, IronicError::NotFound { .. }), "{name:?}: {error}");
    }
    assert_eq!(ironic.node(&base).await.unwrap().uuid, plain.uuid, "nothing else was deleted");
}
