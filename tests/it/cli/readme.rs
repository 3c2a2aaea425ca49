//! What README has a newcomer type to try REST, typed as it stands there: by somebody who has configured an account.

use std::{
    fs,
    net::TcpListener,
    process::{Command, Stdio},
};

use super::ended;
use crate::{
    e2e::world::World,
    harness::{path_with_the_program, root},
};

/// The lines that README shows under REST, for a shell.
fn lines() -> String {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let section = readme.split("\n## REST\n").nth(1).unwrap();
    section.split("```").nth(1).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn rest_is_tried_as_readme_says() {
    let world = World::new().await;
    world.host(267_179);
    // Another test may have README's port.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let typed = lines().replace("8080", &port.to_string());
    // It is left when the job is under way.
    let begun = "while rackhand jobs list --json | grep -q '\"status\": \"queued\"'; do sleep 1; done";
    let script = format!("trap 'kill -KILL $!' EXIT\n{typed}\n{begun}");
    let mut shell = Command::new("timeout");
    shell.args(["--signal", "KILL", "150", "bash", "-euc", &script]);
    shell.env_clear().envs(world.environment()).env("PATH", path_with_the_program());
    shell.current_dir(world.dir.path()).stdin(Stdio::null());
    let ended = tokio::task::spawn_blocking(move || ended(&shell.output().unwrap())).await.unwrap();

    let listed = ended.out.find(r#""handle":"vps-267179""#);
    let started = ended.out.split_once(r#"{"job":""#).map(|(before, rest)| (before.len(), &rest[..36]));
    let (Some(listed), Some((at, job))) = (listed, started) else { panic!("{ended:?}") };
    assert!(ended.code == 0 && listed < at, "{ended:?}");
    let jobs = world.store().await.read().await.unwrap().jobs_ending(job).await.unwrap();
    assert!(jobs[0].started_at.is_some(), "{jobs:?}");
}
