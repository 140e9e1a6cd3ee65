//! The verifier: decides whether an interpreter may run a code block without checking it.
//!
//! What holds of a verified block and all functions nested in it:
//!
//! - Every instruction is one of the table, its unused fields and flag bits are zero, and its registers,
//!   constants, feedback cells, globals, functions and loops exist and are of the right kind.
//! - Jumps land on instructions, and the last instruction does not run off the end.
//! - No register is read that may not have been written: not at the start, where only the callee, `self`,
//!   the parameters and (if the block says so) `super` have values, and not after a call whose window
//!   covered it. The callee's register is never written.
//! - Every cycle of instructions passes one that polls for interrupts.
//!
//! What it does not know is which *kinds* of values registers hold: that `append` meets a list, `set_variable`
//! a variable map and `for_loop_global` the number of a global is for the interpreter to check.

mod control;
mod instructions;
mod tables;

use thiserror::Error;

use crate::code_block::{CodeBlock, Constant, FeedbackKind};
use crate::instruction::Register;
use crate::opcodes::Op;

/// How deep function literals may be nested.
pub const MAX_FUNCTION_DEPTH: usize = 500;

/// The most instructions a block may have: distances have 32 bits with a sign.
pub(crate) const MAX_INSTRUCTIONS: usize = 1 << 30;

/// Why a code block was rejected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("invalid bytecode{}{}: {defect}", in_function(.function), at_position(.position))]
pub struct VerifyError {
    /// The way to the faulty function from the block given: indices into [`CodeBlock::functions`].
    pub function: Vec<u32>,
    /// The instruction at fault, if it is one.
    pub position: Option<u32>,
    /// What is wrong.
    pub defect: Defect,
}

/// A violated rule.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Defect {
    /// Functions are nested deeper than [`MAX_FUNCTION_DEPTH`].
    #[error("functions are nested too deep")]
    NestedTooDeep,
    /// The block is too large to be analyzed.
    #[error("the function is too large")]
    TooLarge,
    /// There are fewer than three registers, more than 65,536, or too few for the parameters.
    #[error("{0} registers do not suit the frame")]
    RegisterCount(u32),
    /// A NaN that is not the canonical one.
    #[error("a number constant is a NaN with a payload")]
    ForeignNan,
    /// A constant that has to be a string does not exist or is none.
    #[error("constant {0} is no string")]
    NotAString(u32),
    /// The cell of a call carries a key.
    #[error("feedback cell {0} has a key, but is a call's")]
    KeyOfCall(u32),
    /// The positions of a loop are out of range or order.
    #[error("loop {0} has no valid extent")]
    LoopExtent(u32),
    /// The line table is not sorted, or names positions that are no instructions.
    #[error("entry {0} of the line table is out of place")]
    LineEntry(u32),
    /// The table of spans is not sorted, or names positions that are no instructions.
    #[error("entry {0} of the table of spans is out of place")]
    SpanEntry(u32),
    /// The invoke paths are not sorted, or name positions that are no instructions.
    #[error("invoke path {0} is out of place")]
    InvokePath(u32),
    /// The block says its first parameter is `self`, but has no parameters.
    #[error("there is no self parameter")]
    NoSelfParameter,
    /// The opcode byte names no instruction.
    #[error("there is no instruction with opcode {0}")]
    UnknownOpcode(u8),
    /// A field the instruction does not use is not zero.
    #[error("an unused field is not zero")]
    UnusedField,
    /// The flag byte has no meaning for the instruction.
    #[error("flags {0} mean nothing here")]
    Flags(u8),
    /// The prefix `wide` adds nothing, or stands before an instruction it cannot extend.
    #[error("a wide prefix is out of place")]
    Wide,
    /// A register, or the last of a pair or window, is beyond the frame.
    #[error("{0} and its companions do not fit the frame")]
    RegisterOutOfRange(Register),
    /// The register that holds the callee is written.
    #[error("the callee's register is written")]
    CalleeWritten,
    /// A call window covers `self` or `super`.
    #[error("a call window starts at {0}")]
    WindowTooLow(Register),
    /// A constant that does not exist.
    #[error("there is no constant {0}")]
    NoConstant(u32),
    /// A constant that has to be a number is none.
    #[error("constant {0} is no number")]
    NotANumber(u32),
    /// A register of a global variable is beyond the frame or overlaps another, or the block is no top level.
    #[error("{0} cannot be a global variable")]
    GlobalRegister(Register),
    /// A global variable that does not exist.
    #[error("there is no global {0}")]
    NoGlobal(u32),
    /// A feedback cell that does not exist.
    #[error("there is no feedback cell {0}")]
    NoFeedback(u32),
    /// A feedback cell of another kind than the instruction needs.
    #[error("feedback cell {index} is not of kind {expected:?}")]
    FeedbackKind {
        /// The cell.
        index: u32,
        /// What the instruction needs.
        expected: FeedbackKind,
    },
    /// A nested function that does not exist.
    #[error("there is no function {0}")]
    NoFunction(u32),
    /// A loop that does not exist.
    #[error("there is no loop {0}")]
    NoLoop(u32),
    /// A jump to something that is no instruction.
    #[error("the jump to {0} does not land on an instruction")]
    JumpTarget(i64),
    /// The last instruction does not end the function, or there is none.
    #[error("control runs off the end")]
    RunsOffTheEnd,
    /// A register may be read before it is written.
    #[error("{0} may be read before it is written")]
    Uninitialized(Register),
    /// A register is read after a call has overwritten it.
    #[error("{0} is read later, but lies in the window of this call")]
    Overwritten(Register),
    /// The instruction belongs to a cycle that cannot be interrupted.
    #[error("a loop through this instruction cannot be interrupted")]
    UninterruptibleLoop,
}

/// Checks `block` and the functions nested in it.
///
/// # Errors
///
/// Returns the first violated rule found.
pub fn verify(block: &CodeBlock) -> Result<(), VerifyError> {
    let mut functions = vec![(block, Vec::new())];
    while let Some((block, path)) = functions.pop() {
        verify_one(block).map_err(|Rejection { position, defect }| VerifyError {
            function: path.clone(),
            position,
            defect,
        })?;
        if path.len() >= MAX_FUNCTION_DEPTH && !block.functions.is_empty() {
            return Err(VerifyError {
                function: path,
                position: None,
                defect: Defect::NestedTooDeep,
            });
        }
        for (function, index) in block.functions.iter().zip(0..) {
            let mut path = path.clone();
            path.push(index);
            functions.push((function, path));
        }
    }
    Ok(())
}

/// Checks one block without those nested in it.
fn verify_one(block: &CodeBlock) -> Result<(), Rejection> {
    if block.instructions.len() > MAX_INSTRUCTIONS {
        return Err(Defect::TooLarge.into());
    }
    let first_free = u64::from(Register::FIRST_PARAMETER.0) + block.parameters.len() as u64;
    let count = block.register_count;
    if u64::from(count) < first_free || count > 1 << 16 {
        return Err(Defect::RegisterCount(count).into());
    }
    tables::verify(block)?;
    instructions::verify(block)?;
    control::verify(block)
}

/// A violated rule of the block being verified.
struct Rejection {
    position: Option<u32>,
    defect: Defect,
}

impl From<Defect> for Rejection {
    fn from(defect: Defect) -> Rejection {
        Rejection {
            position: None,
            defect,
        }
    }
}

impl Defect {
    fn at(self, position: u32) -> Rejection {
        Rejection {
            position: Some(position),
            defect: self,
        }
    }
}

/// Whether an instruction starts at `position`: inside the block, and not behind a `wide` prefix.
fn is_instruction(block: &CodeBlock, position: u32) -> bool {
    let is_wide = |before: u32| {
        let word = block.instructions.get(before as usize);
        word.is_some_and(|word| word.op() == Some(Op::Wide))
    };
    (position as usize) < block.instructions.len() && !position.checked_sub(1).is_some_and(is_wide)
}

fn require_string(block: &CodeBlock, constant: u32) -> Result<(), Defect> {
    match block.constants.get(constant as usize) {
        Some(Constant::String(_)) => Ok(()),
        _ => Err(Defect::NotAString(constant)),
    }
}

fn in_function(path: &[u32]) -> String {
    path.iter()
        .map(|index| format!(" in function {index}"))
        .collect()
}

fn at_position(position: &Option<u32>) -> String {
    position.map_or(String::new(), |position| format!(" at {position}"))
}
