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
        let [answered, failed, still, back] = [1, 2, 3, 4].map(|second| START.plus(Duration::from_secs(second)));
        tx.note_answer("time4vps", answered).await.unwrap();
        tx.note_answer("ironic", answered).await.unwrap();
        tx.note_failure("ironic", failed).await.unwrap();
        tx.note_failure("ironic", still).await.unwrap();
        tx.commit().await.unwrap();
        let away = ready().await;
        let told = |name: &str, answered: i64, failed: Option<i64>, away: Option<i64>| {
            json!({ "name": name, "answered_at": answered, "failed_at": failed, "away_since": away })
        };
        let time4vps = told("time4vps", answered.0, None, None);
        let ironic = told("ironic", answered.0, Some(still.0), Some(failed.0));
        assert_eq!((&away["status"], &away["providers"]), (&json!("degraded"), &json!([ironic, time4vps])));
        let mut tx = place.desk.store().write().await.unwrap();
        tx.note_answer("ironic", back).await.unwrap();
        // The one that nobody asks any more is forgotten.
        tx.forget_contacts(still).await.unwrap();
        tx.commit().await.unwrap();
        let (again, ironic) = (ready().await, told("ironic", back.0, Some(still.0), None));
        assert_eq!((&again["status"], &again["providers"]), (&json!("ready"), &json!([ironic])));
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
async fn numbers_tell_requests_by_route_and_what_the_database_knows() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        place.desk.server(1, ServerStatus::PendingSetup, true).await;
        place.operator.post("/servers/vps-1/provision", &json!({})).await.good(202);
        place.viewer.get("/servers/vps-2").await.problem(404, "not-found");
        for (id, status, seconds) in [("a", "succeeded", 60), ("b", "succeeded", 61), ("c", "failed", 5)] {
            let ended = START.plus(Duration::from_secs(seconds)).0;
            let job = format!(
                "INSERT INTO jobs (id, kind, params, status, run_at, requested_by, created_at, started_at, finished_at)
                 VALUES ('{id}', 'provision_vps', 'null', '{status}', 0, 'sync', 0, {}, {ended})",
                START.0
            );
            place.desk.db.sql(&job).await.unwrap();
        }
        let mut tx = place.desk.store().write().await.unwrap();
        tx.open_incident(None, IncidentKind::ProviderApiUnavailable, "away", START).await.unwrap();
        tx.resolve_incident(None, IncidentKind::ProviderApiUnavailable, START).await.unwrap();
        tx.open_incident(None, IncidentKind::ProviderApiUnavailable, "away again", START).await.unwrap();
        tx.commit().await.unwrap();
        place.desk.clock.advance(Duration::from_secs(30));
        let text = Answered::of(place.viewer.at(Method::GET, "/metrics")).await.text;
        for line in [
            "jobs{status=\"queued\"} 1\n",
            "jobs{status=\"running\"} 0\n",
            "job_queue_wait_seconds 30\n",
            "server_provisioning_attempts_total{outcome=\"succeeded\"} 2\n",
            "server_provisioning_attempts_total{outcome=\"failed\"} 1\n",
            "server_provisioning_duration_seconds_bucket{le=\"60\"} 1\n",
            "server_provisioning_duration_seconds_bucket{le=\"120\"} 2\n",
            "server_provisioning_duration_seconds_sum 121\n",
            "server_provisioning_duration_seconds_count 2\n",
            "incidents_total{kind=\"provider_api_unavailable\"} 2\n",
            "incidents_total{kind=\"server_missing\"} 0\n",
            "incidents_open 1\n",
            "http_requests_total{route=\"/api/v1/servers/{handle}/provision\",method=\"POST\",status=\"202\"} ",
            "http_requests_total{route=\"/api/v1/servers/{handle}\",method=\"GET\",status=\"404\"} ",
            "http_request_duration_seconds_bucket{",
            "outbox_depth ",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("vps-2"), "what callers write is no label");
    })
    .await;
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
