//! The process that owns a run of a playbook, for others to kill or to stop: `ansible_owner DIR PATIENCE_MS MIB` runs
//! `DIR/program` in the place of `ansible-playbook` with variables of about MIB mebibytes. It says BEGUN when a task has
//! started, and ENDED with the run's end.

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use rackhand_core::{
    clients::ansible::{Ansible, Login, Playbook, PlaybookEvent, PlaybookRun, tree},
    secret::Secret,
};
use serde_json::json;
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let dir = PathBuf::from(args.next().context("DIR is missing")?);
    let patience_ms: u64 = args.next().context("PATIENCE_MS is missing")?.parse()?;
    let mib: usize = args.next().context("MIB is missing")?.parse()?;
    let ansible = Ansible::new(Some(dir.join("program")), tree::unpack(&dir)?, dir.join("run"));
    let (sender, events) = mpsc::channel(1);
    let run = run(Duration::from_millis(patience_ms), mib);
    let (end, ()) = tokio::join!(ansible.run(run, sender), tell(events));
    println!("ENDED {end:?}");
    Ok(())
}

/// Nobody listens at its address: the program that stands in for Ansible never goes there.
fn run(patience: Duration, mib: usize) -> PlaybookRun {
    PlaybookRun {
        playbook: Playbook::Base,
        handle: "vps-1".to_owned(),
        address: [127, 0, 0, 1].into(),
        port: 2222,
        host_key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx5yYl0Qv0m5m4r1v1pV0J0mJ3b0wqfXqk7q3sXbJ2c".to_owned(),
        login: Login::Password(Secret::new("a password")),
        vars: [("bulk".to_owned(), json!("x".repeat(mib << 20)))].into_iter().collect(),
        secrets: Vec::new(),
        limit: Duration::from_mins(1),
        patience,
    }
}

async fn tell(mut events: mpsc::Receiver<PlaybookEvent>) {
    if let Some(event) = events.recv().await {
        println!("BEGUN {event:?}");
    }
}
