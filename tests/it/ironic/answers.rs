//! What the client makes of recorded answers.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rackhand_core::{
    clients::ironic::{IronicError, NodeFilter, Progress, ProvisionState, Service, Verdict, oddities},
    fault::{Fault as _, FaultKind},
    units::Timestamp,
};

use super::{client, rude::ironic_that};

macro_rules! recorded {
    ($name:literal) => {
        include_bytes!(concat!("../../../core/src/clients/ironic/fixtures/", $name, ".json")).as_slice()
    };
}

fn answer(status: u16, body: &'static [u8]) -> impl Fn() -> Response + Clone {
    move || (StatusCode::from_u16(status).unwrap(), body).into_response()
}

#[tokio::test]
async fn each_refusal_is_known_by_its_cause() {
    type Cause = fn(&IronicError) -> bool;
    let refusals: [(u16, &[u8], Cause, FaultKind); 21] = [
        (404, recorded!("no_such_node"), |e| matches!(e, IronicError::NotFound { .. }), FaultKind::NotFound),
        (404, recorded!("marker_gone"), |e| matches!(e, IronicError::NotFound { .. }), FaultKind::NotFound),
        (404, recorded!("no_such_path"), |e| matches!(e, IronicError::NotFound { .. }), FaultKind::NotFound),
        (400, recorded!("no_identity"), |e| matches!(e, IronicError::NotFound { .. }), FaultKind::NotFound),
        (406, recorded!("bad_version"), |e| matches!(e, IronicError::Refused { .. }), FaultKind::Invalid),
        (400, recorded!("bad_field"), |e| matches!(e, IronicError::Refused { .. }), FaultKind::Invalid),
        (400, recorded!("bad_name"), |e| matches!(e, IronicError::Refused { .. }), FaultKind::Invalid),
        (400, recorded!("wrong_state"), |e| matches!(e, IronicError::InvalidState { .. }), FaultKind::Conflict),
        (409, recorded!("moving"), |e| matches!(e, IronicError::InvalidState { .. }), FaultKind::Conflict),
        (400, recorded!("in_maintenance"), |e| matches!(e, IronicError::InMaintenance { .. }), FaultKind::Conflict),
        (409, recorded!("locked"), |e| matches!(e, IronicError::Locked { host: Some(_), .. }), FaultKind::Conflict),
        (409, recorded!("node_taken"), |e| matches!(e, IronicError::Associated { .. }), FaultKind::Conflict),
        (409, recorded!("instance_taken"), |e| matches!(e, IronicError::Associated { .. }), FaultKind::Conflict),
        (409, recorded!("duplicate_name"), |e| matches!(e, IronicError::Duplicate { .. }), FaultKind::Conflict),
        (403, recorded!("protected"), |e| matches!(e, IronicError::Protected { .. }), FaultKind::Conflict),
        (400, recorded!("not_valid"), |e| matches!(e, IronicError::NotValid { .. }), FaultKind::Invalid),
        (400, recorded!("image_unsaid"), |e| matches!(e, IronicError::ImageRejected { .. }), FaultKind::Invalid),
        (404, recorded!("image_unknown"), |e| matches!(e, IronicError::ImageRejected { .. }), FaultKind::Invalid),
        (400, recorded!("no_conductor"), |e| matches!(e, IronicError::NoConductor { .. }), FaultKind::Unavailable),
        (503, recorded!("too_much"), |e| matches!(e, IronicError::Busy { .. }), FaultKind::Unavailable),
        (
            401,
            recorded!("wrong_login"),
            |e| matches!(e, IronicError::Unauthenticated { .. }),
            FaultKind::Unauthenticated,
        ),
    ];
    for (status, body, cause, kind) in refusals {
        let url = ironic_that(answer(status, body)).await;
        let error = client(&url).node("node-1").await.unwrap_err();
        assert!(cause(&error), "{status} {error:?}");
        assert_eq!((error.kind(), error.effect_unknown()), (kind, false), "{error}");
        assert!(!error.to_string().contains(['{', '\\']), "its words and no wrapping: {error}");
    }
    let url = ironic_that(answer(500, recorded!("rebuild_of_nothing"))).await;
    let error = client(&url).node("node-1").await.unwrap_err();
    assert_eq!((error.kind(), error.effect_unknown()), (FaultKind::Unavailable, true));
    assert!(error.to_string().starts_with("Ironic is unavailable (HTTP 500): cannot access local variable"), "{error}");
}

#[tokio::test]
async fn what_is_told_of_a_node_is_read() {
    let url = ironic_that(answer(200, recorded!("node_deploying"))).await;
    let node = client(&url).node("node-1").await.unwrap();
    assert_eq!(node.provision_state, ProvisionState::Deploying);
    assert_eq!(node.deploy_progress, Some(Progress { done: 0, all: 2 }));
    assert_eq!((node.clean_progress, node.reservation.as_deref()), (None, Some("test-conductor")));
    let url = ironic_that(answer(200, recorded!("node_failed"))).await;
    let node = client(&url).node("node-1").await.unwrap();
    assert_eq!(node.provision_state, ProvisionState::DeployFailed);
    assert_eq!((node.deploy_progress, node.deploy_step, node.power_state), (None, None, None));
    assert_eq!(node.provision_updated_at, Some(Timestamp(1_795_272_624_827)));
    assert_eq!(node.last_error.as_deref(), Some("Deploy step deploy.deploy failed: no disk."));

    let url = ironic_that(answer(200, recorded!("validate"))).await;
    let validation = client(&url).validate("node-1").await.unwrap();
    assert_eq!(validation.0["deploy"], Verdict::Unfit("no kernel".to_owned()));
    let url = ironic_that(answer(200, recorded!("history"))).await;
    let history = client(&url).history("node-1").await.unwrap();
    assert_eq!(history.len(), 5);
    assert_eq!((&*history[4].severity, &*history[4].kind), ("ERROR", "deploying"));
}

#[tokio::test]
async fn an_endless_list_ends() {
    let url = ironic_that(answer(200, recorded!("page"))).await;
    let error = client(&url).nodes(&NodeFilter::default()).await.unwrap_err();
    assert!(matches!(error, IronicError::Garbage { service: Service::Ironic, .. }), "{error}");
}

#[test]
fn a_state_is_called_as_ironic_calls_it() {
    for name in ["wait call-back", "deploy failed", "clean hold", "enroll", "unrescue failed", "of a later age"] {
        let state = ProvisionState::from(name.to_owned());
        assert_eq!(state.to_string(), name);
        assert_eq!(matches!(state, ProvisionState::Other(_)), name == "of a later age");
    }
}

#[test]
fn what_is_about_an_image_is_told_from_what_is_not() {
    for (about, message) in [
        (true, "Failed to prepare to deploy: Validation of image href file:///etc/x failed, reason: no"),
        (true, "Failed to validate deploy or power info for node n: Image debian could not be found."),
        (true, "Image 1 is unacceptable: too big"),
        (false, "Node image could not be found."),
        (false, "Failed to validate deploy or power info for node n: no kernel"),
        (false, "Deploy step deploy.deploy failed: no disk."),
    ] {
        assert_eq!(oddities::is_about_the_image(message), about, "{message}");
    }
}
