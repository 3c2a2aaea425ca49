//! A service that is old, lies, hangs or breaks off.

use std::{
    future::pending,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rackhand_core::{
    clients::{
        http::{self, Limits},
        ironic::{Auth, Ironic, IronicError, NodeFilter, Service, Target},
    },
    fault::{Fault as _, FaultKind, chain},
    secret::Secret,
};
use tokio::net::TcpListener;

use super::{client, clock};

const NEWEST: &str = "X-OpenStack-Ironic-API-Maximum-Version";

/// The address of a service that tells the right versions, and to all else says `answer`.
pub async fn ironic_that(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> String {
    let versions = get(|| async { [(NEWEST, "1.115")] });
    serve(Router::new().route("/v1", versions).fallback(move || async move { answer() })).await
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn impatient(url: &str, auth: Auth) -> Ironic {
    crate::harness::init();
    let limits = Limits { connect: Duration::from_millis(500), request: Duration::from_millis(500) };
    Ironic::new(http::client(limits).unwrap(), Some(url), auth, clock()).unwrap()
}

#[tokio::test]
async fn the_version_is_asked_once_and_what_is_too_old_is_said() {
    let asked = Arc::new(AtomicUsize::new(0));
    let ironic = async |newest: &'static str| {
        let count = asked.clone();
        let versions = get(move || async move {
            count.fetch_add(1, Ordering::SeqCst);
            [(NEWEST, newest)]
        });
        // Says what version it was asked in.
        let node = get(|headers: HeaderMap| async move {
            let version = headers["X-OpenStack-Ironic-API-Version"].to_str().unwrap().to_owned();
            format!(r#"{{ "uuid": "{version}", "provision_state": "active", "history": [] }}"#)
        });
        serve(Router::new().route("/v1", versions).fallback(node)).await
    };
    let current = client(&ironic("1.115").await);
    assert_eq!(current.version().await.unwrap(), 115);
    assert_eq!(current.node("n").await.unwrap().uuid, "1.56", "the lowest that does");
    current.clone().node("n").await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1);

    let train = client(&ironic("1.58").await);
    assert_eq!(train.node("n").await.unwrap().uuid, "1.56");
    assert!(train.history("n").await.unwrap().is_empty(), "it remembers nothing");
    let error = train.provision("n", Target::Unhold, None).await.unwrap_err();
    assert!(matches!(error, IronicError::TooOld { speaks: 58, needs: 85 }), "{error}");
    let old = client(&ironic("1.31").await);
    let error = old.nodes(&NodeFilter::default()).await.unwrap_err();
    assert!(matches!(error, IronicError::TooOld { speaks: 31, needs: 56 }), "{error}");
    assert_eq!((error.kind(), error.effect_unknown()), (FaultKind::NeedsPerson, false));
    assert!(error.advice().is_some());
}

#[tokio::test]
async fn what_is_no_ironic_is_not_taken_for_one() {
    let hello = serve(Router::new().fallback(|| async { "hello" })).await;
    let empty = serve(Router::new()).await;
    for url in [hello, empty] {
        let error = client(&url).node("n").await.unwrap_err();
        assert!(
            matches!(error, IronicError::Garbage { .. }) && error.to_string().contains("is it an Ironic?"),
            "{error}"
        );
    }
    for url in ["ftp://x", "http://a:b@x", "http://x?y", "nonsense"] {
        let client = http::client(Limits::default()).unwrap();
        let error = Ironic::new(client, Some(url), Auth::None, clock()).unwrap_err();
        assert!(matches!(error, IronicError::BadUrl { setting: "ironic.url" }), "{url}: {error}");
    }
}

#[tokio::test]
async fn garbage_is_an_error_and_is_not_repeated_to_anybody() {
    let huge = vec![b' '; 3 * 1024 * 1024];
    let answers = [
        b"<html>canary</html>".to_vec(),
        br#"{"nodes": "canary"}"#.to_vec(),
        br#"{"nodes": [{"uuid": "canary"}]}"#.to_vec(),
        br#"{"uuid": 7, "provision_state": "canary"}"#.to_vec(),
        br#"{"nodes": [], "next": "http://x/v1/nodes?canary"}"#.to_vec(),
        b"[".repeat(100_000),
        huge,
    ];
    for body in answers {
        let url = ironic_that(move || body.clone().into_response()).await;
        for error in
            [client(&url).node("n").await.unwrap_err(), client(&url).nodes(&NodeFilter::default()).await.unwrap_err()]
        {
            assert!(matches!(error, IronicError::Garbage { service: Service::Ironic, .. }), "{error}");
            assert!(!chain(&error).contains("canary"), "{error}");
        }
    }
    // A gateway's own words come in no shape of Ironic's.
    let gateway = || (StatusCode::BAD_GATEWAY, "<html>canary</html>").into_response();
    let error = client(&ironic_that(gateway).await).node("n").await.unwrap_err();
    assert_eq!(error.to_string(), "Ironic is unavailable (HTTP 502)");
    let busy = || (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "7")], "").into_response();
    let error = client(&ironic_that(busy).await).node("n").await.unwrap_err();
    let waits = matches!(error, IronicError::Busy { retry_after: Some(wait), .. } if wait == Duration::from_secs(7));
    assert!(waits, "{error:?}");
}

#[tokio::test]
async fn a_service_that_hangs_or_is_away_has_a_deadline() {
    let versions = get(|| async { [(NEWEST, "1.115")] });
    let hangs = serve(Router::new().route("/v1", versions).fallback(pending::<()>)).await;
    let error = impatient(&hangs, Auth::None).provision("n", Target::Deleted, None).await.unwrap_err();
    assert!(matches!(error, IronicError::Timeout { service: Service::Ironic }), "{error}");
    assert!(error.effect_unknown(), "it may have been done");

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let away = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = impatient(&away, Auth::None).provision("n", Target::Deleted, None).await.unwrap_err();
    assert!(matches!(error, IronicError::Unavailable { sent: false, status: None, .. }), "{error}");
    assert_eq!((error.kind(), error.effect_unknown()), (FaultKind::Unavailable, false));
    assert!(!chain(&error).contains("/v1"), "an address is not told: {error}");
}

#[tokio::test]
async fn a_name_and_a_password_of_ironics_own() {
    let node = get(|headers: HeaderMap| async move {
        // rackhand:c anary
        match headers.get(header::AUTHORIZATION).and_then(|login| login.to_str().ok()) {
            Some("Basic cmFja2hhbmQ6YyBhbmFyeQ==") => {
                (StatusCode::OK, r#"{ "uuid": "u", "provision_state": "active" }"#)
            }
            _ => (StatusCode::UNAUTHORIZED, r#"{"error": {"message": "Incorrect password: c anary", "code": 401}}"#),
        }
    });
    let url = serve(Router::new().route("/v1", get(|| async { [(NEWEST, "1.115")] })).fallback(node)).await;
    let login = |password: &str| Auth::Basic { username: "rackhand".to_owned(), password: Secret::new(password) };
    assert_eq!(impatient(&url, login("c anary")).node("n").await.unwrap().uuid, "u");
    let error = impatient(&url, login("anary")).node("n").await.unwrap_err();
    assert_eq!(error.to_string(), "Ironic refused our login: Incorrect password: c [redacted]");
    assert_eq!(error.kind(), FaultKind::Unauthenticated);
}
