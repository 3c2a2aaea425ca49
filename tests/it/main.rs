//! Black-box tests of Rackhand, one binary: a file for each topic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed expectation is a failed test")]

mod ansible;
mod api;
mod authority;
mod chat;
mod cli;
mod config;
mod databases;
mod desk;
mod doors;
mod e2e;
mod engine;
mod events;
mod harness;
mod http;
mod ironic;
mod keyring;
mod mcp;
mod nodes;
mod ops;
mod outbox;
mod peers;
mod real_host;
mod rules;
mod sim_ansible;
mod ssh;
mod store;
mod telegram;
mod time4vps;
