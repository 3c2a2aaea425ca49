//! Programs, over REST: by each route of an operation.

use async_trait::async_trait;
use rackhand_core::{
    model::{ActorKind, Role},
    ops::{Choice, Method as Verb, Rest},
    store::Engine,
};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::{Call, Door, Outcome, Who, ground::with_ironic, keeps_to_the_table, of_problem};
use crate::{
    api::caller::{self, Answered, Caller, token},
    databases::Database,
    desk::Desk,
};

#[tokio::test]
async fn over_rest() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let (ops, _ironic) = with_ironic(&Desk::new(&db).await.ops).await;
    let door = caller::Door::open(&ops).await;
    for role in [None, Some(Role::Viewer), Some(Role::Operator), Some(Role::Admin)] {
        let who = Who { door: "rest", kind: ActorKind::Token, role };
        keeps_to_the_table(&ops, &who, &Program(door.caller(&secret(&ops, role).await)), 1).await;
    }
}

/// The secret of a token of this role; a stranger has made one up.
pub(super) async fn secret(ops: &rackhand_core::ops::Ops, role: Option<Role>) -> String {
    match role {
        Some(role) => token(ops, &role.to_string(), role, None).await,
        None => format!("rh_{}", "0".repeat(64)),
    }
}

struct Program(Caller);

#[async_trait]
impl Door for Program {
    async fn ask(&self, call: &Call) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for route in call.entry.spec.rest {
            outcomes.push(outcome(call, &Answered::of(request(&self.0, route, &call.input)).await));
        }
        if call.entry.spec.rest.is_empty() {
            outcomes.push(Outcome::NotThere);
        }
        outcomes
    }
}

fn outcome(call: &Call, answered: &Answered) -> Outcome {
    let body = answered.json();
    match answered.status.as_u16() {
        202 if body["approval_id"].is_string() => Outcome::Ask,
        200..300 => Outcome::Run,
        _ => of_problem(body["code"].as_str().unwrap_or_else(|| panic!("{answered:?}")), call),
    }
}

/// A request by this route: what the path does not take goes into the body, or into the query.
fn request(caller: &Caller, route: &Rest, input: &Value) -> RequestBuilder {
    let mut rest = input.as_object().unwrap().clone();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut path = route.path.to_owned();
    for name in route.path_fields() {
        path = path.replace(&format!("{{{name}}}"), &text(&rest.remove(name).unwrap()));
    }
    if let Some(Choice::Is(field, value)) = route.when {
        rest.insert(field.to_owned(), value.into());
    }
    let method: Method = route.method.to_string().parse().unwrap();
    if matches!(route.method, Verb::Post | Verb::Patch) {
        return caller.request(method, &path).json(&rest);
    }
    let query: Vec<String> = rest.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
    caller.request(method, &format!("{path}?{}", query.join("&")))
}
