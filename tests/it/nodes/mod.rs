//! Bare metal: what is asked of nodes, against the real Ironic and its scripted machines.

mod between;
mod errors;
pub mod lab;
mod provision;
mod races;
mod unprovision;
