//! The clients of outside systems: slow, lying and rude peers, each met by one file that knows its oddities by name.
//!
//! A client speaks one system's wire format and nothing more: it does not wait, retry or touch the store. Only job
//! handlers and reconcilers call it, and they decide what an error means for the work at hand.

pub mod ansible;
pub mod calls;
mod excerpt;
pub mod http;
pub mod ironic;
pub mod rackhand;
pub mod ssh;
pub mod time4vps;
