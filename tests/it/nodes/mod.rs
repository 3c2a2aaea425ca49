//! Bare metal: what is asked of nodes, against the real Ironic and its scripted machines.

pub mod between;
mod bmc;
mod course;
mod doors;
mod errors;
mod holds;
pub mod lab;
mod maintenance;
mod provide;
mod provision;
mod races;
mod rest;
mod site;
mod unprovision;
mod ways_down;
