//! Every operation at every door, by everybody who can stand there: let through, asked back or refused exactly as
//! doors/table.txt says; and what is refused changes nothing.

mod chat;
mod direct;
mod ground;
mod models;
mod programs;
mod shell;

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use rackhand_core::{
    model::{Actor, ActorKind, Risk, Role},
    ops::{Answer, Entry, Ops, Topic, find, table},
};
use serde_json::{Value, json};

use self::ground::Ground;
pub use self::ground::with_ironic;

/// A line of the table.
#[derive(Debug)]
struct Row {
    operation: String,
    lowest: Role,
    risk: Risk,
    people_only: bool,
    not_at: Vec<String>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It was let through: done, or found impossible for a reason that only shows behind authority.
    Run,
    /// A person is asked first.
    Ask,
    /// Refused: it takes a higher role.
    NeedsRole,
    /// Refused: it takes a person.
    NeedsPerson,
    /// Refused: nobody knows who asks.
    Nobody,
    /// The door has no such thing.
    NotThere,
}

/// What is let through here, and then found impossible: the job is not parked, the code is nobody's, the question is the
/// owner's.
const IN_VAIN: [&str; 3] = ["retry_job", "redeem_invite", "withdraw_approval"];

/// Whoever stands at a door.
#[derive(Debug)]
struct Who {
    door: &'static str,
    kind: ActorKind,
    /// None for strangers.
    role: Option<Role>,
}

/// What is asked for.
struct Call {
    row: &'static Row,
    entry: &'static Entry,
    input: Value,
}

/// A door, with somebody at it.
#[async_trait]
trait Door: Sync {
    /// Asks, in every way that the door has for it.
    async fn ask(&self, call: &Call) -> Vec<Outcome>;
}

impl Who {
    fn expected(&self, row: &Row) -> Outcome {
        // All that a guest of the chat can do is to use a code.
        if self.door == "chat" && self.role == Some(Role::Guest) {
            return if row.operation == "redeem_invite" { Outcome::Run } else { Outcome::Nobody };
        }
        if row.not_at.iter().any(|door| self.door.starts_with(door.as_str())) {
            return Outcome::NotThere;
        }
        // A command says so by itself, before it asks another machine.
        if row.people_only && (self.kind != ActorKind::Person && self.role.is_some() || self.door == "cli there") {
            return Outcome::NeedsPerson;
        }
        match self.role {
            None => Outcome::Nobody,
            // Rackhand itself has no role; what destroys it asks for like everybody.
            Some(role) if role < row.lowest && self.kind != ActorKind::System => Outcome::NeedsRole,
            Some(_) if row.risk == Risk::Destroy => Outcome::Ask,
            Some(_) => Outcome::Run,
        }
    }
}

#[test]
fn every_operation_has_its_line() {
    let written: BTreeMap<_, _> =
        rows().iter().map(|row| (row.operation.as_str(), (row.lowest, row.risk, row.people_only))).collect();
    let coded: BTreeMap<_, _> = table()
        .iter()
        .map(|entry| (entry.spec.name, (entry.spec.lowest, entry.spec.risk, entry.spec.people_only)))
        .collect();
    assert_eq!(written, coded, "tests/it/authority/doors/table.txt says what may be asked for by whom");
    assert_eq!(rows().len(), written.len(), "each once");
}

/// An input that each operation takes, with what it is done to.
pub async fn inputs(ops: &Ops) -> Vec<(&'static str, Value)> {
    let calls = Ground(ops).calls(&rows().iter().collect::<Vec<_>>()).await;
    calls.into_iter().map(|call| (call.entry.spec.name, call.input)).collect()
}

fn rows() -> &'static [Row] {
    static ROWS: std::sync::LazyLock<Vec<Row>> = std::sync::LazyLock::new(|| {
        let lines = include_str!("doors/table.txt").lines();
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(row).collect()
    });
    &ROWS
}

fn row(line: &str) -> Row {
    let mut words = line.split_whitespace();
    let mut next = || words.next().unwrap_or_else(|| panic!("a line of four words: {line}"));
    let (operation, lowest, risk, by) = (next(), next(), next(), next());
    assert!(["everybody", "people"].contains(&by), "{line}");
    Row {
        operation: operation.to_owned(),
        lowest: lowest.parse().expect("a role"),
        risk: risk.parse().expect("a risk"),
        people_only: by == "people",
        not_at: words.map(str::to_owned).collect(),
    }
}

/// Asks for everything, `at_once` at a time: first for what has to be refused, which must leave no trace but the
/// record of it; then for the rest, which is recorded under the right name.
async fn keeps_to_the_table(ops: &Ops, who: &Who, door: &dyn Door, at_once: usize) {
    let ground = Ground(ops);
    let (let_through, refused): (Vec<_>, Vec<_>) =
        rows().iter().partition(|row| matches!(who.expected(row), Outcome::Run | Outcome::Ask));

    let calls = ground.calls(&refused).await;
    let before = (state(ops).await, done_since(ops, 0).await.len());
    check(who, door, &calls, at_once).await;
    assert_eq!(
        (state(ops).await, done_since(ops, 0).await.len()),
        before,
        "{who:?} was refused, and changed something"
    );

    let calls = ground.calls(&let_through).await;
    let from = audit(ops).await.first().map_or(0, |entry| entry["seq"].as_i64().unwrap());
    check(who, door, &calls, at_once).await;
    let done = done_since(ops, from).await;
    let recorded = |row: &Row, outcomes: &[&str]| {
        let outcome = |entry: &Value| outcomes.contains(&entry["outcome"].as_str().unwrap());
        done.iter().any(|entry| entry["operation"] == row.operation.as_str() && outcome(entry))
    };
    let unrecorded: Vec<&str> = let_through
        .iter()
        .filter(|row| match who.expected(row) {
            Outcome::Ask => !recorded(row, &["asked"]),
            _ if row.risk == Risk::Read || IN_VAIN.contains(&row.operation.as_str()) => false,
            _ => !recorded(row, &["begun", "done"]),
        })
        .map(|row| row.operation.as_str())
        .collect();
    assert!(unrecorded.is_empty(), "{who:?}: {unrecorded:?} are not in the audit: {done:#?}");
    let kind = format!("{} ", who.kind);
    for entry in &done {
        assert!(entry["actor"].as_str().unwrap().starts_with(&kind), "{who:?}: {entry}");
    }
}

async fn check(who: &Who, door: &dyn Door, calls: &[Call], at_once: usize) {
    let asked = stream::iter(calls).map(async |call| (call.row, door.ask(call).await));
    let outcomes: Vec<_> = asked.buffer_unordered(at_once).collect().await;
    let wrong: Vec<String> = outcomes
        .into_iter()
        .filter(|(row, outcomes)| outcomes.is_empty() || outcomes.iter().any(|outcome| *outcome != who.expected(row)))
        .map(|(row, outcomes)| format!("{}: {outcomes:?}, not {:?}", row.operation, who.expected(row)))
        .collect();
    assert!(wrong.is_empty(), "{who:?}\n{}", wrong.join("\n"));
}

/// All that can be changed, as the owner sees it; but for the traces of having come.
async fn state(ops: &Ops) -> Vec<Value> {
    let mut all = Vec::new();
    for list in ["list_servers", "list_jobs", "list_approvals", "list_users", "list_tokens", "list_incidents"] {
        let mut items = list_of(ops, list).await;
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            item.retain(|name, _| !["last_seen", "last_used_at"].contains(&name.as_str()));
        }
        all.extend(items);
    }
    all
}

/// What was done or asked since, by the record that is written in the same transaction.
async fn done_since(ops: &Ops, seq: i64) -> Vec<Value> {
    let mut entries = audit(ops).await;
    entries.retain(|entry| entry["seq"].as_i64().unwrap() > seq && entry["outcome"] != "refused");
    entries
}

async fn audit(ops: &Ops) -> Vec<Value> {
    list_of(ops, "list_audit").await
}

async fn list_of(ops: &Ops, list: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let input = json!({ "limit": 500, "cursor": cursor });
        let listed = ops.call_by_name(&Actor::shell(), list, &input, None).await.unwrap();
        let Answer::Done(mut page) = listed else { panic!("{list} asks back") };
        all.append(page["items"].as_array_mut().unwrap());
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return all,
        }
    }
}

/// What a problem's code says of authority. A code that nobody expects here says that the question was wrong.
fn of_problem(code: &str, call: &Call) -> Outcome {
    match code {
        "forbidden" => Outcome::NeedsRole,
        "people-only" => Outcome::NeedsPerson,
        "unauthenticated" => Outcome::Nobody,
        "not-found" | "illegal" | "busy" | "bad-code" | "not-asker" => Outcome::Run,
        // The Ironic of these tests knows how to show one node, and nothing else.
        code if call.entry.spec.topic == Topic::Ironic && code != "bad-input" => Outcome::Run,
        other => panic!("{}: {other} for {}", call.row.operation, call.input),
    }
}

/// The operation of a line.
fn entry(row: &Row) -> &'static Entry {
    find(&row.operation).unwrap_or_else(|| panic!("there is no operation {}: take its line away", row.operation))
}
