//! The commands: their names, what they take, and which operation each stands for; who may use one follows from that.
//!
//! An operation that has neither a command nor a button here is typed by its own name: what it takes, and what help says
//! of it, come from the table of operations.

use rackhand_core::{
    model::{Risk, Role},
    ops::{self, Entry, Topic},
};

use crate::{
    texts::{Lang, plain},
    want::{Action, NodeAction},
};

/// A command.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// What is typed after the slash.
    pub name: &'static str,
    /// The operation that it stands for; none for those that everybody has.
    pub operation: Option<&'static str>,
    /// What it takes.
    pub takes: Takes,
    /// It is in the menu; the others are for buttons and for those who know them.
    pub in_menu: bool,
}

/// What a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// A server's handle, for this, or for its card.
    Server(Option<Action>),
    /// The name of a node of Ironic's, for this, or for its card.
    Node(Option<NodeAction>),
    /// A job's short name.
    Job,
    /// A role.
    Role,
    /// A language.
    Language,
    /// A code.
    Code,
}

/// All of them, in the order of help.
pub const COMMANDS: [Command; 25] = [
    Command { name: "status", operation: Some("show_status"), takes: Takes::Nothing, in_menu: true },
    Command { name: "servers", operation: Some("list_servers"), takes: Takes::Nothing, in_menu: true },
    Command { name: "server", operation: Some("show_server"), takes: Takes::Server(None), in_menu: true },
    on_server(Action::Provision, true),
    on_server(Action::Rebuild, true),
    on_server(Action::Manage, true),
    on_server(Action::Unmanage, false),
    on_server(Action::Reserve, false),
    on_server(Action::Release, false),
    on_server(Action::ForceRebuild, false),
    on_server(Action::ResetAttempts, false),
    Command { name: "nodes", operation: Some("list_nodes"), takes: Takes::Nothing, in_menu: true },
    Command { name: "node", operation: Some("get_node"), takes: Takes::Node(None), in_menu: false },
    Command {
        name: "unprovision",
        operation: Some(NodeAction::Unprovision.operation()),
        takes: Takes::Node(Some(NodeAction::Unprovision)),
        in_menu: false,
    },
    Command { name: "jobs", operation: Some("list_jobs"), takes: Takes::Nothing, in_menu: true },
    Command { name: "job", operation: Some("show_job"), takes: Takes::Job, in_menu: true },
    Command { name: "story", operation: Some("show_job"), takes: Takes::Job, in_menu: false },
    Command { name: "cancel", operation: Some("cancel_job"), takes: Takes::Job, in_menu: true },
    Command { name: "retry", operation: Some("retry_job"), takes: Takes::Job, in_menu: false },
    Command { name: "approvals", operation: Some("list_approvals"), takes: Takes::Nothing, in_menu: true },
    Command { name: "users", operation: Some("list_users"), takes: Takes::Nothing, in_menu: true },
    Command { name: "invite", operation: Some("create_invite"), takes: Takes::Role, in_menu: true },
    Command { name: "lang", operation: Some("set_language"), takes: Takes::Language, in_menu: true },
    Command { name: "help", operation: None, takes: Takes::Nothing, in_menu: true },
    Command { name: "start", operation: None, takes: Takes::Code, in_menu: false },
];

/// Operations that are asked for by a button under what they are about, or by a code.
const BY_BUTTON: [&str; 4] = ["approve", "refuse", "set_role", "redeem_invite"];

const fn on_server(action: Action, in_menu: bool) -> Command {
    let (name, operation) = (action.command(), Some(action.operation()));
    Command { name, operation, takes: Takes::Server(Some(action)), in_menu }
}

impl Command {
    /// The command of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        COMMANDS.iter().find(|command| command.name == name)
    }

    /// Whether this role may use it.
    pub fn is_for(&self, role: Role) -> bool {
        match self.operation.and_then(ops::find) {
            Some(entry) => may(role, entry),
            None => self.operation.is_none(),
        }
    }

    /// The key of its texts.
    pub fn key(&self) -> String {
        format!("cmd-{}", self.name.replace('_', "-"))
    }

    /// The chapter of help that it is in.
    pub fn topic(&self) -> Topic {
        self.operation.and_then(ops::find).map_or(Topic::Chat, |entry| entry.spec.topic)
    }
}

/// Whether an operation is at the chat's door: with a command, with a button, or typed by its name. What holds a secret is
/// there only where its command takes care that no copy is left.
pub fn is_offered(entry: &Entry) -> bool {
    let name = entry.spec.name;
    has_own(name) || !(entry.secret_answer || entry.secret_input)
}

/// The operations that are typed by their own names, in the order of the table.
pub fn by_name() -> impl Iterator<Item = &'static Entry> {
    ops::table().iter().filter(|entry| is_offered(entry) && !has_own(entry.spec.name))
}

/// The operation that is meant by its name: what only looks is, also where it has a command of its own.
pub fn typed_by_name(name: &str) -> Option<&'static Entry> {
    let entry = ops::find(name).filter(|entry| is_offered(entry))?;
    (entry.spec.risk == Risk::Read || !has_own(name)).then_some(entry)
}

/// Whether this role may ask for an operation.
pub fn may(role: Role, entry: &Entry) -> bool {
    role > Role::Guest && role >= entry.spec.lowest
}

/// What help says of an operation that is typed by its name.
pub fn about(lang: Lang, entry: &Entry) -> String {
    let key = format!("cmd-{}", entry.spec.name.replace('_', "-"));
    let words = plain!(lang, &key);
    if words == key { entry.spec.summary.to_owned() } else { words }
}

/// All names that this role may type after the slash.
pub fn names(role: Role) -> impl Iterator<Item = &'static str> {
    let commands = COMMANDS.iter().filter(move |command| command.is_for(role)).map(|command| command.name);
    commands.chain(by_name().filter(move |entry| may(role, entry)).map(|entry| entry.spec.name))
}

fn has_own(operation: &str) -> bool {
    BY_BUTTON.contains(&operation) || COMMANDS.iter().any(|command| command.operation == Some(operation))
}

/// What was typed, taken apart: `/server@bot vps-1` is `("server", "vps-1")`. None for what is no command.
pub fn parse(text: &str) -> Option<(String, &str)> {
    let text = text.trim().strip_prefix('/')?;
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let name = name.split('@').next().unwrap_or_default();
    Some((name.to_lowercase(), rest.trim()))
}

/// Of `names`, the closest to what was typed, if one is close enough to be what was meant; at most three, best first.
pub fn closest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let typed: Vec<char> = typed.to_lowercase().chars().take(64).collect();
    if typed.len() < 2 {
        return Vec::new();
    }
    let bound = typed.len().div_ceil(3);
    let mut found: Vec<(usize, &str)> = names
        .map(|name| {
            let letters: Vec<char> = name.to_lowercase().chars().take(64).collect();
            // Whoever types an end or a beginning means it.
            let part = typed.len() >= 3 && (letters.starts_with(&typed) || letters.ends_with(&typed));
            (if part { 1 } else { distance(&typed, &letters) }, name)
        })
        .filter(|(far, _)| *far <= bound)
        .collect();
    found.sort_unstable();
    found.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Letters to insert, take away, change or swap.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (row[j - 1] + 1).min(rows[i - 1][j] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
