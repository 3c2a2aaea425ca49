//! The command line: here, as whoever has the machine, and there, as whoever holds a token.

use std::path::PathBuf;

use async_trait::async_trait;
use rackhand_core::{
    model::{ActorKind, Role},
    store::Engine,
};
use serde_json::Value;
use tokio::process::Command;

use super::{Call, Door, Outcome, Who, ground::with_ironic, keeps_to_the_table, programs::secret};
use crate::{
    api::caller,
    cli::{Ended, bare, ended},
    databases::Database,
    desk::Desk,
};

/// So many commands at once.
const AT_ONCE: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn by_commands_here() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let desk = Desk::new(&db).await;
    let (ops, ironic) = with_ironic(&desk.ops).await;
    let settings = vec![
        ("DATABASE_URL", db.url()),
        ("RACKHAND_DATA_DIR", desk.keys.path().display().to_string()),
        ("IRONIC_URL", format!("http://{}", ironic.address())),
    ];
    let who = Who { door: "cli here", kind: ActorKind::Person, role: Some(Role::Admin) };
    keeps_to_the_table(&ops, &who, &Shell::new(&desk, settings), AT_ONCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_commands_there() {
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let desk = Desk::new(&db).await;
    let (ops, _ironic) = with_ironic(&desk.ops).await;
    let door = caller::Door::open(&ops).await;
    for role in [None, Some(Role::Viewer), Some(Role::Operator), Some(Role::Admin)] {
        let who = Who { door: "cli there", kind: ActorKind::Token, role };
        let settings =
            vec![("RACKHAND_URL", format!("http://{}", door.address)), ("RACKHAND_TOKEN", secret(&ops, role).await)];
        keeps_to_the_table(&ops, &who, &Shell::new(&desk, settings), AT_ONCE).await;
    }
}

struct Shell {
    settings: Vec<(&'static str, String)>,
    dir: PathBuf,
}

impl Shell {
    fn new(desk: &Desk, settings: Vec<(&'static str, String)>) -> Self {
        Self { settings, dir: desk.keys.path().to_owned() }
    }
}

#[async_trait]
impl Door for Shell {
    async fn ask(&self, call: &Call) -> Vec<Outcome> {
        if call.entry.spec.cli.is_empty() {
            return vec![Outcome::NotThere];
        }
        let args = args(call);
        let mut command = bare(&args.iter().map(String::as_str).collect::<Vec<_>>());
        command.envs(self.settings.iter().map(|(name, value)| (name, value))).current_dir(&self.dir);
        let output = Command::from(command).kill_on_drop(true).output().await.unwrap();
        vec![outcome(call, &ended(&output))]
    }
}

fn outcome(call: &Call, ended: &Ended) -> Outcome {
    let says = |words: &str| ended.err.contains(words);
    match ended.code {
        0 | 4 | 6 => Outcome::Run,
        // Exit status 2 is that of a wrong command too.
        2 if says("Ironic refused it") => Outcome::Run,
        3 if says("nobody else takes it back") => Outcome::Run,
        5 => Outcome::Ask,
        3 if says("not offered over REST") || says("only a person") => Outcome::NeedsPerson,
        3 if says("needs the role") => Outcome::NeedsRole,
        3 if says("token is unknown") => Outcome::Nobody,
        _ => panic!("{}: {ended:?}", call.row.operation),
    }
}

/// `servers show <handle>` with the input's fields in their places; the others are options.
fn args(call: &Call) -> Vec<String> {
    let mut rest = call.input.as_object().unwrap().clone();
    let mut args = Vec::new();
    for word in call.entry.spec.cli.split_whitespace() {
        match word.strip_prefix('<').and_then(|word| word.strip_suffix('>')) {
            Some(place) => args.push(text(&rest.remove(place).unwrap())),
            None => args.push(word.to_owned()),
        }
    }
    args.extend(rest.iter().flat_map(|(name, value)| [format!("--{}", name.replace('_', "-")), text(value)]));
    args
}

/// A value as it is typed: a map of one as `key=value`.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(map) if map.len() == 1 && map.values().all(Value::is_string) => {
            map.iter().fold(String::new(), |line, (key, value)| format!("{line}{key}={}", text(value)))
        }
        other => other.to_string(),
    }
}
