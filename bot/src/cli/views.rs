//! How answers look at a terminal: lists in columns, single things as `name: value`. What comes from outside is cleaned.

use rackhand_bot::{
    facts::{Fact, facts, text},
    texts::clean,
};
use rackhand_core::{
    model::EventLevel,
    ops::{JobView, NewInvite, NewToken},
};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

/// The widest that a column grows; the last one is as wide as it is.
const WIDEST: usize = 48;

/// A column: its head, and where in an item its text is.
type Column = (&'static str, &'static str);

const SERVERS: &[Column] = &[
    ("HANDLE", "/handle"),
    ("ADDRESS", "/address"),
    ("STATUS", "/status"),
    ("MANAGED", "/managed"),
    ("LABELS", "/labels"),
    ("LABEL", "/label"),
];
const JOBS: &[Column] = &[
    ("JOB", "/job/id"),
    ("KIND", "/job/kind"),
    ("SERVER", "/server"),
    ("NODE", "/node/name"),
    ("STATUS", "/job/status"),
    ("STEP", "/job/step"),
    ("ASKED BY", "/job/requested_by"),
];
const APPROVALS: &[Column] = &[
    ("APPROVAL", "/id"),
    ("OPERATION", "/plan/operation"),
    ("TARGET", "/plan/target"),
    ("STATUS", "/status"),
    ("UNTIL", "/expires_at"),
    ("ASKED BY", "/requested_by"),
];
const NODES: &[Column] = &[
    ("NODE", "/name"),
    ("UUID", "/uuid"),
    ("STATE", "/provision_state"),
    ("POWER", "/power_state"),
    ("MAINTENANCE", "/maintenance"),
    ("KIND", "/resource_class"),
];
const USERS: &[Column] = &[
    ("NUMBER", "/telegram_id"),
    ("ROLE", "/role"),
    ("LANGUAGE", "/language"),
    ("LAST SEEN", "/last_seen"),
    ("USER NAME", "/username"),
    ("NAME", "/first_name"),
];
const TOKENS: &[Column] = &[
    ("NAME", "/name"),
    ("ROLE", "/role"),
    ("EXPIRES", "/expires_at"),
    ("REVOKED", "/revoked_at"),
    ("LAST USED", "/last_used_at"),
    ("MADE BY", "/made_by"),
];

const INCIDENTS: &[Column] = &[
    ("SINCE", "/incident/detected_at"),
    ("WHAT", "/incident/kind"),
    ("STATUS", "/incident/status"),
    ("SERVER", "/server"),
    ("DETAILS", "/incident/details"),
];
const AUDIT: &[Column] = &[
    ("SEQ", "/seq"),
    ("AT", "/at"),
    ("OUTCOME", "/outcome"),
    ("OPERATION", "/operation"),
    ("TARGET", "/target"),
    ("ACTOR", "/actor"),
];

/// An operation's answer for people to read.
pub fn shown(operation: &str, answer: &Value) -> String {
    let own = match operation {
        "show_job" => view(answer, story),
        "create_invite" => view(answer, invite),
        "create_token" => view(answer, token),
        _ => None,
    };
    let items = || answer.get("items").and_then(Value::as_array).map(|items| list(operation, items));
    own.or_else(items).unwrap_or_else(|| thing(answer))
}

/// One line of a job's story.
pub fn line(elapsed_ms: i64, level: EventLevel, step: &str, message: &str) -> String {
    let seconds = elapsed_ms / 1000;
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    format!("{minutes:>5}:{seconds:02} {level:<8} {step:<16} {}", clean(message))
}

fn view<T: serde::de::DeserializeOwned>(answer: &Value, words: impl Fn(&T) -> String) -> Option<String> {
    // A newer Rackhand may answer more than we know; then its facts are shown as they are.
    serde_json::from_value(answer.clone()).ok().map(|view| words(&view))
}

fn list(operation: &str, items: &[Value]) -> String {
    let columns = match operation {
        "list_servers" => SERVERS,
        "list_jobs" => JOBS,
        "list_approvals" => APPROVALS,
        "list_nodes" => NODES,
        "list_users" => USERS,
        "list_tokens" => TOKENS,
        "list_incidents" => INCIDENTS,
        "list_audit" => AUDIT,
        _ => return any_list(items),
    };
    let heads = columns.iter().map(|(head, _)| (*head).to_owned()).collect();
    let row = |item: &Value| columns.iter().map(|(_, path)| cell(path, item.pointer(path))).collect();
    table(heads, items.iter().map(row).collect())
}

/// Whatever any of the items says at its surface, or one level below, is a column.
fn any_list(items: &[Value]) -> String {
    let shallow = |item: &Value| facts(item).into_iter().filter(|(path, _)| path.matches('.').count() < 2).collect();
    let items: Vec<Vec<Fact>> = items.iter().map(shallow).collect();
    let mut paths: Vec<&String> = Vec::new();
    for (path, _) in items.iter().flatten() {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    let heads = paths.iter().map(|path| path.replace('_', " ").to_uppercase()).collect();
    let cell = |item: &Vec<Fact>, wanted: &String| {
        item.iter().find(|(path, _)| path == wanted).map(|(_, words)| words.clone()).unwrap_or_default()
    };
    let row = |item: &Vec<Fact>| paths.iter().map(|path| cell(item, path)).collect();
    table(heads, items.iter().map(row).collect())
}

fn cell(path: &str, value: Option<&Value>) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some(value) = value else { return String::new() };
    if path == "/job/id" {
        // Short enough to type, long enough to find it.
        let id = value.as_str().unwrap_or_default().replace('-', "");
        return clean(id.get(id.len().saturating_sub(8)..).unwrap_or_default());
    }
    match value.as_object() {
        Some(map) => {
            let pair =
                |(key, value): (&String, &Value)| text(key, value).map(|value| format!("{}={value}", clean(key)));
            map.iter().filter_map(pair).collect::<Vec<_>>().join(",")
        }
        None => text(name, value).unwrap_or_default(),
    }
}

fn table(heads: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let count = heads.len();
    let rows: Vec<Vec<String>> = std::iter::once(heads).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or_default().min(WIDEST);
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| padded(cell, *width));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn padded(cell: &str, width: usize) -> String {
    format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width())))
}

fn thing(answer: &Value) -> String {
    let facts = facts(answer);
    let width = facts.iter().map(|(name, _)| name.width() + 1).max().unwrap_or_default();
    let line = |(name, words): &(String, String)| match name.as_str() {
        "" => words.clone(),
        name => format!("{} {words}", padded(&format!("{name}:"), width)),
    };
    let lines: Vec<String> = facts.iter().map(line).collect();
    if lines.is_empty() { "done".to_owned() } else { lines.join("\n") }
}

fn story(view: &JobView) -> String {
    let job = &view.job;
    let server = view.server.as_ref().map(|server| clean(&server.handle)).unwrap_or_default();
    let about = match &view.node {
        Some(node) => format!("node     {} ({})", clean(&node.name), clean(&node.uuid)),
        None => format!("server   {server}"),
    };
    let mut lines = vec![
        format!("job {} ({}): {}", job.id, clean(&job.kind), job.status),
        about,
        format!("asked by {} at {}", clean(&job.requested_by), job.created_at),
    ];
    for (name, reason) in [("waits for", &job.reason), ("outcome", &job.outcome)] {
        lines.extend(reason.as_ref().map(|reason| format!("{name:<8} {}", clean(&reason.text))));
    }
    lines.extend(job.failed_step.as_ref().map(|step| format!("failed at {}", clean(step))));
    for step in &view.steps {
        lines.push(format!("  {:<2} {:<16} {:<8} try {}", step.seq + 1, clean(&step.name), step.status, step.attempt));
    }
    lines.extend(view.events.iter().map(|it| line(it.elapsed_ms, it.level, &it.step, &it.message)));
    lines.join("\n")
}

fn invite(invite: &NewInvite) -> String {
    format!(
        "Whoever writes this to the bot becomes {} (once, until {}):\n\n    /start {}",
        invite.role,
        invite.expires_at,
        clean(&invite.code)
    )
}

fn token(made: &NewToken) -> String {
    let token = &made.token;
    let until = token.expires_at.map_or_else(|| "until it is revoked".to_owned(), |end| format!("until {end}"));
    format!(
        "The token {} is worth the role {}, {until}. It is shown this once:\n\n    {}",
        clean(&token.name),
        token.role,
        clean(&made.secret)
    )
}
