//! Who may do what: the one function whole, the table against it, and every operation called by everybody, at every door.

pub mod doors;

use rackhand_core::{
    model::{Actor, ActorKind, Decision, Risk, Role, decide},
    ops::{OpError, table},
};
use serde_json::json;
use strum::IntoEnumIterator;

use crate::{databases::each_engine, desk::Desk};

/// Operations that a guest must be able to call: the way in, and the language in which one is shown it.
const FOR_GUESTS: [&str; 2] = ["redeem_invite", "set_language"];

#[test]
fn the_decision_is_the_same_for_all_that_is_alike() {
    let mut seen = 0;
    for (kind, role, risk, lowest) in everything() {
        let actor = Actor { kind, ..Actor::program("somebody".to_owned(), role, None) };
        let needs = if risk == Risk::Destroy { Role::Admin } else { lowest };
        let may = kind == ActorKind::System || role >= needs;
        let expected = match (may, risk) {
            (false, _) => Decision::Refuse { needs },
            (true, Risk::Destroy) => Decision::Ask,
            (true, _) => Decision::Run,
        };
        assert_eq!(decide(&actor, risk, lowest), expected, "{kind} {role} {risk} {lowest}");
        seen += 1;
    }
    assert_eq!(seen, 4 * 4 * 3 * 4);
}

#[test]
fn nothing_that_destroys_ever_just_runs() {
    for (kind, role, _, lowest) in everything() {
        let actor = Actor { kind, ..Actor::program("somebody".to_owned(), role, None) };
        assert_ne!(decide(&actor, Risk::Destroy, lowest), Decision::Run, "{kind} {role} {lowest}");
    }
}

#[test]
fn the_table_asks_for_what_its_risks_ask_for() {
    for entry in table() {
        let spec = entry.spec;
        assert!(
            spec.lowest >= spec.risk.floor() || FOR_GUESTS.contains(&spec.name),
            "{} is {} and given to {}",
            spec.name,
            spec.risk,
            spec.lowest
        );
        assert!(spec.risk != Risk::Destroy || spec.summary.contains("approval"), "{} says so", spec.name);
        assert_eq!(table().iter().filter(|other| other.spec.name == spec.name).count(), 1);
        for schema in [(entry.input)(), (entry.output)()] {
            assert!(schema.as_value().is_object() || schema.as_value().is_boolean(), "{}", spec.name);
        }
    }
}

/// A door may hold an actor for a while; what counts is the role at the moment of the deed.
#[tokio::test]
async fn a_role_that_was_taken_away_since_is_gone() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let (anna, boris) = (desk.person(1, Role::Admin).await, desk.person(2, Role::Admin).await);
        let input = json!({ "telegram_id": 2, "role": "viewer" });
        desk.ops.call_by_name(&anna.actor(), "set_role", &input, None).await.unwrap();
        for (name, input) in [("set_role", input), ("list_users", json!({}))] {
            let answer = desk.ops.call_by_name(&boris.actor(), name, &input, None).await;
            assert!(matches!(answer, Err(OpError::Forbidden { has: Role::Viewer, .. })), "{name}: {answer:?}");
        }
        let gone = Actor { user: Some(rackhand_core::ids::UserId::new()), ..anna.actor() };
        let answer = desk.ops.call_by_name(&gone, "show_status", &json!({}), None).await;
        assert!(matches!(answer, Err(OpError::Forbidden { has: Role::Guest, .. })), "{answer:?}");
    })
    .await;
}

#[tokio::test]
async fn two_admins_who_demote_each_other_leave_one() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let replica = desk.replica().await;
        for round in 0..10 {
            let (one, two) =
                (desk.person(round * 2 + 1, Role::Admin).await, desk.person(round * 2 + 2, Role::Admin).await);
            let demote = |id: i64| json!({ "telegram_id": id, "role": "viewer" });
            let (of_two, of_one) = (demote(two.telegram_id), demote(one.telegram_id));
            let (one_actor, two_actor) = (one.actor(), two.actor());
            let (first, second) = tokio::join!(
                desk.ops.call_by_name(&one_actor, "set_role", &of_two, None),
                replica.call_by_name(&two_actor, "set_role", &of_one, None),
            );
            assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
            desk.db.sql("UPDATE users SET role = 'guest'").await.unwrap();
        }
    })
    .await;
}

fn everything() -> impl Iterator<Item = (ActorKind, Role, Risk, Role)> {
    ActorKind::iter().flat_map(|kind| {
        Role::iter().flat_map(move |role| {
            Risk::iter().flat_map(move |risk| Role::iter().map(move |low| (kind, role, risk, low)))
        })
    })
}
