//! The names of a playbook's tasks and of its roles', in order, by their lines: enough for playbooks in our own style.

use std::{fs, path::Path};

use serde_json::{Map, Value};

/// What a playbook does, by name.
pub(super) struct Play {
    pub(super) name: String,
    pub(super) tasks: Vec<Task>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) name: String,
    pub(super) role: Option<String>,
    pub(super) id: String,
}

/// Reads the first play of `playbook`. Its roles are in `../roles`.
pub(super) fn read(playbook: &Path, vars: &Map<String, Value>) -> Result<Play, String> {
    let text = read_file(playbook)?;
    let roles = playbook.parent().unwrap_or(Path::new(".")).join("../roles");
    let mut play = Play { name: String::new(), tasks: Vec::new() };
    let mut section = "";
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("- name:") {
            name.trim().clone_into(&mut play.name);
        } else if let Some(key) = line.strip_prefix("  ").filter(|key| key.starts_with(char::is_alphabetic)) {
            section = key.split(':').next().unwrap_or_default();
        } else if let Some(item) = line.strip_prefix("    - ") {
            if section == "roles" {
                add_role(&mut play.tasks, &roles, item.trim_start_matches("role:").trim(), vars)?;
            } else if let Some(name) = item.strip_prefix("name:")
                && !lines.peek().is_some_and(|next| next.contains("ansible.builtin.meta:"))
            {
                add(&mut play.tasks, name, None, vars);
            }
        }
    }
    if play.tasks.is_empty() { Err(format!("{} has no tasks", playbook.display())) } else { Ok(play) }
}

fn add_role(tasks: &mut Vec<Task>, roles: &Path, role: &str, vars: &Map<String, Value>) -> Result<(), String> {
    let text = read_file(&roles.join(role).join("tasks/main.yml"))?;
    for name in text.lines().filter_map(|line| line.strip_prefix("- name:")) {
        add(tasks, name, Some(role), vars);
    }
    Ok(())
}

fn add(tasks: &mut Vec<Task>, name: &str, role: Option<&str>, vars: &Map<String, Value>) {
    let name = render(name.trim().trim_matches('"'), vars);
    let id = format!("00000000-0000-0000-0000-{:012}", tasks.len() + 1);
    tasks.push(Task { name, role: role.map(str::to_owned), id });
}

/// A name with its templates filled in as far as a glance goes: a variable of the run, else the first words in quotes,
/// else an ellipsis.
fn render(name: &str, vars: &Map<String, Value>) -> String {
    let (mut text, mut rest) = (String::new(), name);
    while let Some((before, (inside, after))) =
        rest.split_once("{{").and_then(|(before, rest)| Some((before, rest.split_once("}}")?)))
    {
        text.push_str(before);
        let quoted = inside.split('\'').skip(1).step_by(2).find(|words| words.contains(char::is_alphabetic));
        match vars.get(inside.trim()) {
            Some(Value::String(value)) => text.push_str(value),
            Some(value) => text.push_str(&value.to_string()),
            None => text.push_str(quoted.unwrap_or("…")),
        }
        rest = after;
    }
    text.push_str(rest);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn read_file(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
