//! Kiln bytecode: the contract between front ends, interpreter and compilers.
//!
//! [`opcodes`] holds the instruction table from which everything else here follows.
#![forbid(unsafe_code)]

pub mod builder;
mod code_block;
mod dataflow;
pub mod file;
mod instruction;
pub mod liveness;
pub mod opcodes;
mod reference;
pub mod text;
pub mod verifier;

pub use builder::{
    BuildError, CodeBlockBuilder, ConstantIndex, FeedbackIndex, FunctionIndex, GlobalIndex, Label,
    LoopIndex, Position,
};
pub use code_block::*;
pub use dataflow::{changed_element, for_each_register_read, overwritten_window, register_written};
pub use file::{FileError, from_bytes, to_bytes};
pub use instruction::{Instruction, ReadMode, Register};
pub use liveness::{Liveness, RegisterSet};
pub use opcodes::{Effects, FlagUse, Op, OpInfo, OperandInfo, Role};
pub use reference::reference_page;
pub use text::{ParseError, Problem, parse};
pub use verifier::{Defect, VerifyError, verify};
