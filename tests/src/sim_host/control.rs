//! What a simulated machine's shell knows.

use std::collections::VecDeque;

use base64::{Engine, engine::general_purpose::STANDARD};
use rackhand_core::clients::ssh::VERIFY_SCRIPT;

use super::state::{Fault, FaultKind, State};

/// What a command printed, and how it ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Answer {
    fn said(text: String) -> Self {
        Self { stdout: text, ..Self::default() }
    }

    fn failed(status: u32, text: &str) -> Self {
        Self { status, stderr: format!("{text}\n"), ..Self::default() }
    }
}

impl State {
    /// Runs a command with its whole input.
    pub(super) fn run(&mut self, command: &str, stdin: &[u8]) -> Answer {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["true"] => Answer::default(),
            ["sh", "-s"] if stdin == VERIFY_SCRIPT.as_bytes() => {
                self.facts_read += 1;
                Answer::said(self.facts())
            }
            ["rackhand-sim", control @ ..] => self.control(control),
            _ => Answer::failed(127, "sh: command not found"),
        }
    }

    /// The simulated `ansible-playbook`'s side door, by the words after `rackhand-sim`:
    ///
    /// * `apply access BASE64`: lets the public key line in that BASE64 holds, takes no passwords any more, UFW 22;
    /// * `apply base HOSTNAME`: Docker, UFW 22, 80 and 443, time zone, the name, fail2ban. Both print `changed=N`: how
    ///   many things were not so before;
    /// * `fault PLAYBOOK`: takes the next planned fault and prints it: `none`, `failed N MESSAGE`, `unreachable N` or
    ///   `hang N`, N being the task's number from 1;
    /// * `task PLAYBOOK N`: says that task number N was run.
    fn control(&mut self, words: &[&str]) -> Answer {
        match words {
            ["apply", "access", key] => self.apply_access(key),
            ["apply", "base", hostname] => self.apply_base(hostname),
            ["fault", playbook] => {
                let fault = self.faults.get_mut(*playbook).and_then(VecDeque::pop_front);
                Answer::said(format!("{}\n", fault.map_or_else(|| "none".to_owned(), |fault| line(&fault))))
            }
            ["task", playbook, number] if number.parse::<u32>().is_ok() => {
                *self.tasks.entry((*playbook).to_owned()).or_default() += 1;
                Answer::default()
            }
            _ => Answer::failed(2, "rackhand-sim: no such command"),
        }
    }

    fn apply_access(&mut self, key: &str) -> Answer {
        let line = STANDARD.decode(key).ok().and_then(|line| String::from_utf8(line).ok());
        let Some(key) = line.and_then(|line| line.parse().ok()) else {
            return Answer::failed(1, "rackhand-sim: not a public key in base64");
        };
        let mut changed = 0;
        if !self.authorized_keys.contains(&key) {
            self.authorized_keys.push(key);
            changed += 1;
        }
        set(&mut self.password_login, false, &mut changed);
        if self.ufw.as_ref().is_none_or(|ports| !ports.contains(&22)) {
            self.ufw.get_or_insert_default().insert(0, 22);
            changed += 1;
        }
        Answer::said(format!("changed={changed}\n"))
    }

    fn apply_base(&mut self, hostname: &str) -> Answer {
        let mut changed = 0;
        set(&mut self.docker, true, &mut changed);
        set(&mut self.ufw, Some(vec![22, 80, 443]), &mut changed);
        set(&mut self.timezone, "Etc/UTC".to_owned(), &mut changed);
        set(&mut self.hostname, hostname.to_owned(), &mut changed);
        set(&mut self.fail2ban, true, &mut changed);
        Answer::said(format!("changed={changed}\n"))
    }
}

fn set<T: PartialEq>(place: &mut T, value: T, changed: &mut u32) {
    if *place != value {
        *place = value;
        *changed += 1;
    }
}

fn line(fault: &Fault) -> String {
    let at = fault.at_task;
    match &fault.kind {
        FaultKind::Failed(message) => format!("failed {at} {}", message.replace('\n', " ")),
        FaultKind::Unreachable => format!("unreachable {at}"),
        FaultKind::Hang => format!("hang {at}"),
    }
}
