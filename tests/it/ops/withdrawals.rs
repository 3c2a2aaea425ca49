//! Who asked takes the question back, and nobody else.

use std::time::Duration;

use rackhand_core::{
    ids::ApprovalId,
    model::{Actor, ActorKind, Role},
    ops::{Answer, OpError, OperationStatus, OperationView, Ops},
    states::{ApprovalStatus, JobStatus, ServerStatus},
};
use serde_json::{Value, json};

use super::{answer, approve, ask, on, program, started};
use crate::{
    databases::each_engine,
    desk::{Desk, as_kind},
};

/// Those in one line act for the same person or program; no two lines do, however alike their names are.
#[tokio::test]
async fn who_asked_takes_it_back_and_nobody_else() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let (anna, boris) = (desk.person(1, Role::Admin).await, desk.person(2, Role::Admin).await);
        desk.server(1, ServerStatus::Ready, true).await;
        let vouched_for = |name: &str, minutes| {
            Actor::program(name.to_owned(), Role::Admin, Some(desk.ops.clock.now().plus(Duration::from_mins(minutes))))
        };
        let of_token = async |name| program(&desk.ops, &Actor::shell(), name, Role::Admin).await;
        let (ci, local) = (of_token("ci").await, of_token("local").await);
        let anybody = Actor::program("local".to_owned(), Role::Admin, None);
        let lines = [
            vec![anna.actor(), as_kind(&anna, ActorKind::Model)],
            vec![boris.actor(), as_kind(&boris, ActorKind::Model)],
            // Another person who calls themselves like the first.
            vec![Actor { name: anna.name(), ..desk.person(3, Role::Admin).await.actor() }],
            vec![ci.clone(), ci.model()],
            vec![local.clone(), local.model()],
            vec![anybody.clone(), anybody.model()],
            // With an issuer's next token it is still the same program.
            vec![vouched_for("jwt:ci", 30), vouched_for("jwt:ci", 60).model()],
            vec![vouched_for("jwt:cd", 30)],
            vec![Actor::shell(), Actor::shell().model()],
            vec![Actor::system("local shell")],
            vec![Actor::system("reconciler")],
        ];
        for (own, line) in lines.iter().enumerate() {
            for asker in line {
                let id = ask(&desk.ops, asker, "vps-1").await;
                for other in lines.iter().enumerate().filter(|(other, _)| *other != own).flat_map(|(_, line)| line) {
                    let refused = withdraw(&desk.ops, other, id).await;
                    let named = matches!(&refused, Err(OpError::NotAsker { asker: by }) if *by == asker.to_string());
                    assert!(named, "{other} took back what {asker} asked: {refused:?}");
                }
                assert_eq!(shown(&desk.ops, id).await["status"], "asked");
                // Whoever else is in the line takes it back, where somebody is.
                let taker = line.iter().rfind(|who| *who != asker).unwrap_or(asker);
                taken_back(&desk.ops, asker, taker, id).await;
                let late = approve(&desk.ops, &boris, id).await.unwrap();
                assert_eq!(late["withdrawn"], json!({ "by": taker.name }), "{late}");
                assert_eq!(answer(&desk.ops, &boris, "refuse", id).await.unwrap(), late);
            }
        }
        assert_eq!(desk.count_jobs().await, 0);
        assert!(matches!(desk.ops.verify_audit().await.unwrap(), Ok(rows) if rows > 100));
    })
    .await;
}

/// Twice, which is the same as once; and the record says whose it was.
async fn taken_back(ops: &Ops, asker: &Actor, taker: &Actor, id: ApprovalId) {
    for _ in 0..2 {
        let view = withdraw(ops, taker, id).await.unwrap();
        assert_eq!((view.status, view.done, view.job), (OperationStatus::Cancelled, true, None));
        assert_eq!(view.message, format!("taken back by {}, who asked for it: nothing was done", taker.name));
        let told = done(ops, &Actor::shell(), "get_operation", &json!({ "id": id })).await.unwrap();
        assert_eq!(told, serde_json::to_value(view).unwrap());
    }
    let approval = shown(ops, id).await;
    assert_eq!((&approval["status"], &approval["outcome"]), (&json!("refused"), &json!("withdrawn")), "{approval}");
    assert_eq!(approval["decided_by"], taker.name);
    let rows = done(ops, &Actor::shell(), "list_audit", &json!({ "limit": 3 })).await.unwrap();
    let own: Vec<_> = rows["items"].as_array().unwrap().iter().filter(|row| row["outcome"] == "withdrawn").collect();
    let [row] = own.as_slice() else { panic!("{rows:#}") };
    assert_eq!((&row["operation"], &row["target"]), (&json!("rebuild_server"), &json!("vps-1")), "{row}");
    assert_eq!(row["actor"], taker.to_string());
    let detail: Value = serde_json::from_str(row["detail"].as_str().unwrap()).unwrap();
    assert_eq!((&detail["approval"], &detail["requested_by"]), (&json!(id), &json!(asker.to_string())));
}

#[tokio::test]
async fn who_may_change_nothing_any_more_takes_nothing_back() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let (anna, boris) = (desk.person(1, Role::Admin).await, desk.person(2, Role::Admin).await);
        desk.server(1, ServerStatus::Ready, true).await;
        let id = ask(&desk.ops, &boris.actor(), "vps-1").await;
        let is = async |role: &str| {
            done(&desk.ops, &anna.actor(), "set_role", &json!({ "telegram_id": 2, "role": role })).await.unwrap();
        };
        is("viewer").await;
        let low = withdraw(&desk.ops, &boris.actor(), id).await;
        assert!(matches!(low, Err(OpError::Forbidden { needs: Role::Operator, .. })), "{low:?}");
        is("operator").await;
        assert_eq!(withdraw(&desk.ops, &boris.actor(), id).await.unwrap().status, OperationStatus::Cancelled);
        let none = withdraw(&desk.ops, &boris.actor(), ApprovalId::new()).await;
        assert!(matches!(none, Err(OpError::NotFound { what: "approval", .. })), "{none:?}");
    })
    .await;
}

#[tokio::test]
async fn an_answer_stays_as_it_is() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let (anna, boris) = (desk.person(1, Role::Admin).await, desk.person(2, Role::Admin).await);
        for number in 1..=4 {
            desk.server(number, ServerStatus::Ready, true).await;
        }
        let approved = ask(&desk.ops, &anna.actor(), "vps-1").await;
        let job = started(&approve(&desk.ops, &boris, approved).await.unwrap());
        let refused = ask(&desk.ops, &anna.actor(), "vps-2").await;
        answer(&desk.ops, &boris, "refuse", refused).await.unwrap();
        let used = match on(&desk.ops, &anna, "force_rebuild_server", "vps-3").await.unwrap() {
            Answer::AwaitingApproval(id) => id,
            Answer::Done(value) => panic!("it just ran: {value}"),
        };
        approve(&desk.ops, &boris, used).await.unwrap();
        let missed = ask(&desk.ops, &anna.actor(), "vps-4").await;
        desk.clock.advance(desk.ops.limits.approval_life);
        for (id, stands) in [
            (approved, (OperationStatus::Queued, Some(job))),
            (refused, (OperationStatus::Refused, None)),
            (used, (OperationStatus::Succeeded, None)),
            (missed, (OperationStatus::Expired, None)),
        ] {
            let before = shown(&desk.ops, id).await;
            let view = withdraw(&desk.ops, &anna.actor(), id).await.unwrap();
            assert_eq!((view.status, view.job), stands, "{view:?}");
            assert_eq!(shown(&desk.ops, id).await, before);
            let other = withdraw(&desk.ops, &boris.actor(), id).await;
            assert!(matches!(other, Err(OpError::NotAsker { .. })), "{other:?}");
        }
        let job = desk.store().read().await.unwrap().require_job(job).await.unwrap();
        assert_eq!((job.status, job.cancel_requested), (JobStatus::Queued, false));
    })
    .await;
}

#[tokio::test]
async fn of_a_yes_and_a_withdrawal_at_once_one_counts() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let (anna, boris) = (desk.person(1, Role::Admin).await, desk.person(2, Role::Admin).await);
        let replicas = [desk.ops.clone(), desk.replica().await];
        for number in 1..=6 {
            let server = desk.server(number, ServerStatus::Ready, true).await;
            let id = ask(&desk.ops, &anna.actor(), &server.handle).await;
            let before = desk.count_jobs().await;
            let [first, second] = [number % 2, (number + 1) % 2].map(|turn| replicas[turn as usize].clone());
            let (yes, back) = tokio::join!(
                tokio::spawn({
                    let boris = boris.clone();
                    async move { approve(&first, &boris, id).await.unwrap() }
                }),
                tokio::spawn({
                    let anna = anna.actor();
                    async move { withdraw(&second, &anna, id).await.unwrap() }
                }),
            );
            let (yes, back) = (yes.unwrap(), back.unwrap());
            let approval = desk.store().read().await.unwrap().approval(id).await.unwrap().unwrap();
            let won = (yes.get("started").is_some(), back.status, approval.status, desk.count_jobs().await - before);
            let expected = if won.0 {
                (true, OperationStatus::Queued, ApprovalStatus::Used, 1)
            } else {
                (false, OperationStatus::Cancelled, ApprovalStatus::Refused, 0)
            };
            assert_eq!(won, expected, "{yes} {back:?}");
            assert_eq!(back.job, approval.job);
        }
    })
    .await;
}

/// Where two persons are wanted, a model is no second one beside whom it acts for.
#[tokio::test]
async fn whose_model_asked_does_not_approve_alone() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let mut ops = desk.ops.clone();
        ops.limits.two_persons = true;
        let anna = desk.person(1, Role::Admin).await;
        desk.server(1, ServerStatus::Ready, true).await;
        for asker in [Actor::shell(), anna.actor()] {
            let id = ask(&ops, &asker.clone().model(), "vps-1").await;
            let own = done(&ops, &asker, "approve", &json!({ "approval": id })).await;
            assert!(matches!(own, Err(OpError::OwnRequest)), "{own:?}");
            withdraw(&ops, &asker, id).await.unwrap();
        }
    })
    .await;
}

async fn withdraw(ops: &Ops, who: &Actor, id: ApprovalId) -> Result<OperationView, OpError> {
    let view = done(ops, who, "withdraw_approval", &json!({ "approval": id })).await?;
    Ok(serde_json::from_value(view).unwrap())
}

async fn shown(ops: &Ops, id: ApprovalId) -> Value {
    done(ops, &Actor::shell(), "show_approval", &json!({ "approval": id })).await.unwrap()
}

async fn done(ops: &Ops, who: &Actor, name: &str, input: &Value) -> Result<Value, OpError> {
    match ops.call_by_name(who, name, input, None).await? {
        Answer::Done(value) => Ok(value),
        Answer::AwaitingApproval(id) => panic!("{name} asks for an approval: {id}"),
    }
}
