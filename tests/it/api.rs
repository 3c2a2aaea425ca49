//! The door for programs, through real HTTP: what it lets in, what it answers, and what it says of what is wrong.

pub mod caller;
mod routes;
