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

fn run(args: &[&str]) -> Ended {
    ended(&bare(args).output().unwrap())
}
