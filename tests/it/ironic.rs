//! Our Ironic client against the real Ironic, against a Keystone before it, and against a service that lies or hangs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod answers;
mod lists;
mod login;
mod nodes;
mod rude;
mod tls;

use std::{collections::BTreeMap, sync::Arc};

use rackhand_core::{
    clients::{
        http::{self, Limits},
        ironic::{Auth, Ironic, NewNode, Node, Patch, ProvisionState, Target},
    },
    clock::{SharedClock, SystemClock},
};
use serde_json::{Map, Value, json};

use crate::{e2e::eventually, harness::SOON};

fn clock() -> SharedClock {
    Arc::new(SystemClock)
}

/// A client of the Ironic at `url`, which asks for no login.
fn client(url: &str) -> Ironic {
    crate::harness::init();
    Ironic::new(http::client(Limits::default()).unwrap(), Some(url), Auth::None, clock()).unwrap()
}

/// A name that no other test has.
fn unique(name: &str) -> String {
    format!("{name}-{:016x}", rand::random::<u64>())
}

/// A node of Ironic's fake hardware that does what is written on it.
fn scripted(name: &str) -> NewNode {
    let part = |part: &str| (format!("{part}_interface"), "scripted".to_owned());
    NewNode {
        name: Some(name.to_owned()),
        driver: "fake-hardware".to_owned(),
        interfaces: BTreeMap::from([part("deploy"), part("power")]),
        automated_clean: Some(false),
        extra: Map::from_iter([("script".to_owned(), json!({}))]),
        ..NewNode::default()
    }
}

/// Such a node, available, and taken, so that nobody who looks for a free one finds it.
async fn available(ironic: &Ironic, name: &str) -> Node {
    let node = ironic.create_node(&scripted(name)).await.unwrap();
    ironic.provision(&node.uuid, Target::Manage, None).await.unwrap();
    settled(ironic, &node.uuid, &ProvisionState::Manageable).await;
    let taken = Patch::add("/instance_uuid", uuid::Uuid::now_v7().to_string());
    ironic.patch_node(&node.uuid, &[taken]).await.unwrap();
    ironic.provision(&node.uuid, Target::Provide, None).await.unwrap();
    settled(ironic, &node.uuid, &ProvisionState::Available).await
}

/// Writes on a node what it is to do.
async fn write(ironic: &Ironic, node: &Node, script: Value) {
    ironic.patch_node(&node.uuid, &[Patch::add("/extra/script", script)]).await.unwrap();
}

/// The node as soon as it is in `state` and its lock is free.
async fn settled(ironic: &Ironic, ident: &str, state: &ProvisionState) -> Node {
    watched(ironic, ident, state).await.pop().unwrap()
}

/// All that could be seen of a node until it was in `state` and its lock was free.
async fn watched(ironic: &Ironic, ident: &str, state: &ProvisionState) -> Vec<Node> {
    let mut seen = Vec::<Node>::new();
    let there = eventually(SOON, async || {
        let node = ironic.node(ident).await.unwrap();
        let there = node.provision_state == *state && node.reservation.is_none();
        seen.push(node);
        there.then_some(())
    });
    assert!(there.await.is_some(), "{ident} is not {state}: {:?}", seen.last());
    seen
}
