//! Kiln bytecode: the contract between front ends, interpreter and compilers.
//!
//! [`opcodes`] holds the instruction table from which everything else here follows.
#![forbid(unsafe_code)]

pub mod builder;
mod code_block;
mod instruction;
pub mod opcodes;

pub use builder::{
    BuildError, CodeBlockBuilder, ConstantIndex, FeedbackIndex, FunctionIndex, GlobalIndex, Label,
    LoopIndex, Position,
};
pub use code_block::*;
pub use instruction::{Instruction, ReadMode, Register};
pub use opcodes::{Effects, FlagUse, Op, OpInfo, OperandInfo, Role};
