//! Black-box tests.

mod harness;
mod http;
mod time4vps;
