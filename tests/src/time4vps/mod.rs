//! Time4VPS, simulated: its wire format, its tasks that take time, and its faults, over machines of the test's own.
//!
//! The wording of "busy" and of an unknown server is ours: the provider's was never recorded.

mod faults;
mod net;
mod render;
mod routes;
mod world;

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use rackhand_core::{
    clients::time4vps::{TaskId, TaskKind},
    clock::SharedClock,
    units::Timestamp,
};
use tokio::{net::TcpListener, task::JoinHandle};

pub use self::{
    faults::{Fault, Route, TaskFault},
    render::{Gaps, PasswordForm},
    world::{Call, Delays, Effect, ServerSpec},
};
use self::{
    net::{CuttableListener, Scissors},
    world::{Server, World, random_password},
};
use crate::host::Host;

/// The provider. Stops when it is dropped.
pub struct Time4VpsSim {
    inner: Arc<Inner>,
    url: String,
    username: String,
    password: String,
    serving: JoinHandle<()>,
}

impl Time4VpsSim {
    /// Starts a provider without servers on a free loopback port, with an account made at random.
    pub async fn start(clock: SharedClock) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/api", listener.local_addr()?);
        let (username, password) = ("admin@example.net".to_owned(), random_password());
        let authorization = format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{password}")));
        let inner =
            Arc::new(Inner { clock, authorization, world: Mutex::default(), settling: tokio::sync::Mutex::default() });
        let service = routes::router(inner.clone()).into_make_service_with_connect_info::<Scissors>();
        let serving = tokio::spawn(async move { drop(axum::serve(CuttableListener(listener), service).await) });
        Ok(Self { inner, url, username, password, serving })
    }

    /// What `time4vps.base_url` must be.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The account's name.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The account's password: a canary too.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Adds a server that is `host` at `host`'s address.
    pub fn add_server(&self, spec: ServerSpec, host: Arc<dyn Host>) {
        let server = Server { address: host.address(), spec, host, task_faults: <_>::default() };
        self.inner.world().servers.insert(server.spec.id, server);
    }

    /// The server is gone from the account. Its machine goes on.
    pub fn remove_server(&self, id: i64) {
        self.inner.world().servers.remove(&id);
    }

    /// The provider tells another address than the machine's.
    pub fn change_address(&self, id: i64, address: IpAddr) {
        self.change(id, |server| server.address = address);
    }

    /// Changes what the provider knows of a server: its label, size, status (`Suspended`), …
    pub fn change_spec(&self, id: i64, change: impl FnOnce(&mut ServerSpec)) {
        self.change(id, |server| change(&mut server.spec));
    }

    /// The next `times` calls of `route`, on `server` or on any, go wrong. Faults of one call are used in order.
    pub fn fault(&self, route: Route, server: Option<i64>, fault: Fault, times: usize) {
        self.inner.world().faults.push(route, server, fault, times);
    }

    /// Forgets the faults that still wait for their call.
    pub fn clear_faults(&self) {
        self.inner.world().faults.clear();
    }

    /// The next task of the server goes wrong.
    pub fn task_fault(&self, server: i64, fault: TaskFault) {
        self.change(server, |server| server.task_faults.push_back(fault));
    }

    /// How long tasks of a kind take from now on; no time unless said.
    pub fn delays(&self, kind: TaskKind, delays: Delays) {
        self.inner.world().delays.insert(kind.wire_name(), delays);
    }

    /// The real rate limit: a second action within `pace` of the one before is refused.
    pub fn pace(&self, pace: Option<Duration>) {
        self.inner.world().pace = pace;
    }

    /// After each reset the old password goes on working for `span`.
    pub fn old_password_lingers(&self, span: Duration) {
        self.inner.world().linger = span;
    }

    /// The form in which passwords come; one after the other when none is said.
    pub fn password_form(&self, form: Option<PasswordForm>) {
        self.inner.world().dialect.form = form;
    }

    /// Numbers come in quotes.
    pub fn quoted_numbers(&self, quoted: bool) {
        self.inner.world().dialect.quoted_numbers = quoted;
    }

    /// Fields that may be missing are null or missing.
    pub fn gaps(&self, gaps: Gaps) {
        self.inner.world().dialect.gaps = gaps;
    }

    /// Somebody else, say the provider's own panel, starts a task: none when the server is busy or unknown.
    pub fn start_task(&self, server: i64, kind: TaskKind) -> Option<TaskId> {
        let mut world = self.inner.world();
        let os = world.servers.get(&server)?.spec.os.clone();
        let task = world.ask(server, kind, Some(&os), None, self.inner.clock.now()).ok()?;
        self.inner.settle_later(world.tasks.last().map(|task| task.due));
        Some(TaskId(task))
    }

    /// What really took effect, in order.
    pub fn effects(&self) -> Vec<Effect> {
        self.inner.world().effects.clone()
    }

    /// The calls that arrived, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.inner.world().calls.clone()
    }

    /// Every password that a machine was given: canaries to search for.
    pub fn passwords(&self) -> Vec<String> {
        self.inner.world().passwords.clone()
    }

    fn change(&self, id: i64, change: impl FnOnce(&mut Server)) {
        if let Some(server) = self.inner.world().servers.get_mut(&id) {
            change(server);
        }
    }
}

impl Drop for Time4VpsSim {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

struct Inner {
    clock: SharedClock,
    /// The header that the account's calls carry.
    authorization: String,
    world: Mutex<World>,
    /// Held while the effects of tasks are under way.
    settling: tokio::sync::Mutex<()>,
}

impl Inner {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives every task whose time has come its effect.
    async fn settle(self: Arc<Self>) {
        let _one_at_a_time = self.settling.lock().await;
        loop {
            let due = self.world().take_due(self.clock.now());
            let Some((task, server)) = due else { return };
            if !matches!(task.fault, Some(TaskFault::Fails(_))) {
                self.work_on(&task, server.host.as_ref()).await;
            }
            self.world().complete(&task, self.clock.now());
        }
    }

    async fn work_on(&self, task: &world::Task, host: &dyn Host) {
        if task.kind != TaskKind::Reboot {
            self.world().passwords.push(task.password.clone());
        }
        match task.kind {
            TaskKind::ResetPassword => {
                let linger = self.world().linger;
                host.keep_old_password(linger).await;
                host.set_root_password(&task.password).await;
            }
            TaskKind::Reinstall => host.reinstall(&task.os, task.ssh_key.as_deref(), &task.password).await,
            TaskKind::Reboot => host.reboot().await,
        }
    }

    /// Has the tasks settled once `due` has come, whether or not anybody asks.
    fn settle_later(self: &Arc<Self>, due: Option<Timestamp>) {
        let Some(due) = due else { return };
        let inner = self.clone();
        let wait = inner.clock.sleep(due.since(inner.clock.now()));
        tokio::spawn(async move {
            wait.await;
            inner.settle().await;
        });
    }
}
