//! The heart of Rackhand: values, states, records, the store, the clients of outside systems, the operations and the
//! job engine.
//!
//! Each line may use only the lines above it (`tests/it/rules.rs` keeps it so):
//! `ids, units, clock, fault, secret` · `states` · `model` · `config, keyring` · `clients | store` · `ops` · `work`.

pub mod clients;
pub mod clock;
pub mod config;
pub mod fault;
pub mod ids;
pub mod keyring;
pub mod model;
pub mod ops;
pub mod secret;
pub mod states;
pub mod store;
pub mod units;
pub mod work;
