//! Lists: a walk by cursors shows everything exactly once, whatever is added meanwhile.

use std::collections::BTreeSet;

use rackhand_core::{
    model::{IncidentKind, Role},
    states::ServerStatus,
};
use serde_json::{Value, json};

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
            super::caller::token(&place.desk.ops, &format!("t{number}"), Role::Viewer, None).await;
        }
        let mut seen: Vec<i64> = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = place.admin.get(&format!("/audit?limit=3&cursor={cursor}")).await.good(200);
            seen.extend(page["items"].as_array().unwrap().iter().map(|entry| entry["seq"].as_i64().unwrap()));
            super::caller::token(&place.desk.ops, &format!("more{}", seen.len()), Role::Viewer, None).await;
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

#[tokio::test]
async fn a_list_is_narrowed_before_it_is_cut_into_pages() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        for number in 10..=18 {
            let status = if number % 2 == 0 { ServerStatus::Ready } else { ServerStatus::PendingSetup };
            place.desk.server(number, status, number < 16).await;
        }
        // Values that look like other labels, or like patterns, are none.
        let labels = [
            (10, json!({ "env": "prod" })),
            (11, json!({ "env": "production", "x.env": "prod" })),
            (12, json!({ "note": "\"env\":\"prod\"", "e_v": "%" })),
            (13, json!({ "ENV": "prod", "rack": "b\\7 \"x\"=é" })),
            (14, json!({ "env": "prod", "zone": "" })),
        ];
        for (number, labels) in labels {
            place.operator.patch(&format!("/servers/vps-{number}"), &json!({ "labels": labels })).await.good(200);
        }
        let numbers = async |query: &str| {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = place.viewer.get(&format!("/servers?limit=2&cursor={cursor}&{query}")).await.good(200);
                let handles = page["items"].as_array().unwrap().iter().map(|server| server["handle"].as_str().unwrap());
                seen.extend(handles.map(|handle| handle.trim_start_matches("vps-").parse::<u32>().unwrap()));
                let Some(next) = page["next"].as_str() else { return seen };
                next.clone_into(&mut cursor);
            }
        };
        for (query, expected) in [
            ("", &[10, 11, 12, 13, 14, 15, 16, 17, 18][..]),
            ("status=ready", &[10, 12, 14, 16, 18]),
            ("status=maintenance", &[]),
            ("managed=false", &[16, 17, 18]),
            ("managed=true&status=pending_setup", &[11, 13, 15]),
            ("label=env", &[10, 11, 14]),
            ("label=env=prod", &[10, 14]),
            ("label=env%3Dprod&status=ready&managed=true", &[10, 14]),
            ("label=ENV", &[13]),
            ("label=e_v=%25", &[12]),
            ("label=zone=", &[14]),
            ("label=rack=b%5C7+%22x%22%3D%C3%A9", &[13]),
        ] {
            assert_eq!(numbers(query).await, expected, "{query}");
        }
        for (query, field) in [
            ("status=broken", "status"),
            ("managed=maybe", "managed"),
            ("label=", "label"),
            ("label=a+b", "label"),
            ("label=%3Dprod", "label"),
        ] {
            place.viewer.get(&format!("/servers?{query}")).await.bad(field);
        }
    })
    .await;
}

#[tokio::test]
async fn people_and_the_record_are_narrowed_too() {
    each_engine(|db| async move {
        let place = Place::new(&db).await;
        for (number, role) in [(1, Role::Viewer), (2, Role::Operator), (3, Role::Viewer), (4, Role::Viewer)] {
            place.desk.person(number, role).await;
        }
        let viewers = place.admin.get("/users?role=viewer&limit=2").await.good(200);
        let next = viewers["next"].as_str().expect("a third");
        let rest = place.admin.get(&format!("/users?role=viewer&limit=2&cursor={next}")).await.good(200);
        let ids = [&viewers, &rest].map(|page| page["items"].as_array().unwrap().clone()).concat();
        let ids: Vec<&Value> = ids.iter().map(|user| &user["telegram_id"]).collect();
        assert_eq!(ids, [1, 3, 4]);
        place.admin.get("/users?role=king").await.bad("role");

        place.desk.server(1, ServerStatus::Ready, true).await;
        for number in 1..=5 {
            let labels = json!({ "labels": { "n": number.to_string() } });
            place.operator.patch("/servers/vps-1", &labels).await.good(200);
        }
        place.admin.patch("/servers/vps-1", &json!({ "labels": {} })).await.good(200);
        let entries = async |query: &str| {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = place.admin.get(&format!("/audit?limit=2&cursor={cursor}&{query}")).await.good(200);
                seen.extend(page["items"].as_array().unwrap().iter().map(|entry| entry["seq"].as_i64().unwrap()));
                let Some(next) = page["next"].as_str() else { return seen };
                next.clone_into(&mut cursor);
            }
        };
        let labelled = entries("operation=label_server").await;
        assert!(labelled.len() == 6 && labelled.is_sorted_by(|a, b| a > b), "{labelled:?}");
        assert_eq!(entries("target=vps-1").await, labelled);
        assert_eq!(entries("actor=operator").await, labelled[1..]);
        assert_eq!(entries("actor=token+operator&target=vps-1").await, labelled[1..]);
        assert_eq!(entries("actor=token").await, labelled);
        assert_eq!(entries("actor=admin&operation=label_server").await, labelled[..1]);
        assert_eq!(entries("actor=local+shell&operation=create_token").await.len(), 3);
        for query in ["actor=oper", "actor=%25", "target=vps", "operation=rebuild_server"] {
            assert!(entries(query).await.is_empty(), "{query}");
        }
        place.admin.get("/audit?operation=rebuild").await.bad("operation");
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
