//! Time4VPS: the provider of our rented servers.
//!
//! What it is: a billing portal with a REST API, HTTP Basic (account, password) and JSON, and a list of allowed addresses
//! for each account. Reads answer at once; actions answer with a task, which takes seconds (reboot), up to minutes
//! (password: ask each 5 s, at most 300 s) or 10 to 15 minutes (reinstall: ask each 10 s).
//!
//! Its limits: one action at a time for a server; a rate limit for each account that is told as a 401. The client keeps
//! the wait that the provider asked for and answers [`Time4vpsError::RateLimited`] by itself until it is over, so that
//! asking again does not make it longer. Clones share that memory; other processes do not.
//!
//! A reinstall destroys the disk **and the provider's own backups** of it. The client proves no identity and waits for
//! nothing: whoever calls an action has made sure of its target, and remembers the task before it waits.
//!
//! Facts: the provider's interface description (version 4.20220303), its WHMCS module (github time4vps/whmcs), and
//! what a production client saw in August 2026.

mod error;
mod excerpt;
pub mod oddities;
pub mod password;
mod wire;

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::{Client, Method, Url};
use serde_json::{Value, json};

pub use self::{
    error::Time4vpsError,
    wire::{ListedServer, OsTemplate, ServerDetails, Task, TaskId, TaskKind, TaskRef},
};
use crate::{
    clients::{
        calls::Call,
        http::{self, BODY_LIMIT},
    },
    clock::SharedClock,
    secret::Secret,
    units::Timestamp,
};

/// One account at Time4VPS. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Time4vps {
    http: Client,
    base: String,
    username: String,
    password: Secret,
    clock: SharedClock,
    /// Until when the provider wants to be left alone.
    quiet_until: Arc<Mutex<Option<Timestamp>>>,
}

impl Time4vps {
    /// A client for the account `username` at `base_url`, such as `https://billing.time4vps.com/api`. Asks nothing yet.
    /// The deadlines are those of `http`, see [`http::client`].
    pub fn new(
        http: Client,
        base_url: &str,
        username: impl Into<String>,
        password: Secret,
        clock: SharedClock,
    ) -> Result<Self, Time4vpsError> {
        let url = Url::parse(base_url).map_err(|_| Time4vpsError::BadBaseUrl)?;
        let fit = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
        if !fit || url.query().is_some() || url.fragment().is_some() {
            return Err(Time4vpsError::BadBaseUrl);
        }
        let base = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { http, base, username: username.into(), password, clock, quiet_until: Arc::default() })
    }

    /// The account's active servers. An answer in which any server lacks its identity is an error as a whole, so that a
    /// broken answer never looks like vanished servers.
    pub async fn servers(&self) -> Result<Vec<ListedServer>, Time4vpsError> {
        let answer = self.get("/server").await?;
        wire::servers(&answer).ok_or_else(|| Time4vpsError::misses("a list of servers"))
    }

    /// What the provider knows of one server.
    pub async fn server(&self, id: i64) -> Result<ServerDetails, Time4vpsError> {
        let answer = self.get(&format!("/server/{id}")).await?;
        wire::server(&answer).ok_or_else(|| Time4vpsError::misses("a server"))
    }

    /// The templates that the server can be installed from.
    pub async fn oses(&self, id: i64) -> Result<Vec<OsTemplate>, Time4vpsError> {
        let answer = self.get(&format!("/server/{id}/oses")).await?;
        wire::oses(&answer).ok_or_else(|| Time4vpsError::misses("a list of templates"))
    }

    /// A task of the server, with the new password in it when the task is done and made one.
    pub async fn task(&self, id: i64, task: TaskId) -> Result<Task, Time4vpsError> {
        self.task_at(id, &task.to_string()).await
    }

    /// The latest task of a kind, or none (also when the provider does not know the server). It takes a task's name in
    /// place of its number; its own WHMCS module asks so. Together with [`ServerDetails::active_task`] this is how to
    /// find out whether an action took effect whose answer was lost.
    pub async fn latest(&self, id: i64, kind: TaskKind) -> Result<Option<Task>, Time4vpsError> {
        match self.task_at(id, kind.wire_name()).await {
            Ok(task) => Ok(Some(task)),
            Err(Time4vpsError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks for a new root password. For some seconds after the task the old one may still work.
    pub async fn reset_password(&self, id: i64) -> Result<TaskId, Time4vpsError> {
        self.act(id, "resetpassword", None).await
    }

    /// Asks for a fresh installation of `os` (see [`Self::oses`]), with `ssh_key` (a public key) let in as root.
    /// Destroys the disk and the provider's backups of it.
    pub async fn reinstall(&self, id: i64, os: &str, ssh_key: Option<&str>) -> Result<TaskId, Time4vpsError> {
        let mut body = json!({ "os": os });
        if let Some(key) = ssh_key {
            body["ssh_key"] = Value::from(key);
        }
        self.act(id, "reinstall", Some(body)).await
    }

    /// Asks for a restart.
    pub async fn reboot(&self, id: i64) -> Result<TaskId, Time4vpsError> {
        self.act(id, "reboot", None).await
    }

    async fn task_at(&self, id: i64, task: &str) -> Result<Task, Time4vpsError> {
        let answer = self.get(&format!("/server/{id}/task/{task}")).await?;
        wire::task(&answer).ok_or_else(|| Time4vpsError::misses("a task"))
    }

    async fn act(&self, id: i64, action: &str, body: Option<Value>) -> Result<TaskId, Time4vpsError> {
        let answer = self.call(Method::POST, &format!("/server/{id}/{action}"), body).await?;
        wire::task_id(&answer).ok_or_else(|| Time4vpsError::misses("a task's number"))
    }

    async fn get(&self, path: &str) -> Result<Value, Time4vpsError> {
        self.call(Method::GET, path, None).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Time4vpsError> {
        self.keep_quiet()?;
        let started = self.clock.now();
        let answered = Call::of("time4vps").ended(self.exchange(method.clone(), path, body).await);
        let elapsed_ms = self.clock.now().since(started).as_millis();
        match &answered {
            Ok(_) => tracing::debug!(system = "time4vps", %method, path, elapsed_ms, "call answered"),
            Err(error) => tracing::info!(system = "time4vps", %method, path, elapsed_ms, %error, "call failed"),
        }
        if let Err(Time4vpsError::RateLimited { wait }) = answered {
            *self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.clock.now().plus(wait));
        }
        answered
    }

    async fn exchange(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Time4vpsError> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .basic_auth(&self.username, Some(self.password.expose()));
        if let Some(body) = &body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(Time4vpsError::unanswered)?;
        let status = response.status().as_u16();
        let body = http::body(response, BODY_LIMIT).await.map_err(Time4vpsError::cut)?;
        error::judge(status, &body).map_err(|error| error.without(&self.password))
    }

    /// Refuses while the wait that the provider asked for is not over.
    fn keep_quiet(&self) -> Result<(), Time4vpsError> {
        let mut quiet_until = self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = quiet_until.map(|until| until.since(self.clock.now())).unwrap_or_default();
        if wait.is_zero() {
            *quiet_until = None;
            return Ok(());
        }
        Err(Time4vpsError::RateLimited { wait })
    }
}
