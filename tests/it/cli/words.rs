//! What the program says of itself: help, completions, the manual, and what the README says of it.

use super::{Ended, bare, ended};
use crate::harness::root;

#[test]
fn help_and_readme_tell_every_exit_status() {
    let help = run(&["--help"]).out;
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    for (code, words) in [
        (0, "done"),
        (1, "failed"),
        (2, "wrong usage or input"),
        (3, "refused"),
        (4, "not found"),
        (5, "waits for a person's approval"),
        (6, "conflict or busy"),
        (7, "out of reach for now"),
    ] {
        assert!(help.contains(&format!("{code} {words}")), "{help}");
        assert!(readme.contains(&format!("| {code} | {words}")), "{code} {words} is not in README.md");
    }
    assert_eq!(run(&["no-such-command"]).code, 2);
    assert_eq!(run(&["servers", "list", "--no-such-option"]).code, 2);
}

#[test]
fn shells_are_given_completions_and_a_manual() {
    for shell in ["bash", "zsh", "fish"] {
        let said = run(&["completions", shell]);
        assert!(said.code == 0 && said.out.contains("force-rebuild"), "{shell}: {}", said.err);
    }
    let whole = run(&["man"]).out;
    assert!(whole.contains(".TH rackhand 1") && whole.contains("Exit status"), "{whole}");
    let page = run(&["man", "servers", "label"]).out;
    assert!(page.contains(".TH rackhand-servers-label 1") && page.contains("KEY=VALUE"), "{page}");
    assert_eq!(run(&["man", "nonsense"]).code, 1);
}

/// An empty list and a new key would look as if everything were gone.
#[test]
fn whoever_asks_in_the_wrong_directory_makes_nothing_there() {
    let dir = tempfile::tempdir().unwrap();
    for words in [["servers", "list"].as_slice(), &["audit", "verify"], &["mcp"]] {
        let said = ended(&bare(words).current_dir(dir.path()).output().unwrap());
        assert!(said.code == 1 && said.err.contains("there is no database at"), "{words:?}: {said:?}");
    }
    for words in [["audit", "verify"].as_slice(), &["migrate"], &["check"], &["chat"]] {
        let mut command = bare(words);
        let said = ended(&command.env("RACKHAND_URL", "http://127.0.0.1:1").current_dir(dir.path()).output().unwrap());
        assert!(said.code == 3 && said.err.contains("without RACKHAND_URL"), "{words:?}: {said:?}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

fn run(args: &[&str]) -> Ended {
    ended(&bare(args).output().unwrap())
}
