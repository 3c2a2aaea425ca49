//! The `rackhand` program.
fn main() {}
