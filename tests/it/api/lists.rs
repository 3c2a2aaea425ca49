//! Lists: a walk by cursors shows everything exactly once, whatever is added meanwhile.

use std::collections::BTreeSet;

use rackhand_core::{model::IncidentKind, states::ServerStatus};
use serde_json::Value;

use super::caller::{Caller, Place};
use crate::{databases::each_engine, desk::START};

#[tokio::test]
async fn a_walk_shows_everything_once_while_rows_are_added() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        for number in 1..=9 {
            let server = place.desk.server(number * 10, ServerStatus::Ready, true).await;
            let mut tx = place.desk.store().write().await.unwrap();
            tx.open_incident(Some(server.id), IncidentKind::ServerMissing, "gone", START).await.unwrap();
            tx.commit().await.unwrap();
        }
        for (path, name) in [("/servers", "/id"), ("/incidents", "/incident/id"), ("/incidents/active", "/incident/id")]
        {
            let before = walk(&place, path, name, false).await;
            assert!(before.len() >= 9, "{path}");
            let during = walk(&place, path, name, true).await;
            let (all, seen): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), during.iter().collect());
            assert_eq!(seen.len(), during.len(), "{path} shows something twice");
            assert!(all.is_subset(&seen), "{path} leaves something out");
        }
        let one = place.viewer.get("/servers/vps-10/incidents").await.good(200);
        assert_eq!(one["items"].as_array().unwrap().len(), 1);
        assert_eq!(one["items"][0]["server"], "vps-10");
        place.viewer.get("/servers/vps-11111/incidents").await.problem(404, "not-found");
    })
    .await;
}

#[tokio::test]
async fn the_record_is_listed_newest_first_without_gaps() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        for number in 1..=7 {
            super::caller::token(&place.desk.ops, &format!("t{number}"), rackhand_core::model::Role::Viewer, None)
                .await;
        }
        let mut seen: Vec<i64> = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = place.admin.get(&format!("/audit?limit=3&cursor={cursor}")).await.good(200);
            seen.extend(page["items"].as_array().unwrap().iter().map(|entry| entry["seq"].as_i64().unwrap()));
            super::caller::token(
                &place.desk.ops,
                &format!("more{}", seen.len()),
                rackhand_core::model::Role::Viewer,
                None,
            )
            .await;
            match page["next"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(seen, (1..=seen[0]).rev().collect::<Vec<_>>());
        place.operator.get("/audit").await.problem(403, "forbidden");
    })
    .await;
}

/// Every item's name, page by page; `adding` adds servers at both ends on the way.
async fn walk(place: &Place, path: &str, name: &str, adding: bool) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for round in 0.. {
        let page = page(&place.viewer, path, &cursor).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|item| item.pointer(name).unwrap().as_str().unwrap().to_owned()));
        if adding && round < 3 {
            let number = u32::try_from(path.len()).unwrap() + 100 + round * 20;
            let server = place.desk.server(number, ServerStatus::Ready, true).await;
            let mut tx = place.desk.store().write().await.unwrap();
            tx.open_incident(Some(server.id), IncidentKind::ServerMissing, "gone", START).await.unwrap();
            tx.commit().await.unwrap();
        }
        match page["next"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    seen
}

async fn page(caller: &Caller, path: &str, cursor: &str) -> Value {
    caller.get(&format!("{path}?limit=2&cursor={cursor}")).await.good(200)
}
