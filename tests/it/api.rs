//! The door for programs, through real HTTP: what it lets in, what it answers, and what it says of what is wrong.

mod authority;
mod bad_input;
pub mod caller;
mod cost;
mod fuzz;
mod lists;
mod openapi;
mod platform;
mod repeat;
mod routes;
