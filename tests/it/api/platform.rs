//! Health, numbers, the page for people, and a stop.

use std::time::Duration;

use rackhand_core::{model::IncidentKind, states::ServerStatus, store::Engine};
use reqwest::Method;
use serde_json::{Value, json};

use super::caller::{Answered, Place, client};
use crate::{
    databases::{Database, each_engine},
    desk::START,
};

#[tokio::test]
async fn readiness_tells_what_is_not_as_it_should_be() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        let ready = async || Answered::of(client().get(format!("{}/readyz", place.viewer.root))).await.good(200);
        assert_eq!((&ready().await["status"], &ready().await["worker"]), (&json!("degraded"), &json!(false)));
        let mut tx = place.desk.store().write().await.unwrap();
        tx.take_lease("rebuilds", "somebody", Duration::from_hours(1)).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!((&ready().await["status"], &ready().await["worker"]), (&json!("ready"), &json!(true)));
        let mut tx = place.desk.store().write().await.unwrap();
        tx.open_incident(None, IncidentKind::ProviderApiUnavailable, "away", START).await.unwrap();
        tx.commit().await.unwrap();
        let away = ready().await;
        assert_eq!((&away["status"], &away["provider_away_since"]), (&json!("degraded"), &json!(START.0)));
        place.desk.store().close().await;
        let gone = Answered::of(client().get(format!("{}/readyz", place.viewer.root))).await;
        assert_eq!((gone.status.as_u16(), &gone.json()["database"]), (503, &Value::Bool(false)));
        let failed = place.viewer.get("/servers").await;
        assert!([401, 503].contains(&failed.status.as_u16()) && !failed.header("retry-after").is_empty(), "{failed:?}");
        assert_eq!(
            Answered::of(client().get(format!("{}/healthz", place.viewer.root))).await.good(200)["status"],
            "ok"
        );
    })
    .await;
}

#[tokio::test]
async fn numbers_tell_requests_by_route_and_jobs_by_state() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    place.desk.server(1, ServerStatus::PendingSetup, true).await;
    place.operator.post("/servers/vps-1/provision", &json!({})).await.good(202);
    place.viewer.get("/servers/vps-2").await.problem(404, "not-found");
    let text = Answered::of(place.viewer.at(Method::GET, "/metrics")).await.text;
    for line in [
        "jobs{status=\"queued\"} 1",
        "http_requests_total{route=\"/api/v1/servers/{handle}/provision\",method=\"POST\",status=\"202\"} ",
        "http_requests_total{route=\"/api/v1/servers/{handle}\",method=\"GET\",status=\"404\"} ",
        "outbox_depth ",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(text.contains("http_request_duration_seconds_bucket{"), "{text}");
    assert!(!text.contains("vps-2"), "what callers write is no label");
}

#[tokio::test]
async fn the_page_for_people_takes_nothing_from_elsewhere() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    let page = Answered::of(client().get(format!("{}/docs", place.viewer.root))).await;
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe") && !policy.contains("http"),
        "{policy}"
    );
    assert!(!page.text.contains("://"), "{}", page.text);
    let document = Answered::of(place.viewer.at(Method::GET, "/openapi.json")).await.good(200);
    assert_eq!(document["openapi"], "3.1.0");
}

#[tokio::test]
async fn a_stop_waits_for_nobody_who_is_silent() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let Place { door, viewer, desk: _desk, .. } = Place::new(&db).await;
    viewer.get("/servers").await.good(200);
    let _silent = tokio::net::TcpStream::connect(door.address).await.unwrap();
    let address = door.address;
    door.close().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
