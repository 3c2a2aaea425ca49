//! Telegram's Bot API as a strict server of our own: what the real one refuses, this one refuses in the same words.
//!
//! It speaks the wire format over HTTP on a free loopback port. A test writes and presses as people do ([`people`]),
//! orders faults ([`Fault`], [`Chaos`]), switches the real limits on, and looks at what stands in each chat
//! ([`Telegram::transcript`]). It knows the methods that an admin bot needs, HTML alone, and keeps a webhook without
//! calling it. It has no photos, no inline mode and no payments.

mod args;
mod chats;
mod commands;
mod faults;
pub mod html;
mod keyboard;
mod limits;
mod methods;
pub mod people;
mod updates;
mod watch;
mod wire;
mod world;

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use rackhand_core::clock::{SharedClock, SystemClock};
use rand::{RngExt, distr::Alphanumeric};
use tokio::{net::TcpListener, sync::Notify, task::AbortHandle};

pub use self::{
    args::File,
    chats::{Person, Shown},
    faults::{Chaos, Fault, When},
    keyboard::{Key, Keyboard},
    limits::Violation,
    watch::TimedOut,
    world::{Answer, Call, Outcome},
};
use self::{limits::Limits, world::World};

/// A running server. Clones are handles to the same one; it stops when the last is dropped.
#[derive(Clone, Debug)]
pub struct Telegram {
    shared: Arc<Shared>,
    api_url: String,
    _server: Arc<Server>,
}

#[derive(Debug)]
struct Server {
    task: AbortHandle,
    shared: Arc<Shared>,
}

impl Drop for Server {
    fn drop(&mut self) {
        // The listener goes with its task; connections that are open have tasks of their own.
        self.task.abort();
        self.shared.with(|world| world.reachable = false);
    }
}

#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    changed: Notify,
}

impl Shared {
    /// Changes the world, and wakes whoever waits for a change.
    fn with<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let out = self.look(change);
        self.changed.notify_waiters();
        out
    }

    /// Looks at the world without waking anybody.
    fn look<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Telegram {
    /// Starts a server on a free loopback port, with a random token.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(Arc::new(SystemClock)).await
    }

    /// The same with a clock for limits, delays and dates. Long polls wait by the machine's clock in any case.
    pub async fn start_with(clock: SharedClock) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let api_url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared { world: Mutex::new(World::new(clock, token())), changed: Notify::new() });
        let server = tokio::spawn(wire::serve(listener, shared.clone()));
        let server = Server { task: server.abort_handle(), shared: shared.clone() };
        Ok(Self { shared, api_url, _server: Arc::new(server) })
    }

    /// Where the bot must send its calls, without a slash at the end.
    pub fn api_url(&self) -> &str {
        &self.api_url
    }

    /// The bot's token.
    pub fn token(&self) -> String {
        self.shared.look(|world| world.token.clone())
    }

    /// The bot's user name.
    pub fn username(&self) -> String {
        self.shared.look(|world| world.username.clone())
    }

    /// Orders a fault for the next `times` calls of a method (`sendMessage`; case does not matter).
    pub fn fail(&self, method: &str, fault: &Fault, times: usize) {
        self.shared.with(|world| world.faults.order(method, fault, times));
    }

    /// How many ordered faults were not met yet.
    pub fn faults_left(&self) -> usize {
        self.shared.look(|world| world.faults.left())
    }

    /// Switches faults at random on or off.
    pub fn set_chaos(&self, chaos: Option<Chaos>) {
        self.shared.with(|world| world.faults.set_chaos(chaos));
    }

    /// Takes Telegram away, or brings it back: while it is away every connection, also one that waits in a long poll,
    /// is broken without an answer and without a note in the log.
    pub fn set_reachable(&self, reachable: bool) {
        self.shared.with(|world| world.reachable = reachable);
    }

    /// Switches the real limits on or off: see the numbers in `limits.rs`.
    pub fn set_real_limits(&self, on: bool) {
        self.shared.with(|world| world.limits = on.then(Limits::default));
    }
}

/// As the real ones look: the bot's number, a colon, 35 characters.
fn token() -> String {
    let mut dice = rand::rng();
    let id: u32 = dice.random_range(1_000_000_000..2_000_000_000);
    let secret: String = (0..32).map(|_| char::from(dice.sample(Alphanumeric))).collect();
    format!("{id}:AAF{secret}")
}
