//! People known by number, and labels: who may make whom what, and what is too much.

use rackhand_core::{
    fault::{Fault, FaultKind},
    model::{Actor, ActorKind, Role},
    ops::{Answer, CreateToken, CreateTokenInput, OpError},
    secret::Secret,
    states::ServerStatus,
};
use serde_json::{Value, json};

use super::{call, program};
use crate::{
    databases::each_engine,
    desk::{Desk, as_kind},
};

#[tokio::test]
async fn programs_make_people_known_and_leave_admins_alone() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let (anna, boris) = (desk.person(1, Role::Admin).await, desk.person(2, Role::Admin).await);
        for kind in [ActorKind::Token, ActorKind::Model, ActorKind::System] {
            let put = async |input: Value| desk.ops.call_by_name(&as_kind(&anna, kind), "put_user", &input, None).await;
            for input in [
                json!({ "telegram_id": 5, "role": "admin" }),
                json!({ "telegram_id": boris.telegram_id, "role": "viewer" }),
                json!({ "telegram_id": boris.telegram_id, "role": "admin", "first_name": "Eve" }),
            ] {
                let error = put(input.clone()).await.unwrap_err();
                let known = matches!(error, OpError::AdminsByPeople) && error.kind() == FaultKind::Forbidden;
                assert!(known, "{kind} {input}: {error:?}");
            }
            let made = put(json!({ "telegram_id": 5, "role": "viewer", "language": "ru" })).await.unwrap();
            let Answer::Done(made) = made else { panic!("{made:?}") };
            assert_eq!(
                (&made["role"], &made["language"], &made["first_name"]),
                (&"viewer".into(), &"ru".into(), &"5".into())
            );
            let Ok(Answer::Done(more)) = put(json!({ "telegram_id": 5, "role": "operator" })).await else { panic!() };
            assert_eq!(
                (&more["role"], &more["language"], &more["id"]),
                (&"operator".into(), &"ru".into(), &made["id"])
            );
        }
        let kept = desk.store().read().await.unwrap().user(boris.id).await.unwrap().unwrap();
        assert_eq!((kept.role, kept.first_name), (Role::Admin, "Anna".to_owned()));

        // A person may, but for the last admin.
        call(&desk.ops, &anna, "put_user", &json!({ "telegram_id": 2, "role": "viewer" })).await.unwrap();
        let last = call(&desk.ops, &anna, "put_user", &json!({ "telegram_id": 1, "role": "viewer" })).await;
        assert!(matches!(last, Err(OpError::LastAdmin)), "{last:?}");
        call(&desk.ops, &anna, "put_user", &json!({ "telegram_id": 6, "role": "admin" })).await.unwrap();
        for (path, input) in [
            ("telegram_id", json!({ "telegram_id": 0, "role": "viewer" })),
            ("first_name", json!({ "telegram_id": 7, "role": "viewer", "first_name": " " })),
            ("first_name", json!({ "telegram_id": 7, "role": "viewer", "first_name": "a".repeat(65) })),
        ] {
            let wrong = call(&desk.ops, &anna, "put_user", &input).await;
            assert!(matches!(&wrong, Err(OpError::BadInput { path: named, .. }) if named == path), "{wrong:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_may_no_more_than_its_maker_may_now() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let (anna, boris) = (desk.person(1, Role::Admin).await, desk.person(2, Role::Admin).await);
        let server = desk.server(7, ServerStatus::Ready, true).await;
        let input = CreateTokenInput { name: "ci".to_owned(), role: Role::Operator, expires_days: None };
        let Ok(Answer::Done(made)) = desk.ops.call::<CreateToken>(&anna.actor(), &input, None).await else { panic!() };
        let secret = Secret::new(made.secret);
        let annas = desk.ops.bearer(&secret).await.unwrap().unwrap();
        let shells = program(&desk.ops, &Actor::shell(), "shells", Role::Operator).await;
        let label = async |who: &Actor, value: &str| {
            let input = json!({ "handle": server.handle, "labels": { "by": value } });
            desk.ops.call_by_name(who, "label_server", &input, None).await
        };
        let set = async |role: &str| {
            call(&desk.ops, &boris, "set_role", &json!({ "telegram_id": 1, "role": role })).await.unwrap();
        };
        label(&annas, "1").await.unwrap();

        set("viewer").await;
        let refused = label(&annas, "2").await;
        assert!(matches!(refused, Err(OpError::Forbidden { has: Role::Viewer, .. })), "{refused:?}");
        set("guest").await;
        let refused = label(&annas, "3").await;
        assert!(matches!(refused, Err(OpError::Forbidden { has: Role::Guest, .. })), "{refused:?}");
        assert_eq!(desk.ops.bearer(&secret).await.unwrap(), None, "its secret is worth nothing");
        label(&shells, "4").await.unwrap();

        // So it is with a token from before a maker was kept.
        let (_, bind) = include_str!("../../../migrations/0003_makers.sql").split_once("UPDATE").unwrap();
        db.sql("UPDATE tokens SET maker = NULL").await.unwrap();
        label(&annas, "5").await.unwrap();
        db.sql(&format!("UPDATE{bind}")).await.unwrap();
        label(&annas, "6").await.unwrap_err();
        label(&shells, "7").await.unwrap();

        // What it was made for is kept, and comes back with its maker.
        set("admin").await;
        label(&annas, "8").await.unwrap();
        let refused = desk.ops.call_by_name(&annas, "list_tokens", &json!({}), None).await;
        assert!(matches!(refused, Err(OpError::Forbidden { has: Role::Operator, .. })), "{refused:?}");
        let Ok(Answer::Done(list)) = call(&desk.ops, &anna, "list_tokens", &json!({})).await else { panic!() };
        let (token, by) = (&list["items"][0], anna.actor().to_string());
        assert_eq!((&token["role"], &token["made_by"], token.get("maker")), (&"operator".into(), &by.into(), None));
    })
    .await;
}

#[tokio::test]
async fn labels_are_replaced_whole_and_have_bounds() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let oleg = desk.person(1, Role::Operator).await;
        let server = desk.server(7, ServerStatus::Reserved, false).await;
        let label = async |labels: Value| {
            call(&desk.ops, &oleg, "label_server", &json!({ "handle": server.handle, "labels": labels })).await
        };
        for labels in [json!({ "env": "prod", "rack": "" }), json!({ "owner/team": "a=b, c" }), json!({})] {
            let Ok(Answer::Done(labelled)) = label(labels.clone()).await else { panic!("{labels}") };
            assert_eq!(labelled["labels"], labels);
            let kept = desk.store().read().await.unwrap().require_server(server.id).await.unwrap();
            assert_eq!(serde_json::to_value(kept.labels).unwrap(), labels);
            assert_eq!((kept.label, kept.status), (server.label.clone(), server.status));
        }
        let many: Value =
            (0..33).map(|n| (format!("k{n}"), Value::from("v"))).collect::<serde_json::Map<_, _>>().into();
        let (key, value) = ("k".repeat(64), "v".repeat(64));
        for labels in [
            many,
            json!({ "": "x" }),
            json!({ "a b": "x" }),
            json!({ key: "x" }),
            json!({ "k": value }),
            json!({ "k": "a\nb" }),
        ] {
            let wrong = label(labels.clone()).await;
            assert!(
                matches!(&wrong, Err(OpError::BadInput { path, .. }) if path.starts_with("labels")),
                "{labels}: {wrong:?}"
            );
        }
    })
    .await;
}
