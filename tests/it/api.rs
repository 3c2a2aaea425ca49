//! The door for programs, through real HTTP: what it lets in, what it answers, and what it says of what is wrong.

mod caller;
mod routes;
