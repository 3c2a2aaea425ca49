//! The door for language models, in front of clients that others wrote.

pub mod client;
mod conformance;
mod journey;
mod reading;
mod readme;
pub mod tools;
mod web;
