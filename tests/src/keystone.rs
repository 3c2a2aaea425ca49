//! Keystone, simulated: tokens for a password or an application credential, a catalogue, an end of each token's life, and
//! a guard that lets only those with a token through to a real service behind it.
//!
//! The wire format is that of Keystone's interface description, v3: names, statuses and headers are its own.

mod guard;
mod login;

use std::{
    collections::HashMap,
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{Router, routing::post};
use rackhand_core::{clock::SharedClock, units::Timestamp};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

pub use self::guard::Guard;

/// The user's name, in the domain `Default`.
pub const USER: &str = "rackhand";
/// The project's name, in the domain `Default`. The user has a role in it and in the system.
pub const PROJECT: &str = "machines";

/// A Keystone with one user, who has one application credential. Stops when it is dropped.
pub struct KeystoneSim {
    inner: Arc<Inner>,
    url: String,
    serving: JoinHandle<()>,
}

impl KeystoneSim {
    /// Starts one on a free loopback port, whose tokens live for `life` by `clock`. The secrets are made at random.
    pub async fn start(clock: SharedClock, life: Duration) -> io::Result<Self> {
        let world = World { password: random(), application: (random(), random()), life, ..World::default() };
        let inner = Arc::new(Inner { clock, world: Mutex::new(world) });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().route("/v3/auth/tokens", post(login::tokens)).with_state(inner.clone());
        let serving = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { inner, url, serving })
    }

    /// Its address, without a version.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The user's password.
    pub fn password(&self) -> String {
        self.inner.world().password.clone()
    }

    /// The application credential: its identity and its secret.
    pub fn application(&self) -> (String, String) {
        self.inner.world().application.clone()
    }

    /// Adds an address of a service to the catalogue.
    pub fn endpoint(&self, service: &str, interface: &str, region: &str, url: &str) {
        let endpoint =
            json!({ "id": random(), "interface": interface, "region": region, "region_id": region, "url": url });
        self.inner.world().catalogue.entry(service.to_owned()).or_default().push(endpoint);
    }

    /// Takes back all tokens.
    pub fn revoke(&self) {
        self.inner.world().tokens.clear();
    }

    /// From now on `status` is all that it answers; `None`: it works again.
    pub fn breaks_down(&self, status: Option<u16>) {
        self.inner.world().broken = status;
    }

    /// How often it was asked for a token.
    pub fn asked(&self) -> usize {
        self.inner.world().asked
    }

    /// How many tokens it gave out.
    pub fn given(&self) -> usize {
        self.inner.world().given
    }

    /// A guard before the service at `upstream`.
    pub async fn guard(&self, upstream: &str) -> io::Result<Guard> {
        Guard::start(self.inner.clone(), upstream).await
    }
}

impl Drop for KeystoneSim {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[derive(Debug)]
struct Inner {
    clock: SharedClock,
    world: Mutex<World>,
}

impl Inner {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a token was given out, was not taken back, and has not ended.
    fn knows(&self, token: &str) -> bool {
        let now = self.clock.now();
        self.world().tokens.get(token).is_some_and(|end| now < *end)
    }
}

#[derive(Debug, Default)]
struct World {
    password: String,
    application: (String, String),
    life: Duration,
    catalogue: HashMap<String, Vec<Value>>,
    /// Each with its end.
    tokens: HashMap<String, Timestamp>,
    broken: Option<u16>,
    asked: usize,
    given: usize,
}

fn random() -> String {
    format!("{:032x}", rand::random::<u128>())
}
