//! Simulators: peers that cannot be had for tests, each speaking its real wire format with its real faults.
//!
//! A simulator lives in the test's process, so that it outlives the product when a test kills that.

pub mod fast_ironic;
pub mod host;
pub mod keystone;
pub mod load;
pub mod real_host;
pub mod sim_ansible;
pub mod sim_host;
pub mod telegram;
pub mod time4vps;
