//! Bare metal: what is asked of nodes, against the real Ironic and its scripted machines.

pub mod between;
mod course;
mod doors;
mod errors;
pub mod lab;
mod provision;
mod races;
mod rest;
mod site;
mod unprovision;
mod ways_down;
