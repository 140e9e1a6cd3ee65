//! The passes: each takes a function and makes it better or leaves it as it is.
//!
//! A pass keeps the rules that [`crate::verifier`] checks. [`crate::pipeline`] says in which order they run.

pub mod checkpoints;
pub mod cold_blocks;
pub mod control_flow;
pub mod dead_code;
pub mod entry_guards;
pub mod global_promotion;
pub mod guards;
pub mod kinds;
pub mod loop_invariants;
pub mod loop_rotation;
pub mod memory;
pub mod ranges;
mod simplify;
pub mod unboxing;
pub mod value_numbering;
