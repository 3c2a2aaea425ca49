//! Rackhand agent.
