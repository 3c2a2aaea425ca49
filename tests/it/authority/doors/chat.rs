//! People in the chat: what is typed, and what is pressed.

use std::time::Duration;

use async_trait::async_trait;
use rackhand_bot::{
    commands::COMMANDS,
    router::Router,
    want::{NodeAction, Want},
};
use rackhand_core::model::{ActorKind, Role};
use rackhand_tests::{fast_ironic::UUID, telegram::Person};
use serde_json::Value;
use tokio::sync::Mutex;

use super::{Call, Door, Outcome, Who, ground::with_ironic, keeps_to_the_table};
use crate::chat::House;

#[tokio::test]
async fn in_the_chat() {
    for role in [Role::Guest, Role::Viewer, Role::Operator, Role::Admin] {
        let mut house = House::new().await;
        let (ops, _ironic) = with_ironic(&house.ops).await;
        house.router = Router::new(ops.clone(), house.messenger.clone(), true);
        house.ops = ops.clone();
        let person = house.member(101, "Anna", role).await;
        house.say(&person, "/help").await;
        let who = Who { door: "chat", kind: ActorKind::Person, role: Some(role) };
        keeps_to_the_table(&ops, &who, &Chat { house: Mutex::new(house), person }, 1).await;
    }
}

struct Chat {
    house: Mutex<House>,
    person: Person,
}

/// How something is asked for.
enum Said {
    Typed(String),
    Pressed(Want),
}

#[async_trait]
impl Door for Chat {
    async fn ask(&self, call: &Call) -> Vec<Outcome> {
        let (mut house, person) = (self.house.lock().await, &self.person);
        // Nobody types too fast; and what others have to say is said before.
        house.clock.advance(Duration::from_secs(10));
        house.settle().await;
        // Whoever is given a role is told so.
        if let Some(id) = call.input["telegram_id"].as_i64() {
            house.telegram.meet(&Person::new(id, "Boris"));
        }
        let before = house.last(person);
        let words = match said(call) {
            Said::Typed(text) => {
                house.say(person, &text).await;
                String::new()
            }
            Said::Pressed(want) => house.press(person, person.id, before.id, &want.data()).await.unwrap_or_default(),
        };
        let after = house.last(person);
        let told = format!("{words}\n{}", after.text);
        vec![match told {
            _ if told.contains("no access") || told.contains("invited people only") => Outcome::Nobody,
            _ if told.contains("takes the role") => Outcome::NeedsRole,
            _ if told.contains("did not understand") => Outcome::NotThere,
            _ if after.id > before.id && after.text.contains("Lost for good") => Outcome::Ask,
            _ => {
                let heard = (after.id, after.edits) != (before.id, before.edits) || !words.is_empty();
                assert!(heard, "{}: the bot is silent", call.row.operation);
                Outcome::Run
            }
        }]
    }
}

fn said(call: &Call) -> Said {
    let field = |name: &str| call.input[name].as_str().unwrap_or_default();
    let approval = || field("approval").parse().unwrap();
    match call.row.operation.as_str() {
        "approve" => Said::Pressed(Want::Approve(approval())),
        "refuse" => Said::Pressed(Want::Refuse(approval())),
        "set_role" => {
            Said::Pressed(Want::SetRole(call.input["telegram_id"].as_i64().unwrap(), field("role").parse().unwrap()))
        }
        "provision_server" => Said::Pressed(Want::ActOnNode(NodeAction::Provision, UUID.to_owned())),
        "redeem_invite" => Said::Typed("/start nonsense".to_owned()),
        name => Said::Typed(typed(name, &call.input)),
    }
}

/// `/rebuild vps-7`, or for what has no command of its own `/label_server handle=vps-7 env=prod`.
fn typed(operation: &str, input: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fields = input.as_object().unwrap();
    if let Some(command) = COMMANDS.iter().find(|command| command.operation == Some(operation)) {
        return format!("/{} {}", command.name, fields.values().next().map(text).unwrap_or_default());
    }
    let word = |(name, value): (&String, &Value)| match value.as_object() {
        Some(map) => map.iter().fold(String::new(), |line, (key, value)| format!("{line} {key}={}", text(value))),
        None => format!(" {name}={}", text(value)),
    };
    fields.iter().map(word).fold(format!("/{operation}"), |line, word| line + &word)
}
