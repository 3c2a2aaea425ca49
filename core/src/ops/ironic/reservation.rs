//! Whose a node is, before anything is done to it.
//!
//! A reservation is an `instance_uuid` that Ironic gives to one node only, and to a node that has none only; so of any
//! number that reach for a node, through whatever replica, one gets it. The same request has the same instance, so that
//! it finds what it reserved when it is asked again.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use tracing::{info, warn};

use super::{
    NodeFault, ProvisionRequest, instance_info,
    patience::{PATIENCE, PAUSE},
    patiently,
};
use crate::{
    clients::ironic::{Ironic, IronicError, Node, NodeFilter, Patch, ProvisionState},
    clock::SharedClock,
    ops::{OpError, Ops},
    units::Timestamp,
};

/// Where a node keeps our note of its reservation.
const NOTE: &str = "rackhand";
/// After so long a reservation that led to nothing is given back by whoever looks.
const STALE: Duration = Duration::from_mins(5);

/// Our note of a reservation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// When it was made.
    pub reserved_at: Timestamp,
    /// When the same request, asked again, took it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewed_at: Option<Timestamp>,
    /// For which instance.
    pub instance: String,
    /// What was asked for, where the request has a key: another request may have the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

impl Note {
    /// When somebody was last at it.
    fn last(&self) -> Timestamp {
        self.renewed_at.unwrap_or(self.reserved_at)
    }
}

/// Someone who reaches for a node.
pub(super) struct Reservation<'a> {
    pub ironic: &'a Ironic,
    pub clock: &'a SharedClock,
    /// For which instance.
    pub instance: String,
    /// What was asked for, where the request has a key.
    pub request: Option<String>,
    /// When it was asked for.
    pub now: Timestamp,
}

impl Reservation<'_> {
    /// The node that this reservation has already, renewed. Another request with the same key is refused.
    pub async fn held(&self) -> Result<Option<Node>, OpError> {
        let filter = NodeFilter { instance_uuid: Some(self.instance.clone()), ..NodeFilter::default() };
        let page = self.ironic.nodes_page(&filter, None, 1).await;
        let Some(node) = page.map_err(|error| NodeFault::of(&self.instance, error))?.nodes.pop() else {
            return Ok(None);
        };
        if self.is_anothers(&node) {
            return Err(OpError::KeyReused);
        }
        if node.provision_state != ProvisionState::Available {
            return Ok(Some(node));
        }
        // Whoever gives stale ones back, or asked the same before, leaves it to this request from here on.
        let began = note_of(&node).map_or(self.now, |note| note.reserved_at);
        let renewal = Note { reserved_at: began, renewed_at: Some(self.now), ..self.note() };
        let noted = [Patch::add(format!("/extra/{NOTE}"), json!(renewal))];
        let renewed = patiently(self.clock, || self.ironic.patch_node(&node.uuid, &noted)).await;
        match renewed {
            // It went on its way meanwhile.
            Err(IronicError::InvalidState { .. }) => {
                Ok(Some(self.ironic.node(&node.uuid).await.map_err(NodeFault::Away)?))
            }
            renewed => {
                Ok(Some(renewed.map_err(|error| NodeFault::of(&node.uuid, error))?).filter(|node| self.has(node)))
            }
        }
    }

    /// Reserves the node that is asked for, or a free one.
    pub async fn make(&self, request: &ProvisionRequest) -> Result<Node, OpError> {
        match &request.server_id {
            Some(id) => self.named(id, request.resource_class.as_deref()).await,
            None => self.any(request.resource_class.as_deref()).await,
        }
    }

    /// Whether a node is reserved so.
    pub fn has(&self, node: &Node) -> bool {
        node.instance_uuid.as_deref() == Some(&self.instance)
    }

    /// Gives a node back on which nothing was begun. What cannot be given back now is given back by
    /// [`Ops::release_stale_reservations`].
    pub async fn give_back(&self, uuid: &str) {
        match patiently(self.clock, || release(self.ironic, uuid, &self.instance, self.now)).await {
            Ok(true) => info!(node = uuid, "the reservation is given back"),
            Ok(false) => {}
            Err(error) => warn!(node = uuid, %error, "the reservation could not be given back now"),
        }
    }

    async fn named(&self, id: &str, class: Option<&str>) -> Result<Node, OpError> {
        let not_available = || NodeFault::NotAvailable { id: id.chars().take(64).collect() };
        let node = self.ironic.node(id).await.map_err(|error| NodeFault::of(id, error))?;
        if !is_free(&node) || class.is_some_and(|class| node.resource_class.as_deref() != Some(class)) {
            return self.held_or(not_available()).await;
        }
        match patiently(self.clock, || self.take(&node)).await {
            Err(error) if is_lost(&error) => self.held_or(not_available()).await,
            taken => Ok(taken.map_err(|error| NodeFault::of(id, error))?),
        }
    }

    async fn any(&self, class: Option<&str>) -> Result<Node, OpError> {
        let began = self.clock.now();
        loop {
            let free = self.free(class).await?;
            let mut locked = false;
            for node in &free {
                match self.take(node).await {
                    Ok(node) => return Ok(node),
                    Err(IronicError::Associated { .. }) => {
                        // Perhaps by this same request, asked twice at once.
                        if let Some(node) = self.held().await? {
                            return Ok(node);
                        }
                    }
                    Err(IronicError::Locked { .. } | IronicError::Busy { .. }) => locked = true,
                    Err(error) if is_lost(&error) => {}
                    Err(error) => return Err(NodeFault::of(&node.uuid, error).into()),
                }
            }
            // What is still locked after so long is somebody else's by now.
            if !locked || self.clock.now().since(began) >= PATIENCE {
                return self.held_or(NodeFault::NoneMatches).await;
            }
            self.clock.sleep(PAUSE).await;
        }
    }

    /// What this same request, asked twice at once, took since it was last looked for; the refusal, if it took nothing.
    async fn held_or(&self, refusal: NodeFault) -> Result<Node, OpError> {
        Ok(self.held().await?.ok_or(refusal)?)
    }

    /// The free nodes, each request beginning at another place of the list, so that those who come at once do not all
    /// reach for the first.
    async fn free(&self, class: Option<&str>) -> Result<Vec<Node>, OpError> {
        let filter = NodeFilter {
            provision_state: Some(ProvisionState::Available),
            resource_class: class.map(str::to_owned),
            associated: Some(false),
            maintenance: Some(false),
            ..NodeFilter::default()
        };
        let mut nodes = self.ironic.nodes(&filter).await.map_err(NodeFault::Away)?;
        nodes.retain(is_free);
        let place = self.instance.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let count = nodes.len().max(1);
        nodes.rotate_left(place % count);
        Ok(nodes)
    }

    fn note(&self) -> Note {
        let (instance, request) = (self.instance.clone(), self.request.clone());
        Note { reserved_at: self.now, renewed_at: None, instance, request }
    }

    fn is_anothers(&self, node: &Node) -> bool {
        note_of(node).is_some_and(|note| note.request.is_some() && note.request != self.request)
    }

    async fn take(&self, node: &Node) -> Result<Node, IronicError> {
        let noted = Patch::add(format!("/extra/{NOTE}"), json!(self.note()));
        let patches = [Patch::add("/instance_uuid", self.instance.as_str()), noted];
        match self.ironic.patch_node(&node.uuid, &patches).await {
            Err(error) if error.effect_unknown() => {
                let seen = self.ironic.node(&node.uuid).await?;
                let ours = self.has(&seen) && !self.is_anothers(&seen);
                if ours { Ok(seen) } else { Err(error) }
            }
            answer => answer,
        }
    }
}

/// Whether a node can be provisioned.
pub(super) fn is_free(node: &Node) -> bool {
    node.provision_state == ProvisionState::Available && !node.maintenance && node.instance_uuid.is_none()
}

/// Our note, where the node has the instance that it speaks of.
pub(super) fn note_of(node: &Node) -> Option<Note> {
    let kept: Note = serde_json::from_value(node.extra.get(NOTE)?.clone()).ok()?;
    (node.instance_uuid.as_ref() == Some(&kept.instance)).then_some(kept)
}

/// The instance of a request: the same for the same request.
pub(super) fn instance_of(key: &str) -> String {
    let hash = Sha256::digest([b"instance:", key.as_bytes()].concat());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_sha1_bytes(bytes).into_uuid().to_string()
}

/// Gives a reservation back, if nobody renewed it after `last` and nothing was begun on the node: whoever renewed it is at
/// work.
async fn release(ironic: &Ironic, uuid: &str, instance: &str, last: Timestamp) -> Result<bool, IronicError> {
    let node = ironic.node(uuid).await?;
    let left_alone = note_of(&node).is_none_or(|note| note.last() == last);
    let reserved = node.instance_uuid.as_deref() == Some(instance) && left_alone;
    if !reserved || node.provision_state != ProvisionState::Available {
        return Ok(false);
    }
    let mut patches = vec![Patch::remove("/instance_uuid"), Patch::add("/instance_info", instance_info::left(&node))];
    if node.extra.contains_key(NOTE) {
        patches.push(Patch::remove(format!("/extra/{NOTE}")));
    }
    ironic.patch_node(uuid, &patches).await.map(|_| true)
}

/// The other ones were faster, or the node is no longer what it was in the list.
fn is_lost(error: &IronicError) -> bool {
    matches!(
        error,
        IronicError::Associated { .. }
            | IronicError::InvalidState { .. }
            | IronicError::InMaintenance { .. }
            | IronicError::Conflict { .. }
            | IronicError::NotFound { .. }
    )
}

impl Ops {
    /// Gives back what was reserved by us for longer than it takes to begin, on nodes on which nothing was begun: what
    /// was left behind by a process that died. Answers how many.
    ///
    /// # Errors
    /// When Ironic cannot be asked.
    pub async fn release_stale_reservations(&self) -> Result<usize, OpError> {
        let Some(ironic) = &self.ironic else { return Ok(0) };
        let filter = NodeFilter {
            provision_state: Some(ProvisionState::Available),
            associated: Some(true),
            ..NodeFilter::default()
        };
        let nodes = ironic.nodes(&filter).await.map_err(NodeFault::Away)?;
        let mut released = 0;
        for node in nodes {
            let Some(note) = note_of(&node) else { continue };
            if self.clock.now().since(note.last()) < STALE {
                continue;
            }
            match release(ironic, &node.uuid, &note.instance, note.last()).await {
                Ok(done) => released += usize::from(done),
                // It is looked at again.
                Err(error) => warn!(node = node.uuid, %error, "a stale reservation could not be given back now"),
            }
        }
        Ok(released)
    }
}
