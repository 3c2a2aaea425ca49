//! The door for programs, through real HTTP: what it lets in, what it answers, and what it says of what is wrong.

mod authority;
mod bad_input;
mod basic;
pub mod caller;
mod cost;
mod fuzz;
mod issuer;
mod jwt;
mod lists;
mod openapi;
mod platform;
mod repeat;
mod routes;
mod silent;
mod slow;
