//! Simulators.
pub mod telegram;
