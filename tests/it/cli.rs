//! The command line, by the program itself: here and over REST.

mod follow;
mod key;
mod readme;
mod remote;
mod words;

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Output, Stdio},
};

use rackhand_core::{
    clock::{Clock, SystemClock},
    model::NewServer,
    states::ServerStatus,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    databases::Database,
    e2e::world::eventually,
    harness::{SOON, program, setting},
};

/// A machine with Rackhand's database and keys.
pub(crate) struct Machine {
    pub db: Database,
    dir: TempDir,
}

/// Its REST door. Dropped, it closes.
pub(crate) struct Serving {
    pub url: String,
    child: Child,
    log: TempDir,
}

/// A command that runs.
pub(crate) struct Begun {
    child: Child,
    said: TempDir,
}

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Machine {
    /// A machine on which `rackhand migrate` ran once.
    pub fn new(db: Database) -> Self {
        let machine = Self { db, dir: tempfile::tempdir().unwrap() };
        let made = machine.here(&["migrate"]);
        assert_eq!(made.code, 0, "{made:?}");
        machine
    }

    /// Runs a command at this machine.
    pub fn here(&self, args: &[&str]) -> Ended {
        ended(&self.command(args).output().unwrap())
    }

    /// Runs a command at another machine that has nothing but the address and a token.
    pub fn there(&self, url: &str, token: &str, args: &[&str]) -> Ended {
        let mut command = bare(args);
        command.env("RACKHAND_URL", url).env("RACKHAND_TOKEN", token).current_dir(self.dir.path());
        ended(&command.output().unwrap())
    }

    /// Begins a command here, or at another machine with an address and a token.
    pub fn begin(&self, there: Option<(&str, &str)>, args: &[&str]) -> Begun {
        let mut command = match there {
            None => self.command(args),
            Some((url, token)) => {
                let mut command = bare(args);
                command.env("RACKHAND_URL", url).env("RACKHAND_TOKEN", token).current_dir(self.dir.path());
                command
            }
        };
        let said = tempfile::tempdir().unwrap();
        let file = |name| File::create(said.path().join(name)).unwrap();
        let child = command.stdout(file("out")).stderr(file("err")).spawn().unwrap();
        Begun { child, said }
    }

    /// A token's secret.
    pub fn token(&self, name: &str, role: &str) -> String {
        let made = self.here(&["token", "create", name, role, "--json"]).json();
        made["secret"].as_str().unwrap().to_owned()
    }

    /// Serves REST until it is dropped.
    pub async fn serve(&self) -> Serving {
        self.serve_saying("off").await
    }

    /// The same, with this in its log.
    pub async fn serve_saying(&self, filter: &str) -> Serving {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        drop(listener);
        self.serve_at(address, filter).await
    }

    /// The same at this address.
    pub async fn serve_at(&self, address: SocketAddr, filter: &str) -> Serving {
        let log = tempfile::tempdir().unwrap();
        let file = File::create(log.path().join("log")).unwrap();
        let mut command = self.command(&["serve", "--only", "api"]);
        command.env("RACKHAND_API_LISTEN", address.to_string()).env("RACKHAND_LOG", filter);
        command.stdout(Stdio::null()).stderr(file);
        let serving = Serving { url: format!("http://{address}"), child: command.spawn().unwrap(), log };
        let heard = eventually(SOON, async || TcpStream::connect(address).ok()).await;
        heard.expect("it listens");
        serving
    }

    /// A server in this state; the provider has given it an address or not.
    pub async fn server(&self, number: u32, status: ServerStatus, address: bool) {
        let new = NewServer {
            handle: format!("vps-{number}"),
            provider: "time4vps".into(),
            provider_id: number.to_string(),
            address: address.then(|| format!("192.0.2.{number}").parse().unwrap()),
            label: "a \u{1b}[31mlabel".into(),
            size: "small".into(),
            managed: true,
        };
        let store = self.db.open().await;
        let mut tx = store.write().await.unwrap();
        let server = tx.add_server(&new, SystemClock.now()).await.unwrap();
        tx.commit().await.unwrap();
        self.db.sql(&format!("UPDATE servers SET status = '{status}' WHERE id = '{}'", server.id)).await.unwrap();
    }

    /// A command at this machine, not begun.
    pub fn command(&self, args: &[&str]) -> Command {
        self.at_home(bare(args))
    }

    fn at_home(&self, mut command: Command) -> Command {
        command
            .env("DATABASE_URL", self.db.url())
            .env("RACKHAND_DATA_DIR", self.dir.path().join("data"))
            .current_dir(self.dir.path());
        command
    }
}

/// The program with no configuration; when the tests are killed, it does not outlive them.
pub(crate) fn bare(args: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL"])
        .arg(program("rackhand"))
        .args(args)
        .env_clear()
        .env("PATH", setting("PATH").unwrap_or_default())
        .env("RACKHAND_LOG", "off")
        .stdin(Stdio::null());
    command
}

pub(crate) fn ended(output: &Output) -> Ended {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    Ended { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
}

impl Ended {
    /// What it printed as JSON, having ended well.
    pub fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Begun {
    /// What it has printed.
    pub fn out(&self) -> String {
        fs::read_to_string(self.said.path().join("out")).unwrap()
    }

    /// Waits for its end.
    pub async fn ended(mut self) -> Ended {
        let over = eventually(SOON, async || self.child.try_wait().unwrap()).await;
        let _ = self.child.kill();
        let status = self.child.wait().unwrap();
        let err = fs::read_to_string(self.said.path().join("err")).unwrap();
        let ended = Ended { code: status.code().unwrap_or(-1), out: self.out(), err };
        assert!(over.is_some(), "it goes on: {ended:?}");
        ended
    }
}

impl Serving {
    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log.path().join("log")).unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
