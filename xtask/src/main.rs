//! The repository checks itself.
fn main() {}
