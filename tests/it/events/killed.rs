//! The program itself, killed and started again between any two events.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use rackhand_core::model::Role;

use super::{line, new_job, reader::Reader};
use crate::{
    api::caller::{Caller, client, token},
    databases::{Database, each_engine},
    desk::Desk,
    e2e::world::eventually,
    harness::{self, SOON},
};

/// A process that serves the door, and nothing else; killed with this.
struct Served {
    child: Child,
    root: String,
    _dir: tempfile::TempDir,
}

impl Served {
    fn start(db: &Database, desk: &Desk) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Free a moment ago; the program takes it at once.
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(harness::program("rackhand")).args(["serve", "--only", "api"]);
        command.env_clear().current_dir(dir.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.env("DATABASE_URL", db.url()).env("RACKHAND_DATA_DIR", dir.path());
        command.env("RACKHAND_MASTER_KEY_FILE", desk.keys.path().join("master.key"));
        command.env("RACKHAND_API_LISTEN", free.to_string());
        Self { child: command.spawn().unwrap(), root: format!("http://{free}"), _dir: dir }
    }

    async fn caller(&self, secret: &str) -> Caller {
        let asked = async || client().get(format!("{}/events?after=x", self.root)).send().await.ok();
        eventually(SOON, asked).await.expect("it listens");
        Caller::new(&self.root, secret)
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn killed_between_any_two_events_it_goes_on_after_the_last() {
    each_engine(|db| async move {
        let desk = Desk::new(&db).await;
        let secret = token(&desk.ops, "reader", Role::Viewer, None).await;
        let mut tx = desk.store().write().await.unwrap();
        let job = new_job(&mut tx).await;
        tx.commit().await.unwrap();
        let path = format!("/jobs/{job}/events");
        let (mut got, mut last) = (Vec::new(), None);
        for round in 0..4 {
            let mut served = Served::start(&db, &desk);
            let mut reader = Reader::open(&served.caller(&secret).await, &path, last.as_deref()).await;
            let mut tx = desk.store().write().await.unwrap();
            line(&mut tx, job, &format!("seen {round}")).await;
            tx.commit().await.unwrap();
            let expected = if round == 0 { 2 } else { 3 };
            got.extend(reader.take(expected).await);
            served.kill();
            assert_eq!(reader.next().await, None);
            last = reader.last.clone();
            // Nobody listens now.
            for number in 0..2 {
                let mut tx = desk.store().write().await.unwrap();
                line(&mut tx, job, &format!("missed {round} {number}")).await;
                tx.commit().await.unwrap();
            }
        }
        let served = Served::start(&db, &desk);
        let mut reader = Reader::open(&served.caller(&secret).await, &path, last.as_deref()).await;
        got.extend(reader.take(2).await);
        let numbers: Vec<i64> = got.iter().filter_map(|got| got.data["body"]["seq"].as_i64()).collect();
        assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
    })
    .await;
}
