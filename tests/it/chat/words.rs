//! The texts themselves: both languages say everything.

use std::collections::BTreeSet;

use rackhand_bot::{
    commands::COMMANDS,
    texts::{Arg, Lang, clean},
    views::{job, reason},
};
use rackhand_core::{
    ops::{self, Topic},
    states::{JobStatus, ServerStatus},
};
use strum::IntoEnumIterator;

use crate::harness::{files, root};

/// The keys of a language's texts, with those of their attributes.
fn keys(language: &str) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for path in files(&format!("bot/texts/{language}"), &[".ftl"]) {
        let mut last = String::new();
        for line in std::fs::read_to_string(root().join(path)).unwrap().lines() {
            if let Some((key, _)) = line.split_once(" =").filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase()))
            {
                key.clone_into(&mut last);
                assert!(keys.insert(last.clone()), "{key} is there twice in {language}");
            } else if let Some((attribute, _)) = line.trim_start().split_once(" =").filter(|(a, _)| a.starts_with('.'))
            {
                keys.insert(format!("{last}{attribute}"));
            }
        }
    }
    keys
}

#[test]
fn both_languages_have_the_same_texts() {
    let (en, ru) = (keys("en"), keys("ru"));
    assert!(en.len() > 250, "only {} texts were found", en.len());
    let differ: Vec<_> = en.symmetric_difference(&ru).collect();
    assert!(differ.is_empty(), "in one language only: {differ:?}");
}

#[test]
fn everything_has_its_words() {
    let mut wanted: Vec<String> = Vec::new();
    wanted.extend(COMMANDS.iter().map(rackhand_bot::commands::Command::key));
    wanted.extend(job::STEPS.iter().chain(&job::NODE_STEPS).map(|step| format!("step-{}", step.replace('_', "-"))));
    wanted.extend(ServerStatus::iter().map(|status| format!("server-status-{}", status.to_string().replace('_', "-"))));
    wanted.extend(JobStatus::iter().map(|status| format!("job-status-{status}")));
    wanted.extend(Topic::iter().map(|topic| format!("topic-{topic}")));
    wanted.extend(reason::ERRORS.iter().map(|code| format!("error-{code}")));
    wanted.extend(reason::REASONS.iter().map(|code| format!("reason-{code}")));
    for lang in Lang::ALL {
        for key in &wanted {
            let args: Vec<(&'static str, Arg)> = Vec::new();
            let _ = lang.find(key, &args);
            assert!(keys(lang.code()).contains(key), "{key} has no words in {}", lang.code());
        }
    }
}

#[test]
fn the_workflows_steps_and_codes_have_words() {
    assert_eq!(job::STEPS, rackhand_agent::work::provision_vps::STEPS);
    assert_eq!(job::NODE_STEPS, rackhand_agent::work::free_node::STEPS);
    let mut missing = Vec::new();
    for path in ["core/src/work", "agent/src/work"].into_iter().flat_map(|dir| files(dir, &[".rs"])) {
        let code = std::fs::read_to_string(root().join(&path)).unwrap();
        // The code is the first text of a reason, on its line or on the next.
        let codes = code.split("Reason::new(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
        let codes = codes.filter_map(|rest| rest.split('"').next()).filter(|code| !reason::REASONS.contains(code));
        missing.extend(codes.map(|code| format!("{}: {code}", path.display())));
    }
    assert!(missing.is_empty(), "codes without words: {missing:?}");
}

/// Codes with which a job waits, fails or ends, and is never parked.
const NEVER_PARKS: [&str; 32] = [
    "untouchable-server",
    "too-many-attempts",
    "provider-rate-limited",
    "provider-busy",
    "provider-refused",
    "provider-away",
    "provider-too-slow",
    "provider-task-failed",
    "provider-no-password",
    "provider-works",
    "settling",
    "ssh-away",
    "ssh-refused",
    "ssh-too-slow",
    "ansible-unreachable",
    "ansible-task-failed",
    "ansible-timed-out",
    "ansible-broken",
    "verify-failed",
    "illegal-status",
    "cancelled",
    "ready",
    "unknown-step",
    "node-other-job",
    "node-moves",
    "node-halted",
    "node-failed",
    "node-free-wiped",
    "node-free-kept",
    "node-free-not-wiped",
    "node-free-unseen",
    "succeeded",
];

#[test]
fn the_runbook_of_parked_jobs_knows_each_reason_to_park() {
    let text = std::fs::read_to_string(root().join("docs/runbooks/parked-job.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")).skip(1).filter(|row| !row.starts_with("---"));
    let mut told = BTreeSet::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
        assert!(cells.len() == 3 && cells.iter().all(|cell| !cell.is_empty()), "{row}");
        let codes: Vec<&str> = cells[0].split(", ").filter(|code| reason::REASONS.contains(code)).collect();
        assert!(!codes.is_empty(), "{row} is about nothing that parks a job");
        told.extend(codes);
    }
    let parks: BTreeSet<&str> = reason::REASONS.into_iter().filter(|code| !NEVER_PARKS.contains(code)).collect();
    assert_eq!(told, parks);
    assert!(NEVER_PARKS.iter().all(|code| reason::REASONS.contains(code)));
}

#[test]
fn commands_stand_for_operations() {
    for command in COMMANDS.iter().filter_map(|command| command.operation) {
        assert!(ops::find(command).is_some(), "{command} is no operation");
    }
}

#[test]
fn times_and_plurals_read_well() {
    let spans =
        [(5_000, "5 s", "5 с"), (125_000, "2 min 5 s", "2 мин 5 с"), (7_200_000, "2 h", "2 ч"), (0, "0 s", "0 с")];
    for (ms, en, ru) in spans {
        assert_eq!((Lang::En.span(ms).as_str(), Lang::Ru.span(ms).as_str()), (en, ru));
    }
    let digest = |lang: Lang, n: i64| lang.plain("digest-title", &[("count", Arg::Number(n))]);
    for (n, en, ru) in
        [(1, "1 message<", "1 сообщение"), (3, "3 messages", "3 сообщения"), (11, "11 messages", "11 сообщений")]
    {
        assert!(digest(Lang::En, n).contains(en), "{}", digest(Lang::En, n));
        assert!(digest(Lang::Ru, n).contains(ru), "{}", digest(Lang::Ru, n));
    }
}

#[test]
fn what_misleads_an_eye_is_stripped() {
    assert_eq!(clean("vps\u{202e}1-\u{200b}7\u{1b}[31m\n x"), "vps1-7[31m  x");
    assert_eq!(clean(&"a".repeat(1000)).chars().count(), 401);
    let shown = Lang::En.say("as-is", &[("text", Arg::from("<b>&\u{2066}"))]);
    assert_eq!(shown, "&lt;b&gt;&amp;");
}
