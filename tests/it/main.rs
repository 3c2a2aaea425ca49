//! Black-box tests of Rackhand, one binary: a file for each topic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed expectation is a failed test")]

mod authority;
mod config;
mod databases;
mod desk;
mod engine;
mod harness;
mod http;
mod keyring;
mod ops;
mod peers;
mod rules;
mod store;
mod telegram;
mod time4vps;
