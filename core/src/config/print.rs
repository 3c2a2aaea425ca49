//! The two documents that are printed from the table and checked in.

use std::fmt::Write as _;

use super::settings::{Section, Setting, sections};

/// `rackhand.example.toml`: every key with its help and its default, all commented out.
pub fn example() -> String {
    let mut text = "\
# The configuration of Rackhand. Every key shows its default; uncomment what should differ.
# Looked for at $RACKHAND_CONFIG, ./rackhand.toml and /etc/rackhand/rackhand.toml, in this order.
# The environment variable named at a key wins over the key. A secret may be kept in a file of its own:
# KEY_file here, or NAME_FILE in the environment, names that file.
# Printed from core/src/config/settings.rs.
"
    .to_owned();
    for Section { name, about, settings } in sections() {
        let _ = write!(text, "\n#{about}\n");
        if !name.is_empty() {
            let _ = writeln!(text, "[{name}]");
        }
        for row in settings {
            let _ = write!(text, "\n{}", example_of(&row));
        }
    }
    text
}

/// docs/configuration.md: the same as tables for reading.
pub fn docs() -> String {
    let mut text = "\
# Configuration

One TOML file (`RACKHAND_CONFIG`, else `./rackhand.toml`, else `/etc/rackhand/rackhand.toml`), or none, overlaid by
environment variables. A key that is unknown or wrong stops the start; all problems are shown at once. A variable that
is set to nothing counts as unset. 🔒 marks a secret: it may be kept in a file of its own, named by `KEY_file` in the
TOML file or by `NAME_FILE` in the environment. `{data_dir}` in a path stands for the data directory.

Printed from core/src/config/settings.rs.
"
    .to_owned();
    for Section { name, about, settings } in sections() {
        let title = if name.is_empty() { "Top level".to_owned() } else { format!("[{name}]") };
        let _ = write!(text, "\n## {title}\n\n{}\n\n", about.trim());
        text.push_str("| key | variable | default | expected | meaning |\n| --- | --- | --- | --- | --- |\n");
        for row in settings {
            let lock = if row.secret { " 🔒" } else { "" };
            let cells = [
                format!("`{}`{lock}", row.key),
                format!("`{}`", row.env),
                format!("`{}`", row.default),
                row.expects.clone(),
                help(&row).join(" "),
            ];
            let cells = cells.map(|cell| cell.replace('|', "\\|"));
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
    }
    text
}

fn example_of(row: &Setting) -> String {
    let mut text = String::new();
    for line in help(row) {
        let _ = writeln!(text, "# {line}");
    }
    let file = if row.secret { format!("; or {}_file, {}_FILE", row.key, row.env) } else { String::new() };
    let _ = writeln!(text, "# ({}: {}{file})", row.env, row.expects);
    let _ = writeln!(text, "#{} = {}", row.key, row.default);
    text
}

fn help(row: &Setting) -> Vec<&'static str> {
    row.help.lines().map(str::trim).collect()
}
