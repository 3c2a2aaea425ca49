//! What operations promise whoever calls them: approvals that bind, keys that repeat, servers that are left alone, and a
//! record of it all.

mod approvals;
mod people;
mod record;
mod servers;
mod withdrawals;

use rackhand_core::{
    ids::{ApprovalId, JobId},
    model::{Actor, Role, User},
    ops::{Answer, CreateToken, CreateTokenInput, OpError, Ops},
    secret::Secret,
};
use serde_json::{Value, json};

type Answered = Result<Answer<Value>, OpError>;

async fn call(ops: &Ops, who: &User, name: &str, input: &Value) -> Answered {
    ops.call_by_name(&who.actor(), name, input, None).await
}

async fn on(ops: &Ops, who: &User, name: &str, handle: &str) -> Answered {
    call(ops, who, name, &json!({ "handle": handle })).await
}

/// Asks for a rebuild, and is asked back.
async fn ask(ops: &Ops, who: &Actor, handle: &str) -> ApprovalId {
    match ops.call_by_name(who, "rebuild_server", &json!({ "handle": handle }), None).await.unwrap() {
        Answer::AwaitingApproval(id) => id,
        Answer::Done(value) => panic!("it just ran: {value}"),
    }
}

async fn approve(ops: &Ops, who: &User, id: ApprovalId) -> Result<Value, OpError> {
    answer(ops, who, "approve", id).await
}

async fn answer(ops: &Ops, who: &User, name: &str, id: ApprovalId) -> Result<Value, OpError> {
    match call(ops, who, name, &json!({ "approval": id })).await? {
        Answer::Done(value) => Ok(value),
        Answer::AwaitingApproval(id) => panic!("{name} asks for an approval: {id}"),
    }
}

/// The program that holds a token which `maker` makes now.
async fn program(ops: &Ops, maker: &Actor, name: &str, role: Role) -> Actor {
    let input = CreateTokenInput { name: name.to_owned(), role, expires_days: None };
    match ops.call::<CreateToken>(maker, &input, None).await.unwrap() {
        Answer::Done(made) => ops.bearer(&Secret::new(made.secret)).await.unwrap().unwrap(),
        Answer::AwaitingApproval(id) => panic!("it waits for {id}"),
    }
}

fn started(value: &Value) -> JobId {
    value["started"]["job"].as_str().unwrap_or_else(|| panic!("{value} is not a start")).parse().unwrap()
}

fn job_of(answered: &Answered) -> JobId {
    match answered {
        Ok(Answer::Done(value)) => value["job"].as_str().unwrap().parse().unwrap(),
        other => panic!("{other:?} has no job"),
    }
}
