//! OpenStack Ironic: the service that drives bare machines through their BMCs, and keeps all state of them itself.
//!
//! What it is: a REST interface with JSON, versioned call by call (`1.N`); an API in front of conductors, each of which
//! takes care of some nodes and holds a node's lock while it works on it. Changes of state answer at once (202) and go
//! on for seconds to an hour; a node tells how far they are. Ironic asks nobody who they are, or wants a login of its
//! own, or a token of Keystone.
//!
//! Its limits: one change at a time for a node, and so many at once for all; beyond either it says so, and the caller
//! comes again. The state that a change leads to may show some 0.2 s before the lock is free. This client neither waits
//! nor repeats, but for a login: a token that is refused is renewed once.
//!
//! Facts: the interface reference (versions 1.1 to 1.115), github openstack/ironic and openstack/keystone, and Ironic
//! 39.0.0 itself, which the tests run against.

mod auth;
mod call;
mod configured;
mod error;
mod image;
mod keystone;
mod node;
mod oddities;
mod version;
mod wire;

use std::{sync::Arc, time::Duration};

use reqwest::{Client, Method};
use serde_json::{Value, json};

pub use self::{
    auth::{Auth, Credential, Interface, Keystone, Scope},
    error::{IronicError, Service},
    node::{
        ConfigDrive, HistoryEvent, NewNode, Node, NodeFilter, NodePage, Patch, Progress, ProvisionState, Step, Target,
        Validation, Verdict,
    },
};
use self::{
    call::{Caller, Request},
    version::Minor,
};
use crate::{clients::http::Limits, clock::SharedClock, units::Timestamp};

/// How long one call may take. Ironic asks a conductor behind it for some answers, and gives that a minute.
pub const LIMITS: Limits = Limits { connect: Duration::from_secs(5), request: Duration::from_secs(65) };

/// The most nodes to ask for at once: as many as fit the bound of an answer, whatever is attached to each.
pub const PAGE: usize = 100;
/// The most pages that a whole list may have.
const PAGES_MOST: usize = 1000;
/// How often a whole list is begun: the node at the end of a page may be deleted before the next page is asked for.
const BEGINNINGS: usize = 3;

/// One Ironic. Cheap to clone; clones share the token and what is known of its version.
#[derive(Clone, Debug)]
pub struct Ironic {
    caller: Arc<Caller>,
    /// When its calls are given up, whatever the deadlines of the connection are.
    until: Option<Timestamp>,
}

impl Ironic {
    /// A client of the Ironic at `url`, such as `https://ironic.example.net:6385` (with or without `/v1`); without one
    /// it is looked up in Keystone's catalogue. Asks nothing yet. The deadlines are those of `http`, see [`LIMITS`].
    pub fn new(http: Client, url: Option<&str>, auth: Auth, clock: SharedClock) -> Result<Self, IronicError> {
        Ok(Self { caller: Arc::new(Caller::new(http, url, auth, clock)?), until: None })
    }

    /// The same for somebody who waits for `span` from now on, by this client's clock: what is not answered then is
    /// [`IronicError::Timeout`]. For readings; of a change that is given up nobody knows whether it was made.
    #[must_use]
    pub fn within(&self, span: Duration) -> Self {
        let moment = self.caller.now().plus(span);
        Self { until: Some(self.until.map_or(moment, |sooner| sooner.min(moment))), ..self.clone() }
    }

    /// The newest version of its interface that Ironic speaks, as `1.N` by its N. Fails where it is too old for us.
    pub async fn version(&self) -> Result<u32, IronicError> {
        self.caller.newest(Minor::USUAL, self.until).await.map(|Minor(minor)| minor)
    }

    /// All nodes that `filter` lets through, in the order in which they were enrolled; at most 100 000. A node in which
    /// its identity or state is missing is an error of the whole list, so that a broken answer never looks like vanished
    /// nodes. With an `instance_uuid` Ironic heeds nothing else of the filter.
    pub async fn nodes(&self, filter: &NodeFilter) -> Result<Vec<Node>, IronicError> {
        let mut beginning = 1;
        loop {
            match self.whole_list(filter).await {
                Err(IronicError::NotFound { .. }) if beginning < BEGINNINGS => beginning += 1,
                listed => return listed,
            }
        }
    }

    /// At most `limit` of them, those after the `next` of another page.
    pub async fn nodes_page(
        &self,
        filter: &NodeFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<NodePage, IronicError> {
        let NodeFilter { provision_state, resource_class, associated, instance_uuid, maintenance } = filter;
        let chosen = [
            ("provision_state", provision_state.as_ref().map(ToString::to_string)),
            ("resource_class", resource_class.clone()),
            ("associated", associated.map(|yes| yes.to_string())),
            ("instance_uuid", instance_uuid.clone()),
            ("maintenance", maintenance.map(|yes| yes.to_string())),
            ("fields", Some(wire::LISTED.to_owned())),
            ("limit", Some(limit.to_string())),
            ("marker", after.map(str::to_owned)),
        ];
        let query = chosen.into_iter().filter_map(|(key, value)| Some((key, value?)));
        let answer = self.call(Request::get(&["nodes"]).query(query)).await?;
        let (nodes, next) = wire::nodes(&answer).ok_or_else(|| misses("a list of nodes"))?;
        Ok(NodePage { nodes, next })
    }

    /// The node with this UUID or name.
    pub async fn node(&self, ident: &str) -> Result<Node, IronicError> {
        let fields = format!("{},{}", wire::LISTED, wire::OF_ONE);
        let request = Request::get(&["nodes", ident]).query([("fields", fields)]);
        read(wire::node(&self.call(request).await?))
    }

    /// Enrols a node; it is in state `enroll` then.
    pub async fn create_node(&self, new: &NewNode) -> Result<Node, IronicError> {
        let request = Request::new(Method::POST, &["nodes"]).body(wire::new_node(new));
        let answer =
            self.call(request).await.map_err(|error| new.driver_secrets.values().fold(error, IronicError::without))?;
        read(wire::node(&answer))
    }

    /// Changes a node: all of `patches`, or none. Ironic holds the lock meanwhile. `instance_uuid` can be given to a
    /// node that has none only, and to one node only: [`IronicError::Associated`] otherwise.
    pub async fn patch_node(&self, ident: &str, patches: &[Patch]) -> Result<Node, IronicError> {
        let request = Request::new(Method::PATCH, &["nodes", ident]).body(json!(patches));
        read(wire::node(&self.call(request).await?))
    }

    /// Ends a node's maintenance, in any state; its reason and its fault are gone with it. Ironic holds the lock
    /// meanwhile.
    pub async fn end_maintenance(&self, ident: &str) -> Result<(), IronicError> {
        self.call(Request::new(Method::DELETE, &["nodes", ident, "maintenance"])).await.map(drop)
    }

    /// Forgets a node. The machine is left as it is.
    pub async fn delete_node(&self, ident: &str) -> Result<(), IronicError> {
        self.call(Request::new(Method::DELETE, &["nodes", ident])).await.map(drop)
    }

    /// Tells a node where to go; `configdrive` goes with `active` and `rebuild`. It is on its way then, not there.
    /// An Ironic that speaks less than 1.110 aborts no deployment ([`IronicError::Refused`]), but cleaning.
    pub async fn provision(
        &self,
        ident: &str,
        target: Target,
        configdrive: Option<&ConfigDrive>,
    ) -> Result<(), IronicError> {
        let mut body = json!({ "target": target.to_string() });
        if let Some(ConfigDrive(drive)) = configdrive {
            body["configdrive"] = drive.clone();
        }
        let needs = match configdrive {
            _ if target == Target::Unhold => Minor::UNHOLD,
            _ if target == Target::Abort => {
                self.caller.newest(Minor::USUAL, self.until).await?.min(Minor::DEPLOY_ABORT)
            }
            Some(ConfigDrive(Value::Object(parts))) if parts.contains_key("vendor_data") => Minor::VENDOR_DATA,
            _ => Minor::USUAL,
        };
        let request = Request::new(Method::PUT, &["nodes", ident, "states", "provision"]).body(body).version(needs);
        self.call(request).await.map(drop).map_err(|error| match error {
            IronicError::Refused { message } if oddities::repeats_config_drive(&message) => {
                IronicError::Refused { message: "Ironic does not take this config drive".to_owned() }
            }
            error => error,
        })
    }

    /// Asks each part of a node's driver whether it can work with what the node was given. It may take as long as a
    /// call may.
    pub async fn validate(&self, ident: &str) -> Result<Validation, IronicError> {
        let answer = self.call(Request::get(&["nodes", ident, "validate"])).await?;
        wire::validation(&answer).ok_or_else(|| misses("a validation"))
    }

    /// What happened on a node, oldest first; nothing where Ironic is too old to remember.
    pub async fn history(&self, ident: &str) -> Result<Vec<HistoryEvent>, IronicError> {
        let request = Request::get(&["nodes", ident, "history"]).version(Minor::HISTORY);
        match self.call(request.query([("detail", "true".to_owned())])).await {
            Ok(answer) => wire::history(&answer).ok_or_else(|| misses("a history")),
            Err(IronicError::TooOld { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    async fn call(&self, request: Request) -> Result<Value, IronicError> {
        self.caller.call(request.until(self.until)).await
    }

    async fn whole_list(&self, filter: &NodeFilter) -> Result<Vec<Node>, IronicError> {
        let mut all = Vec::new();
        let mut after = None;
        for _ in 0..PAGES_MOST {
            let NodePage { nodes, next } = self.nodes_page(filter, after.as_deref(), PAGE).await?;
            all.extend(nodes);
            match next {
                None => return Ok(all),
                same if same == after => return Err(misses("a next page")),
                next => after = next,
            }
        }
        Err(misses("an end of its list of nodes"))
    }
}

fn read(node: Option<Node>) -> Result<Node, IronicError> {
    node.ok_or_else(|| misses("a node's identity and state"))
}

fn misses(what: &str) -> IronicError {
    IronicError::misses(Service::Ironic, what)
}
