//! Black-box tests of Rackhand, one binary: a file for each topic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed expectation is a failed test")]

mod chat;
mod config;
mod harness;
mod http;
mod keyring;
mod peers;
mod rules;
mod telegram;
mod time4vps;
