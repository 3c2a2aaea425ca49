//! The whole product as its users meet it: the real program, a strict Telegram, a provider, hosts.

mod canary;
mod commands;
mod failures;
mod journey;
mod killed;
mod real;
mod secrets;
pub mod world;

pub use world::eventually;
