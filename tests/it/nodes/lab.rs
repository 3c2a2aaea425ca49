//! Nodes of one test in the Ironic that all tests share, and operations with the machine's own clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use rackhand_agent::work::FreeNode;
use rackhand_core::{
    clients::{
        http,
        ironic::{Auth, Ironic, LIMITS, NewNode, Node, Patch, ProvisionState, Target},
    },
    clock::SystemClock,
    ids::ApprovalId,
    model::{Actor, Job, Role, User},
    ops::{Answer, OpError, Ops, ironic::patiently},
    states::JobStatus,
    store::Engine,
    work::{Runner, Settings, Witness},
};
use serde_json::{Value, json};
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::between::Between;
use crate::{
    databases::Database,
    desk::Desk,
    e2e::eventually,
    harness::{Peer, SOON, need},
};

/// An image that the scripted machines take.
pub const IMAGE: &str = "http://127.0.0.1:1/debian.qcow2#sha256:00";

pub struct Lab {
    pub desk: Desk,
    pub ops: Ops,
    /// Ironic itself, for what a test does behind Rackhand's back.
    pub ironic: Ironic,
    /// Between Rackhand and Ironic.
    pub between: Between,
    /// What kind of machine this test's nodes are, and no other test's.
    pub class: String,
    pub anna: User,
}

impl Lab {
    /// None where this run has no Ironic.
    pub async fn new() -> Option<Self> {
        Self::on(&Database::fresh(Engine::Sqlite).await?).await
    }

    pub async fn on(db: &Database) -> Option<Self> {
        let url = need(Peer::Ironic)?;
        let desk = Desk::new(db).await;
        let class = format!("c{}", uuid::Uuid::now_v7().simple());
        let between = Between::start(&url, &class).await;
        let ops = Ops { clock: Arc::new(SystemClock), ironic: Some(client(&between.url)), ..desk.ops.clone() };
        let anna = desk.person(1, Role::Admin).await;
        Some(Self { desk, ops, ironic: direct(&url), between, class, anna })
    }

    /// The same at another replica.
    pub async fn replica(&self) -> Ops {
        Ops { store: self.desk.db.open().await, ..self.ops.clone() }
    }

    /// A node that is available, and does what `script` says.
    pub async fn node(&self, script: Value) -> Node {
        let node = self.enrolled(script).await;
        self.told(&node.uuid, Target::Manage, "manageable").await;
        self.told(&node.uuid, Target::Provide, "available").await;
        // As Ironic is configured: on.
        self.patch(&node.uuid, &[Patch::add("/automated_clean", Value::Null)]).await
    }

    /// The same, with an image on it.
    pub async fn active(&self, script: Value) -> Node {
        let node = self.node(script).await;
        let instance = uuid::Uuid::now_v7().to_string();
        self.patch(&node.uuid, &[Patch::add("/instance_uuid", instance)]).await;
        self.told(&node.uuid, Target::Active, "active").await
    }

    /// A node that Ironic only knows of.
    pub async fn enrolled(&self, script: Value) -> Node {
        let part = |name: &str| (format!("{name}_interface"), "scripted".to_owned());
        let new = NewNode {
            name: Some(format!("n{}", uuid::Uuid::now_v7().simple())),
            driver: "fake-hardware".to_owned(),
            interfaces: [part("deploy"), part("power")].into(),
            resource_class: Some(self.class.clone()),
            extra: json!({ "script": script }).as_object().unwrap().clone(),
            automated_clean: Some(false),
            ..NewNode::default()
        };
        self.ironic.create_node(&new).await.unwrap()
    }

    pub async fn patch(&self, uuid: &str, patches: &[Patch]) -> Node {
        patiently(&self.ops.clock, || self.ironic.patch_node(uuid, patches)).await.unwrap()
    }

    /// Tells Ironic directly, and waits until the node is there.
    pub async fn told(&self, uuid: &str, target: Target, state: &str) -> Node {
        patiently(&self.ops.clock, || self.ironic.provision(uuid, target, None)).await.unwrap();
        self.until(uuid, state).await
    }

    /// The node once it is in this state, and nobody works on it.
    pub async fn until(&self, uuid: &str, state: &str) -> Node {
        let wanted = ProvisionState::from(state.to_owned());
        let found = eventually(SOON, async || {
            let node = self.ironic.node(uuid).await.unwrap();
            (node.provision_state == wanted && node.reservation.is_none()).then_some(node)
        });
        match found.await {
            Some(node) => node,
            None => panic!("{uuid} is not {state} but {:?}", self.ironic.node(uuid).await.unwrap()),
        }
    }

    pub async fn call(&self, name: &str, input: Value) -> Result<Value, OpError> {
        done(self.ops.call_by_name(&self.anna.actor(), name, &input, None).await)
    }

    /// Asks for an unprovisioning, and is asked back.
    pub async fn ask(&self, server: &str, clean: bool) -> ApprovalId {
        let input = json!({ "server_id": server, "clean": clean });
        match self.ops.call_by_name(&self.anna.actor(), "unprovision_server", &input, None).await.unwrap() {
            Answer::AwaitingApproval(id) => id,
            Answer::Done(value) => panic!("it just ran: {value}"),
        }
    }

    pub async fn approve(&self, id: ApprovalId) -> Result<Value, OpError> {
        self.call("approve", json!({ "approval": id })).await
    }

    /// Asks and allows: the job.
    pub async fn allowed(&self, server: &str, clean: bool) -> String {
        let id = self.ask(server, clean).await;
        let said = self.approve(id).await.unwrap();
        said["started"]["job"].as_str().unwrap_or_else(|| panic!("{said} is no start")).to_owned()
    }

    /// A worker. Aborted, it is dead: it hands nothing over.
    pub fn work(&self, owner: &str, witness: Arc<dyn Witness>) -> JoinHandle<()> {
        work(&self.ops, owner, witness)
    }

    /// A worker that dies there, and gives nothing back.
    pub async fn dies_at(&self, at: At) {
        let witness = Arc::new(Doom { at, seen: AtomicUsize::new(0), dead: Notify::new() });
        let doomed = self.work("doomed", witness.clone());
        tokio::time::timeout(SOON, witness.dead.notified()).await.expect("it dies");
        doomed.abort();
        // Whoever served this database is dead: its leases are void.
        let mut tx = self.ops.store.write().await.unwrap();
        tx.void_leases().await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The job once it waits for this.
    pub async fn waiting(&self, job: &str, code: &str) -> Job {
        let waits = eventually(SOON, async || {
            let job = self.ops.store.read().await.unwrap().require_job(job.parse().unwrap()).await.unwrap();
            let told = job.reason.as_ref().is_some_and(|reason| reason.code == code);
            (job.status == JobStatus::Waiting && told).then_some(job)
        });
        waits.await.unwrap_or_else(|| panic!("{job} never waits for {code}"))
    }

    /// The job once it has ended or is parked.
    pub async fn ended(&self, job: &str) -> Job {
        let open = [JobStatus::Queued, JobStatus::Running, JobStatus::Waiting];
        let ended = eventually(SOON, async || {
            let job = self.ops.store.read().await.unwrap().require_job(job.parse().unwrap()).await.unwrap();
            (!open.contains(&job.status)).then_some(job)
        });
        ended.await.expect("the job ends")
    }

    /// How many of this test's nodes have an instance.
    pub async fn reserved(&self) -> usize {
        let filter = rackhand_core::clients::ironic::NodeFilter {
            resource_class: Some(self.class.clone()),
            associated: Some(true),
            ..Default::default()
        };
        self.ironic.nodes(&filter).await.unwrap().len()
    }
}

/// Where a worker dies, in its journal.
#[derive(Clone, Copy)]
pub enum At {
    /// After so many commits.
    Commit(usize),
    /// After the commit of this.
    After(&'static str),
}

/// Holds a worker there for ever, as if its process had died.
struct Doom {
    at: At,
    seen: AtomicUsize,
    dead: Notify,
}

#[async_trait]
impl Witness for Doom {
    async fn before(&self, _what: &str) {}
    async fn after(&self, what: &str) {
        let seen = self.seen.fetch_add(1, Ordering::SeqCst) + 1;
        let here = match self.at {
            At::Commit(at) => seen == at,
            At::After(label) => what == label,
        };
        if here {
            self.dead.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// How a job ended, as a code.
pub fn outcome(job: &Job) -> &str {
    job.outcome.as_ref().map_or("", |outcome| outcome.code.as_str())
}

/// A worker on these operations.
pub fn work(ops: &Ops, owner: &str, witness: Arc<dyn Witness>) -> JoinHandle<()> {
    let settings = Settings {
        workers: 4,
        lease: Duration::from_secs(3),
        poll: Duration::from_millis(50),
        stop_grace: Duration::ZERO,
    };
    let runner = Runner::new(ops.store.clone(), ops.clock.clone(), settings, owner.to_owned());
    let workflows = FreeNode::kinds(ops, ops.ironic.as_ref().unwrap());
    let runner = workflows.into_iter().fold(runner, |runner, workflow| runner.with(Arc::new(workflow)));
    let runner = runner.watched_by(witness);
    tokio::spawn(async move { runner.run(CancellationToken::new()).await })
}

/// A client for what a test does by itself, with a connection for each request: it never meets one that Ironic just closed.
fn direct(url: &str) -> Ironic {
    let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(LIMITS.request);
    Ironic::new(http.build().unwrap(), Some(url), Auth::None, Arc::new(SystemClock)).unwrap()
}

pub fn client(url: &str) -> Ironic {
    Ironic::new(http::client(LIMITS).unwrap(), Some(url), Auth::None, Arc::new(SystemClock)).unwrap()
}

pub fn done(answer: Result<Answer<Value>, OpError>) -> Result<Value, OpError> {
    answer.map(|answer| match answer {
        Answer::Done(value) => value,
        Answer::AwaitingApproval(id) => panic!("it asks for {id}"),
    })
}

/// A program with this role.
pub async fn call_as(ops: &Ops, actor: &Actor, input: &Value, key: &str) -> Result<Value, OpError> {
    done(ops.call_by_name(actor, "provision_server", input, Some(key)).await)
}
