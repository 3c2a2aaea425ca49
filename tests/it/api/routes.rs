//! The routes of the table: each is there under every prefix, and only for whoever may.

use rackhand_core::{ops::table, states::ServerStatus};
use reqwest::Method;
use serde_json::json;

use super::caller::{Answered, Place};
use crate::databases::each_engine;

#[tokio::test]
async fn a_server_is_set_up_and_its_job_followed() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        place.desk.server(1, ServerStatus::PendingSetup, true).await;
        let listed = place.viewer.get("/servers?limit=10").await.good(200);
        assert_eq!(listed["items"][0]["handle"], "vps-1");
        let started = place.operator.post("/servers/vps-1/provision", &json!({})).await.good(202);
        let job = place.viewer.get(&format!("/jobs/{}", started["job"].as_str().unwrap())).await.good(200);
        assert_eq!(job["job"]["requested_by"], "token operator");
        let open = place.viewer.get("/jobs?handle=vps-1&open=true").await.good(200);
        assert_eq!(open["items"].as_array().unwrap().len(), 1);
        let cancelled = Answered::of(
            place.operator.request(Method::POST, &format!("/jobs/{}/cancel", job["job"]["id"].as_str().unwrap())),
        )
        .await;
        cancelled.good(200);
    })
    .await;
}

#[tokio::test]
async fn every_route_is_there_under_every_prefix() {
    let db = crate::databases::Database::fresh(rackhand_core::store::Engine::Sqlite).await.unwrap();
    let place = Place::new(&db).await;
    for entry in table() {
        for rest in entry.spec.rest {
            let path = rest.path.replace("{telegram_id}", "7").replace('{', "no-").replace('}', "");
            for prefix in ["/api/v1", "/api", ""] {
                let method: Method = rest.method.to_string().parse().unwrap();
                let answered = Answered::of(place.admin.at(method, &format!("{prefix}{path}")).json(&json!({}))).await;
                let code = answered.json()["code"].as_str().unwrap_or_default().to_owned();
                let there = !["no-such-path", "wrong-method"].contains(&code.as_str());
                assert!(there, "{} {prefix}{path}: {answered:?}", rest.method);
            }
        }
    }
}
