//! The door for language models, in front of clients that others wrote.

mod checks;
pub mod client;
mod conformance;
mod journey;
mod later;
mod reading;
mod readme;
mod repeat;
mod stdio;
mod tasks;
pub mod tools;
mod wait;
mod web;
