//! The job engine, with a workflow made for it: steps repeated, failed, killed at each write, called off, frozen.

mod deaths;
mod stops;
pub mod toy;
mod turns;
