//! The rules of the house that a compiler does not keep: which way the arrows point, and how long a file may be. Each
//! failure says what to do.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::harness::{files, root};

/// A crate, where it may be named, and what to do elsewhere.
const HOMES: [(&str, &[&str], &str); 7] = [
    (
        "sqlx",
        &["core/src/store", "tests/"],
        "SQL belongs in core/src/store: add a function there that says what it is for",
    ),
    (
        "reqwest",
        &["core/src/clients", "agent/src/llm", "tests/"],
        "calls to the outside belong in core/src/clients: take a client as an argument",
    ),
    ("russh", &["core/src/clients", "tests/"], "SSH belongs in core/src/clients: take its client as an argument"),
    (
        "teloxide",
        &["bot/src/messenger/telegram"],
        "Telegram belongs in bot/src/messenger/telegram.rs, behind the Messenger trait",
    ),
    (
        "reqwest012",
        &["bot/src/messenger/telegram"],
        "reqwest 0.12 is there for teloxide alone, in bot/src/messenger/telegram.rs",
    ),
    ("rmcp", &["agent/src/mcp", "tests/"], "MCP belongs in agent/src/mcp, which turns the table into tools"),
    ("axum", &["agent/src/api", "tests/"], "the only HTTP server is agent/src/api: add a route there"),
];

/// The modules of core, lowest first: a module may use those of the lines above its own, and none of the others on its
/// own line unless the line says so.
const LAYERS: [(&[&str], bool); 7] = [
    (&["ids", "units", "clock", "fault", "secret"], true),
    (&["states"], false),
    (&["model"], false),
    (&["config", "keyring"], false),
    (&["clients", "store"], false),
    (&["ops"], false),
    (&["work"], false),
];

/// The longest that a file may be, in lines.
const LONGEST: usize = 500;

#[test]
fn each_library_is_named_in_its_home_only() {
    let mut broken = Vec::new();
    for path in files("", &[".rs"]).into_iter().filter(|path| !path.ends_with("tests/it/rules.rs")) {
        let code = code_of(&path);
        for (name, homes, advice) in HOMES {
            if !homes.iter().any(|home| path.starts_with_text(home)) && names_crate(&code, name) {
                broken.push(format!("{} names {name}: {advice}", path.display()));
            }
        }
    }
    assert_none(&broken);
}

#[test]
fn bot_and_agent_meet_in_the_binary_only() {
    let mut broken = Vec::new();
    let binary = files_of_the_binary();
    for path in files("bot/src", &[".rs"]).into_iter().filter(|path| !binary.contains(path)) {
        let code = code_of(&path);
        for name in ["rackhand_agent", "rackhand_tests"].into_iter().filter(|name| names_crate(&code, name)) {
            broken.push(format!(
                "{} names {name}: bot's library and the agent meet in core's tables; only the binary, bot/src/main.rs \
                 and the modules that it declares, sees both",
                path.display()
            ));
        }
    }
    for (dir, name) in [("agent/src", "rackhand_bot"), ("core/src", "rackhand_bot"), ("core/src", "rackhand_agent")] {
        for path in files(dir, &[".rs"]).iter().filter(|path| names_crate(&code_of(path), name)) {
            broken.push(format!("{} names {name}: arrows point to core; put what both need there", path.display()));
        }
    }
    assert_none(&broken);
}

#[test]
fn manifests_keep_the_arrows() {
    let never = [
        ("core", ["rackhand-agent", "rackhand-bot", "rackhand-tests", "teloxide", "axum"].as_slice()),
        ("agent", &["rackhand-bot", "rackhand-tests", "sqlx", "teloxide", "russh"]),
        ("bot", &["sqlx", "russh", "reqwest", "axum"]),
    ];
    let mut broken = Vec::new();
    for (member, names) in never {
        let manifest = read(Path::new(&format!("{member}/Cargo.toml")));
        for name in dependencies(&manifest).iter().filter(|name| names.contains(&name.as_str())) {
            broken.push(format!(
                "{member}/Cargo.toml depends on {name}: bot (lib) -> core <- agent, see docs/ARCHITECTURE.md"
            ));
        }
    }
    assert_none(&broken);
}

#[test]
fn modules_of_core_use_only_lower_ones() {
    let mut broken = Vec::new();
    for path in files("core/src", &[".rs"]).iter().filter(|path| !path.ends_with("core/src/lib.rs")) {
        let code = code_of(path);
        let Some(here) = module_of(path) else { continue };
        if rank(&here).is_none() {
            broken.push(format!(
                "{}: module {here} has no layer: give it one in LAYERS, tests/it/rules.rs",
                path.display()
            ));
        }
        for used in modules_used(&code).into_iter().filter(|used| !may_use(&here, used)) {
            broken.push(format!(
                "{} uses crate::{used}, which is not below {here}: move what it needs down, or pass it in as an argument",
                path.display()
            ));
        }
        if is_root_of_module(path) && code.contains("super::") {
            broken.push(format!(
                "{} climbs by super:: to the crate: say crate::… so that its layer shows",
                path.display()
            ));
        }
    }
    assert_none(&broken);
}

#[test]
fn no_file_is_longer_than_can_be_read() {
    let written = [".rs", ".py", ".sh", ".sql", ".yml", ".md", ".ftl", "Makefile"];
    let long = |path: &PathBuf| (read(path).lines().count(), path.clone());
    let long = files("", &written).iter().map(long).filter(|(lines, _)| *lines > LONGEST).collect::<Vec<_>>();
    let advice = "split it by topic; public first, helpers after";
    let broken =
        long.iter().map(|(lines, path)| format!("{} has {lines} lines, {LONGEST} at most: {advice}", path.display()));
    assert_none(&broken.collect::<Vec<_>>());
}

#[test]
fn the_rules_bite() {
    assert!(names_crate("use sqlx::Pool;", "sqlx") && names_crate("let p: sqlx::Pool;", "sqlx"));
    assert!(names_crate("use {axum, serde};", "axum") && names_crate("use axum as web;", "axum"));
    assert!(!names_crate("use reqwest012::Client;", "reqwest") && !names_crate("let filter = \"sqlx=warn\";", "sqlx"));
    assert!(!names_crate(&strip_comments("// use sqlx::Pool;\nlet url = \"http://x\"; // sqlx::Pool"), "sqlx"));
    assert!(strip_comments("let url = \"http://x\"; use sqlx::Pool;").contains("sqlx::Pool"));
    assert_eq!(
        modules_used("use crate::{\n    ids::JobId,\n    store::{self, jobs},\n};\nlet x = crate::work::run();"),
        ["ids", "store", "work"].map(str::to_owned).into()
    );
    for (here, used, allowed) in [
        ("model", "states", true),
        ("clock", "units", true),
        ("states", "model", false),
        ("clients", "store", false),
        ("store", "clients", false),
        ("store", "store", true),
        ("ops", "store", true),
        ("ops", "work", false),
        ("config", "keyring", false),
        ("work", "nowhere", false),
    ] {
        assert_eq!(may_use(here, used), allowed, "{here} -> {used}");
    }
    assert_eq!(module_of(Path::new("core/src/store/jobs.rs")).as_deref(), Some("store"));
    assert!(is_root_of_module(Path::new("core/src/clock.rs")) && is_root_of_module(Path::new("core/src/store/mod.rs")));
    assert!(!is_root_of_module(Path::new("core/src/store/jobs.rs")));
    let manifest = "[package]\nname = \"x\"\n[dependencies]\nsqlx.workspace = true\n[dev-dependencies]\nrussh = \"1\"";
    assert_eq!(dependencies(manifest), ["sqlx"]);
}

trait StartsWithText {
    fn starts_with_text(&self, start: &str) -> bool;
}

impl StartsWithText for PathBuf {
    /// Also in the middle of a name: `telegram` is the start of `telegram.rs` and of `telegram/`.
    fn starts_with_text(&self, start: &str) -> bool {
        self.to_string_lossy().starts_with(start)
    }
}

fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "{} of the house rules:\n  {}\n", broken.len(), broken.join("\n  "));
}

fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn code_of(path: &Path) -> String {
    strip_comments(&read(path))
}

/// The code without its `//` comments; one behind a quote on its line is left, since it may be an address in a text.
fn strip_comments(text: &str) -> String {
    let code = text.lines().map(|line| match line.find("//") {
        Some(at) if line[..at].matches('"').count() % 2 == 0 => &line[..at],
        Some(at) => match line.rfind("; //") {
            Some(end) if end > at => &line[..=end],
            _ => line,
        },
        None => line,
    });
    code.collect::<Vec<_>>().join("\n")
}

/// Whether the code uses the crate: `name::`, or `name` within a `use`.
fn names_crate(code: &str, name: &str) -> bool {
    let in_word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    code.match_indices(name).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        let statement = before.rsplit([';', '}']).next().unwrap_or_default().trim_start();
        let imported = ["use ", "pub use ", "extern crate "].iter().any(|start| statement.starts_with(start));
        let begins = !in_word(before.chars().next_back()) && !before.ends_with("::");
        begins && !in_word(after.chars().next()) && (after.starts_with("::") || imported)
    })
}

/// The top modules of its own crate that the code names: `crate::x` and `crate::{x, y::z}`.
fn modules_used(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, start) in code.match_indices("crate::") {
        let rest = &code[at + start.len()..];
        match rest.strip_prefix('{') {
            None => drop(used.insert(first_word(rest))),
            Some(group) => used.extend(top_of_group(group).iter().map(|item| first_word(item))),
        }
    }
    used.retain(|name| name.starts_with(char::is_lowercase));
    used
}

/// The items of a `{…}` whose opening brace was cut off, with what is nested in them left out.
fn top_of_group(group: &str) -> Vec<String> {
    let (mut items, mut depth) = (vec![String::new()], 0_u32);
    for letter in group.chars() {
        match letter {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(String::new()),
            _ if depth == 0 => items.last_mut().expect("never empty").push(letter),
            _ => {}
        }
    }
    items
}

fn first_word(text: &str) -> String {
    text.trim_start().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|(modules, _)| modules.contains(&module))
}

fn may_use(here: &str, used: &str) -> bool {
    match (rank(here), rank(used)) {
        _ if here == used => true,
        (Some(here), Some(used)) => used < here || (used == here && LAYERS[here].1),
        _ => false,
    }
}

/// `store` for core/src/store/jobs.rs, `clock` for core/src/clock.rs.
fn module_of(path: &Path) -> Option<String> {
    let inside = path.strip_prefix("core/src").ok()?;
    inside.components().next()?.as_os_str().to_str()?.split('.').next().map(str::to_owned)
}

/// Whether `super::` in this file is the crate.
fn is_root_of_module(path: &Path) -> bool {
    let inside = path.strip_prefix("core/src").unwrap_or(path);
    inside.components().count() == 1 || inside.components().count() == 2 && inside.ends_with("mod.rs")
}

/// main.rs and the files of the modules that it declares.
fn files_of_the_binary() -> BTreeSet<PathBuf> {
    let main = PathBuf::from("bot/src/main.rs");
    let code = code_of(&main);
    let declared = code.lines().filter_map(|line| line.trim().strip_prefix("mod ")?.strip_suffix(';'));
    let belongs: Vec<_> =
        declared.flat_map(|name| [format!("bot/src/{name}.rs"), format!("bot/src/{name}/")]).collect();
    let inside =
        files("bot/src", &[".rs"]).into_iter().filter(|path| belongs.iter().any(|start| path.starts_with_text(start)));
    inside.chain([main]).collect()
}

/// The names under `[dependencies]`.
fn dependencies(manifest: &str) -> Vec<String> {
    let lines = manifest.lines().skip_while(|line| line.trim() != "[dependencies]").skip(1);
    let rows = lines.take_while(|line| !line.starts_with('[')).filter(|line| !line.trim().is_empty());
    rows.map(|line| line.split(['.', '=', ' ']).next().unwrap_or_default().to_owned()).collect()
}
