//! Where operations are called: on this machine's database, or at another Rackhand over REST.

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use rackhand_bot::texts::clean;
use rackhand_core::{
    clients::rackhand::{Answered, Rackhand, RackhandError, Request},
    clock::{Clock, SharedClock, SystemClock},
    fault::{Fault, FaultKind},
    ids::JobId,
    model::{Actor, Risk},
    ops::{Answer, Choice, Entry, JobView, Method, Rest},
    secret::Secret,
};
use serde_json::{Map, Value, json};

use super::{environment, load, operations};
use crate::process::Process;

/// The waits before a change whose answer is lost is asked for again. Another Rackhand answers within half a minute, so
/// that all in all it takes two and a half.
const WAITS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// Where operations are called.
pub enum Door {
    /// On this machine, as whoever has its shell.
    Here(Box<Process>),
    /// At another Rackhand, as whoever has the token.
    There(Rackhand),
}

/// A command that another Rackhand does not offer to programs.
#[derive(Debug, thiserror::Error)]
#[error(
    "{command} is not offered over REST: call it on Rackhand's own machine, without RACKHAND_URL and --url, or use the chat"
)]
pub struct NotThere {
    pub command: String,
}

/// A change of which nothing is known but its key.
#[derive(Debug, thiserror::Error)]
#[error(
    "whether it was done is not known: it may still happen. Ask again with --key {key}, which does it once however \
     often it is asked for"
)]
pub struct NotKnown {
    key: String,
    source: RackhandError,
}

impl Door {
    /// The Rackhand at `url`, or at `RACKHAND_URL`; without either, this machine's own, with its configuration.
    pub async fn open(url: Option<String>, config: Option<PathBuf>) -> anyhow::Result<Self> {
        match elsewhere(url) {
            Some(url) => {
                let there = Rackhand::new(&url, token()?)?;
                if there.is_open_to_all() {
                    eprintln!("rackhand: the token travels readable for everybody on the way: use https://");
                }
                Ok(Self::There(there))
            }
            None => Ok(Self::Here(Box::new(Process::open_existing(load(config)?).await?))),
        }
    }

    /// Calls an operation. With the same `key` the same change is done once, however often it is called.
    pub async fn call(&self, entry: &Entry, input: &Value, key: Option<&str>) -> anyhow::Result<Answer<Value>> {
        let there = match self {
            Self::Here(process) => {
                return Ok(process.ops.call_by_name(&Actor::shell(), entry.spec.name, input, key).await?);
            }
            Self::There(there) => there,
        };
        let request = request(entry, input)?;
        let answered = match (entry.spec.risk, key) {
            (Risk::Read, _) => look(there, &request).await?,
            (_, Some(key)) => change(there, &request, key).await?,
            (_, None) => change(there, &request, &uuid::Uuid::now_v7().to_string()).await?,
        };
        Ok(match answered {
            Answered::Done(value) => Answer::Done(value),
            Answered::AwaitingApproval(id) => Answer::AwaitingApproval(id),
        })
    }

    /// A job as it is at this moment, with the end of its story.
    pub async fn job(&self, id: JobId) -> anyhow::Result<JobView> {
        let answer = self.call(operations::needed("show_job")?, &json!({ "job": id }), None).await?;
        let Answer::Done(view) = answer else { anyhow::bail!("a look at a job waits for nobody") };
        serde_json::from_value(view).context("a job was expected")
    }

    /// The time.
    pub fn clock(&self) -> SharedClock {
        match self {
            Self::Here(process) => process.ops.clock.clone(),
            Self::There(_) => std::sync::Arc::new(SystemClock),
        }
    }
}

/// Asks, and once more where the connection broke off.
async fn look(there: &Rackhand, request: &Request) -> Result<Answered, RackhandError> {
    match there.ask(request, "").await {
        Err(error) if error.answer_lost() && !error.is_slow() => there.ask(request, "").await,
        answered => answered,
    }
}

/// Asks until there is an answer: with one key it is one request. Once an answer is lost, to be out of reach tells nothing.
async fn change(there: &Rackhand, request: &Request, key: &str) -> anyhow::Result<Answered> {
    let (mut waits, mut lost) = (WAITS.into_iter(), false);
    loop {
        let source = match there.ask(request, key).await {
            Err(error) if error.answer_lost() || (lost && error.kind() == FaultKind::Unavailable) => error,
            answered => return Ok(answered?),
        };
        lost = true;
        let Some(wait) = waits.next() else { return Err(NotKnown { key: key.to_owned(), source }.into()) };
        SystemClock.sleep(wait).await;
    }
}

/// `RACKHAND_TOKEN`, or what is in the file that `RACKHAND_TOKEN_FILE` names: a command line is for everybody to read.
fn token() -> anyhow::Result<Option<Secret>> {
    let given = match (environment("RACKHAND_TOKEN"), environment("RACKHAND_TOKEN_FILE")) {
        (Some(token), _) => Some(token),
        (None, Some(path)) => {
            let read = std::fs::read_to_string(&path);
            Some(read.with_context(|| format!("RACKHAND_TOKEN_FILE: {} cannot be read", clean(&path)))?)
        }
        (None, None) => None,
    };
    Ok(given.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty()).map(Secret::new))
}

/// The address of another Rackhand, where one is named.
pub fn elsewhere(url: Option<String>) -> Option<String> {
    url.or_else(|| environment("RACKHAND_URL")).filter(|url| !url.trim().is_empty())
}

/// The request that an operation's first route makes of an input.
fn request(entry: &Entry, input: &Value) -> Result<Request, NotThere> {
    let mut rest = input.as_object().cloned().unwrap_or_default();
    let fits = |route: &&Rest| route.says.is_none_or(|flag| rest.get(flag) == Some(&Value::Bool(true)));
    // What the path says itself is not said twice.
    let routes = || entry.spec.rest.iter().filter(fits);
    let route = routes().find(|route| route.says.is_some()).or_else(|| routes().next());
    let route = route.ok_or_else(|| NotThere { command: operations::words(entry).join(" ") })?;
    if let Some(flag) = route.says {
        rest.remove(flag);
    }
    let path = path(route, &mut rest);
    if let Some(Choice::Is(field, value)) = route.when {
        rest.insert(field.to_owned(), value.into());
    }
    let method = match route.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    };
    let has_body = matches!(route.method, Method::Post | Method::Patch);
    let query = if has_body { Vec::new() } else { query(&rest) };
    Ok(Request { method, path, query, body: has_body.then_some(Value::Object(rest)) })
}

/// The path's parts, with the fields that it names taken out of the input.
fn path(route: &Rest, input: &mut Map<String, Value>) -> Vec<String> {
    let part = |part: &str| match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
        Some(name) => input.remove(name).map(|value| plain(&value)).unwrap_or_default(),
        None => part.to_owned(),
    };
    route.path.trim_start_matches('/').split('/').map(part).collect()
}

fn query(input: &Map<String, Value>) -> Vec<(String, String)> {
    let given = input.iter().filter(|(_, value)| !value.is_null());
    given.map(|(name, value)| (name.clone(), plain(value))).collect()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
