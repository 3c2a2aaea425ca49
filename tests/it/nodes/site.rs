//! The running program at the real Ironic, in one process or several, with people and programs in front of it.

use std::net::{Ipv4Addr, TcpListener, TcpStream};

use rackhand_tests::telegram::Shown;
use serde_json::{Value, json};

use super::lab::Lab;
use crate::{
    api::caller::{Answered, Caller},
    e2e::{
        eventually,
        world::{Running, World},
    },
    harness::SOON,
};

pub struct Site {
    pub lab: Lab,
    pub world: World,
    /// The program as it runs now.
    pub running: Running,
    /// Where its door for programs is, whichever process holds it.
    pub root: String,
}

impl Site {
    /// None where this run has no Ironic.
    pub async fn new() -> Option<Self> {
        let lab = Lab::new().await?;
        Some(Self::of(lab, World::new().await).await)
    }

    /// The same on a PostgreSQL that replicas can share; none where this run has none.
    pub async fn on_postgres() -> Option<Self> {
        let lab = Lab::new().await?;
        Some(Self::of(lab, World::on_postgres().await?).await)
    }

    async fn of(lab: Lab, world: World) -> Self {
        world.set("IRONIC_URL", &lab.between.url);
        world.set("RACKHAND_API_REQUESTS_PER_MINUTE", "100000");
        let root = somewhere();
        let running = started(&world, &root);
        world.first_admin(&running).await;
        heard(&root).await;
        Self { lab, world, running, root }
    }

    /// One more process on the same configuration, and where its own door is.
    pub async fn replica(&self) -> (Running, String) {
        let root = somewhere();
        let running = started(&self.world, &root);
        heard(&root).await;
        (running, root)
    }

    /// SIGKILL, and the next process.
    pub async fn killed(&mut self) {
        self.running.kill();
        self.running = started(&self.world, &self.root);
        heard(&self.root).await;
    }

    /// A program with a token of this role.
    pub fn program(&self, role: &str) -> Caller {
        let made = self.world.cli(&["token", "create", &format!("{role}-program"), role, "--json"]);
        let made: Value = serde_json::from_slice(&made.stdout).unwrap_or_else(|error| panic!("{error}: {made:?}"));
        Caller::new(&self.root, made["secret"].as_str().unwrap())
    }

    /// The admin presses a button under the question that speaks of this node, and sees it answered.
    pub async fn answer(&self, node: &str, label: &str) {
        let question = |message: &&Shown| message.text.contains(node) && message.button(label).is_some();
        self.world.wait(&format!("{label} for {node}"), |shown| shown.iter().any(|it| question(&it))).await;
        let (telegram, admin) = (&self.world.telegram, &self.world.admin);
        let shown = telegram.transcript(admin.id);
        let asked = shown.iter().rfind(question).unwrap();
        telegram.press(admin, admin.id, asked.id, asked.button(label).unwrap());
        let answered = |it: &Shown| it.id == asked.id && it.button(label).is_none();
        self.world.wait(&format!("the answer for {node}"), |shown| shown.iter().any(answered)).await;
    }
}

/// Where a door can be.
fn somewhere() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A process with its door there.
fn started(world: &World, root: &str) -> Running {
    world.set("RACKHAND_API_LISTEN", address(root));
    world.start()
}

async fn heard(root: &str) {
    eventually(SOON, async || TcpStream::connect(address(root)).ok()).await.expect("it listens");
}

fn address(root: &str) -> &str {
    root.trim_start_matches("http://")
}

/// What `path` tells once it is in this status.
pub async fn once(program: &Caller, path: &str, status: &str) -> Value {
    let found = eventually(SOON, async || {
        let told = program.get(path).await;
        (told.status == 200 && told.json()["status"] == status).then(|| told.json())
    });
    match found.await {
        Some(told) => told,
        None => panic!("{path} is never {status}: {:?}", program.get(path).await),
    }
}

/// Asks for a provisioning over REST.
pub async fn provision(program: &Caller, wish: Value) -> Answered {
    program.post("/provision", &wish).await
}

/// Asks for an unprovisioning over REST: the question.
pub async fn unprovision(program: &Caller, node: &str, clean: bool) -> String {
    let said = program.post("/unprovision", &json!({ "server_id": node, "clean": clean })).await;
    let asked = said.good(202);
    assert_eq!((&asked["status"], &asked["operation_id"]), (&json!("awaiting_approval"), &asked["approval_id"]));
    let id = asked["operation_id"].as_str().unwrap().to_owned();
    assert_eq!(said.header("location"), format!("/api/v1/approvals/{id}"));
    id
}
