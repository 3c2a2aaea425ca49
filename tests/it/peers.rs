//! The real peers of a run are what the other tests take them for.

use std::{path::Path, process::Command};

use rackhand_core::clients::http::{self, Limits};
use sqlx::{Connection, PgConnection, Row};

use crate::harness::{Peer, init, need};

#[tokio::test]
async fn postgres_is_a_server_that_really_writes() {
    let Some(url) = need(Peer::Postgres) else { return };
    let mut connection = PgConnection::connect(&url).await.unwrap();
    for (name, expected) in [("fsync", "on"), ("synchronous_commit", "on"), ("server_encoding", "UTF8")] {
        let row = sqlx::query("SELECT current_setting($1)").bind(name).fetch_one(&mut connection).await.unwrap();
        assert_eq!(row.get::<String, _>(0), expected, "{name}");
    }
}

#[test]
fn ansible_is_a_program_that_runs() {
    let Some(program) = need(Peer::Ansible) else { return };
    let output = Command::new(&program).arg("--version").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.starts_with("ansible-playbook [core "), "{program}: {said}");
}

#[test]
fn hosts_can_be_made_on_this_machine() {
    let Some(scripts) = need(Peer::Hosts) else { return };
    let check = Command::new(Path::new(&scripts).join("install.sh")).arg("check").output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}

#[tokio::test]
async fn ironic_and_the_bmcs_serve() {
    let (Some(ironic), Some(bmcs)) = (need(Peer::Ironic), need(Peer::Bmcs)) else { return };
    init();
    let client = http::client(Limits::default()).unwrap();
    for (url, word) in [(format!("{ironic}/v1/drivers"), "fake-hardware"), (format!("{bmcs}/redfish/v1"), "Redfish")] {
        let said = client.get(&url).send().await.unwrap().text().await.unwrap();
        assert!(said.contains(word), "{url}: {said}");
    }
}
