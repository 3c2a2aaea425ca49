//! The provider's list against ours: what changed, decided without IO.

use std::net::IpAddr;

use super::Server;

/// A server as the provider lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The provider's number of it.
    pub provider_id: String,
    /// Its address; none while it is being made.
    pub address: Option<IpAddr>,
    /// Its label, or its domain where it has none.
    pub label: String,
    /// Its size's name.
    pub size: String,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncChange {
    /// Not known to us yet.
    New(Sighting),
    /// Known, and something about it changed (or it came back).
    Changed {
        /// Our record.
        server: Box<Server>,
        /// What the provider says now.
        now: Sighting,
        /// In words: `address 1.2.3.4 -> 1.2.3.5`.
        what: Vec<String>,
    },
    /// Known, and no longer listed.
    Missing(Box<Server>),
}

/// Compares `ours` with what the provider lists.
pub fn compare(ours: &[Server], listed: &[Sighting]) -> Vec<SyncChange> {
    let mut changes = Vec::new();
    for now in listed {
        match ours.iter().find(|server| server.provider_id == now.provider_id) {
            None => changes.push(SyncChange::New(now.clone())),
            Some(server) => {
                let what = differences(server, now);
                if !what.is_empty() {
                    changes.push(SyncChange::Changed { server: Box::new(server.clone()), now: now.clone(), what });
                }
            }
        }
    }
    let missing = ours.iter().filter(|server| !listed.iter().any(|now| now.provider_id == server.provider_id));
    changes.extend(missing.map(|server| SyncChange::Missing(Box::new(server.clone()))));
    changes
}

fn differences(server: &Server, now: &Sighting) -> Vec<String> {
    let show = |address: Option<IpAddr>| address.map_or_else(|| "none".to_owned(), |address| address.to_string());
    let mut what = Vec::new();
    if server.address != now.address {
        what.push(format!("address {} -> {}", show(server.address), show(now.address)));
    }
    if server.label != now.label {
        what.push(format!("label {:?} -> {:?}", server.label, now.label));
    }
    if server.size != now.size {
        what.push(format!("size {:?} -> {:?}", server.size, now.size));
    }
    if server.misses > 0 {
        what.push("listed again".to_owned());
    }
    what
}
