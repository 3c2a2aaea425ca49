//! The outside systems: a module for each.

pub mod ansible;
