//! Who may do what: the one function whole, the table against it, and every operation called by everybody, at every door.

mod doors;

use rackhand_core::{
    model::{Actor, ActorKind, Decision, Risk, Role, decide},
    ops::{Answer, NodeFault, OpError, Topic, table},
    states::{JobStatus, ServerStatus},
};
use serde_json::{Value, json};
use strum::IntoEnumIterator;

use crate::{
    databases::each_engine,
    desk::{Desk, as_kind},
};

/// Operations that a guest must be able to call: the way in, and the language in which one is shown it.
const FOR_GUESTS: [&str; 2] = ["redeem_invite", "set_language"];

#[test]
fn the_decision_is_the_same_for_all_that_is_alike() {
    let mut seen = 0;
    for (kind, role, risk, lowest) in everything() {
        let actor = Actor { kind, role, user: None, token: None, name: "somebody".to_owned(), telegram_id: None };
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
        let actor = Actor { kind, role, user: None, token: None, name: "somebody".to_owned(), telegram_id: None };
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

/// Every operation, by every kind of actor of every role: refused, asked or run as `decide` says; and what is asked
/// starts nothing.
#[tokio::test]
async fn every_operation_keeps_to_the_decision() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let mut number = 0;
        for role in Role::iter() {
            // The last admin may not be demoted, so there is always another one.
            let other = desk.person(9_000 + role as i64, Role::Admin).await;
            let user = desk.person(role as i64 + 1, role).await;
            for kind in ActorKind::iter() {
                for entry in table() {
                    number += 1;
                    let mut handle = String::new();
                    if input_for(entry.spec.name, "", 0).get("handle").is_some() {
                        handle = desk.server(number % 200 + 1, status_for(entry.spec.name), true).await.handle;
                    }
                    let job = desk.count_jobs().await;
                    let input = input_for(entry.spec.name, &handle, other.telegram_id);
                    let actor = as_kind(&user, kind);
                    let answer = desk.ops.call_by_name(&actor, entry.spec.name, &input, None).await;
                    let said = (entry.spec.name, kind, role, &answer);
                    let decision = decide(&actor, entry.spec.risk, entry.spec.lowest);
                    match (&answer, decision) {
                        (Err(OpError::PeopleOnly), _) => {
                            assert!(entry.spec.people_only && kind != ActorKind::Person, "{said:?}");
                        }
                        (Err(OpError::Forbidden { needs, has, .. }), Decision::Refuse { needs: wanted }) => {
                            assert_eq!((*needs, *has), (wanted, role), "{said:?}");
                        }
                        (Ok(Answer::AwaitingApproval(_)), Decision::Ask) => {
                            assert_eq!(desk.count_jobs().await, job, "{said:?} started something");
                        }
                        // Let through, as far as it goes without an Ironic.
                        (Err(OpError::Node(NodeFault::NoIronic)), Decision::Run | Decision::Ask) => {
                            assert_eq!(entry.spec.topic, Topic::Ironic, "{said:?}");
                        }
                        // Done, or let through and nothing found to do it to.
                        (Ok(Answer::Done(_)) | Err(OpError::NotFound { .. } | OpError::BadCode), Decision::Run) => {}
                        _ => panic!("{said:?} where {decision:?} was decided"),
                    }
                    let refused = matches!(answer, Err(OpError::PeopleOnly | OpError::Forbidden { .. }));
                    if refused {
                        assert_eq!(desk.count_jobs().await, job, "{said:?} started something");
                    }
                    if input.get("handle").is_some() {
                        clean(&desk, &handle).await;
                    }
                }
            }
        }
        assert_eq!(desk.ops.verify_audit().await.unwrap().map(|count| count > 100), Ok(true));
    })
    .await;
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

/// A state from which the operation may go.
fn status_for(operation: &str) -> ServerStatus {
    match operation {
        "manage_server" => ServerStatus::Discovered,
        "release_server" => ServerStatus::Reserved,
        _ => ServerStatus::Ready,
    }
}

/// An input that the operation takes; the thing that it names need not be there.
pub fn input_for(operation: &str, handle: &str, other: i64) -> Value {
    match operation {
        "list_servers" | "list_jobs" | "list_approvals" | "list_users" | "list_tokens" | "list_audit"
        | "list_incidents" | "list_nodes" | "show_status" => json!({}),
        "show_user" => json!({ "telegram_id": other }),
        "show_job" | "cancel_job" | "retry_job" => json!({ "job": "00000000" }),
        "get_operation" => json!({ "id": "00000000" }),
        "approve" | "refuse" | "show_approval" => json!({ "approval": rackhand_core::ids::ApprovalId::new() }),
        "set_role" => json!({ "telegram_id": other, "role": "admin" }),
        "get_node" | "manage_node" | "provide_node" => json!({ "node": "node-1" }),
        "enrol_node" => json!({ "name": "node-1", "bmc": { "address": "http://192.0.2.1", "password": "secret" } }),
        "provision_server" => json!({ "image_id": "debian" }),
        "unprovision_server" => json!({ "server_id": "node-1" }),
        "check_provision_status" | "check_unprovision_status" => json!({ "operation_id": "node-1" }),
        "create_token" => json!({ "name": rackhand_core::ids::JobId::new(), "role": "viewer" }),
        "put_user" => json!({ "telegram_id": other + 100_000, "role": "viewer" }),
        "revoke_token" => json!({ "name": "none" }),
        "create_invite" => json!({ "role": "viewer" }),
        "redeem_invite" => json!({ "code_hashes": ["0"] }),
        "label_server" => json!({ "handle": handle, "labels": { "env": "prod" } }),
        "set_language" => json!({ "language": "en" }),
        _ => json!({ "handle": handle }),
    }
}

async fn clean(desk: &Desk, handle: &str) {
    let failed = JobStatus::Failed;
    let sql = format!(
        "UPDATE jobs SET status = '{failed}', target = NULL WHERE status <> '{failed}';
         UPDATE approvals SET status = 'refused' WHERE status = 'asked'; DELETE FROM servers WHERE handle = '{handle}'"
    );
    desk.db.sql(&sql).await.unwrap();
}
