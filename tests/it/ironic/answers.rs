//! What the client makes of recorded answers.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rackhand_core::{
    clients::ironic::{IronicError, NodeFilter, Progress, ProvisionState, Service, Verdict},
    fault::{Fault as _, FaultKind},
    units::Timestamp,
};
use serde_json::json;

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
        (400, recorded!("image_unsaid"), |e| matches!(e, IronicError::NotValid { .. }), FaultKind::Invalid),
        (404, recorded!("image_unknown"), |e| matches!(e, IronicError::NoImage { .. }), FaultKind::Invalid),
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

/// As a refusal of whatever status, and as what a driver says when it is asked whether it is fit.
#[tokio::test]
async fn an_image_that_is_missing_is_told_from_one_that_does_not_do() {
    type Cause = fn(&IronicError) -> bool;
    let missing: Cause = |error| matches!(error, IronicError::NoImage { .. });
    let not_valid: Cause = |error| matches!(error, IronicError::NotValid { .. });
    let checksum = "image_source's \"image_checksum\", or \"image_os_hash_algo\" and \"image_os_hash_value\" must be \
                    provided in instance_info for node n";
    let trouble = "Unexpected exception, traceback saved into log by ironic conductor service that is running on c";
    let validating = "Failed to validate deploy or power info for node n";
    for (status, cause, message) in [
        (500, missing, "Validation of image href file:///etc/x failed, reason: no".to_owned()),
        (404, missing, "Image debian could not be found.".to_owned()),
        (400, missing, format!("{validating}: Image debian can not be found.")),
        (400, missing, format!("{validating}: Validation of image href http://x failed, reason: Got HTTP code 404")),
        (500, missing, format!("{trouble}: Image debian could not be found.")),
        (500, missing, "Failed to download image http://x, reason: connection refused".to_owned()),
        (403, missing, "Not authorized for image debian.".to_owned()),
        (500, not_valid, "Image 1 is unacceptable: The image is required to be in an active state.".to_owned()),
        (500, not_valid, "The supplied image checksum is invalid or does not match.".to_owned()),
        (400, not_valid, format!("{validating}: {checksum}")),
        (400, not_valid, format!("{validating}: Failed to connect to Glance to get the properties of the image x")),
        (400, not_valid, format!("{validating}: no kernel")),
        (404, |error| matches!(error, IronicError::NotFound { .. }), "Node Image could not be found.".to_owned()),
        (500, |error| matches!(error, IronicError::Unavailable { .. }), "No space for image x".to_owned()),
    ] {
        let body = json!({ "error_message": json!({ "faultstring": message }).to_string() }).to_string();
        let status = StatusCode::from_u16(status).unwrap();
        let url = ironic_that(move || (status, body.clone()).into_response()).await;
        let error = client(&url).node("n").await.unwrap_err();
        assert!(cause(&error) && error.to_string().contains(&message), "{status} {message}: {error:?}");
    }
    for (cause, reason) in [
        (missing, "Validation of image href x failed, reason: Scheme-less image href is not a UUID."),
        (missing, "Not authorized for image debian."),
        (
            missing,
            "The requested image oci://x requires authentication which has not been provided. Unable to proceed.",
        ),
        (not_valid, checksum),
        (not_valid, "Some parameters were missing in node's instance_info. Missing are: ['root_gb']"),
        (not_valid, "Image debian is missing the following properties: kernel_id"),
        (not_valid, "Node Image could not be found."),
    ] {
        let body = json!({ "deploy": { "result": false, "reason": reason }, "power": { "result": true } }).to_string();
        let url = ironic_that(move || body.clone().into_response()).await;
        let error = client(&url).validate("n").await.unwrap().require(&["power", "deploy"]).unwrap_err();
        assert!(cause(&error) && error.to_string() == format!("deploy: {reason}"), "{reason}: {error:?}");
    }
}
