//! The intermediate representation: a control-flow graph of basic blocks in static single assignment form, with block parameters.
//!
//! Everything in a [`Function`] is named by a dense number: blocks, instructions, values, frame states. Instructions come from one table,
//! [`nodes`].

pub mod effects;
pub mod fields;
pub mod frame_state;
mod function;
pub mod nodes;
mod reference;
pub mod types;

pub use effects::Effects;
pub use fields::{Condition, ExitReason, Field, Number, PoolIndex, ShapeSet, Site, SlotIndex};
pub use frame_state::FrameState;
pub use function::{
    BlockData, Definition, Dependency, Entry, Function, InstData, ValueData, resolve,
};
pub use nodes::{FieldRole, Node, NodeInfo};
pub use reference::reference_page;
pub use types::{Kinds, Representation, Type};

use kiln_bytecode::{CodeBlock, Instruction, Register, for_each_register_read};

use crate::entity::define_entities;

define_entities! {
    /// A basic block.
    Block "b";
    /// An instruction.
    Inst "i";
    /// The result of an instruction, or a parameter of a block.
    Value "v";
    /// A frame state.
    FrameId "frame";
}

/// A successor of a block with the arguments for its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BlockCall {
    /// The successor.
    pub block: Block,
    /// One for each of its parameters.
    pub arguments: Vec<Value>,
}

impl BlockCall {
    /// Control goes to a block without parameters.
    pub fn to(block: Block) -> BlockCall {
        BlockCall {
            block,
            arguments: Vec::new(),
        }
    }
}

/// The registers that the `runtime` form of a bytecode instruction takes as inputs: all that it reads, but for its frame's callee (which the
/// frame state has) and global variables kept in registers (which are memory).
pub fn runtime_inputs(block: &CodeBlock, instruction: Instruction) -> Vec<Register> {
    let mut registers = Vec::new();
    for_each_register_read(block, instruction, |register| {
        if register != Register::CALLEE
            && !registers.contains(&register)
            && bound_global(block, register).is_none()
        {
            registers.push(register);
        }
    });
    registers
}

/// The index of the global variable whose value a register is, or whose fallback it is.
pub fn bound_global(block: &CodeBlock, register: Register) -> Option<u32> {
    let bound = &block.global_registers;
    let after = bound.partition_point(|bound| bound.register <= register);
    let nearest = bound.get(after.checked_sub(1)?)?;
    (register.0 - nearest.register.0 < 2).then_some(nearest.global)
}
