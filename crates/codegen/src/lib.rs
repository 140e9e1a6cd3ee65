//! Machine code for Kiln's compiled tiers: from bytecode to Cranelift's intermediate form to published machine code.

pub mod baseline;
mod characters;
pub mod code_memory;
pub mod debugger;
pub mod disassembly;
mod emit;
pub mod optimizing;
pub mod perf_map;
pub mod processor_time;
