//! What Rackhand does by itself: workflows that act in the outside world for a job, and reconcilers; and the doors for
//! programs.
//!
//! It never sees the chat: they meet in core's tables.

pub mod api;
pub mod mcp;
pub mod work;
