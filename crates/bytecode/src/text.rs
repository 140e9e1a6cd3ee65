//! Code blocks as text: for dumps, for tests, and for reading what the front end made of a program.
//!
//! ```text
//! function "absolute"
//!   language miniscript1
//!   origin "absolute.ms"
//!   line 1
//!   registers 4
//!   parameter "x" = null
//!   constant c0 = 0.0
//!   code
//!     line 2
//!     0  jump_if_not_less_constant r3, c0, @2  ; c0 = 0.0
//!     1  negate r3, r3
//!     line 3
//!     2  return_value r3
//! end
//! ```
//!
//! A function's properties and tables come first, each entry on a line of its own, then its code, then
//! the functions nested in it. Operands are registers `r3`, entries of tables (constants `c0`, globals `g0`,
//! feedback cells `f0`, functions `fn0`, loops `l0`), numbers, and positions `@2` to jump to. Read modes are
//! written behind the instruction's name, `get_global.invoke r3, g0`; the number of arguments behind the
//! window, `call r3, r5(2), f0`. A `wide` prefix is not shown: the index behind it is. What stands behind `;`
//! is a comment. Words that are no proper instructions appear as `word 0x0123456789abcdef`.
//!
//! Written by hand, instructions need no positions, and jumps may name labels: `@loop` goes to the line
//! `loop:`.
//!
//! [`CodeBlock`](crate::CodeBlock) displays as this text; [`parse`] reads it and gives the same block again,
//! if it is one that the verifier accepts.

mod parser;
mod printer;
mod scanner;

pub use parser::{ParseError, Problem, parse};

use crate::instruction::Instruction;
use crate::opcodes::{FlagUse, Op, OpInfo, Role};

/// The names of the bits of a read mode, the lowest first.
const READ_MODES: [&str; 3] = ["invoke", "warn", "strict"];

/// What a number that stands for something is written behind.
fn prefix(role: Role) -> &'static str {
    match role {
        Role::Out | Role::In | Role::InPair | Role::InOutPair | Role::Window => "r",
        Role::Constant | Role::Constant32 => "c",
        Role::Global => "g",
        Role::Feedback => "f",
        Role::Function => "fn",
        Role::Loop => "l",
        Role::Jump | Role::Jump32 => "@",
        Role::Immediate | Role::Unused => "",
    }
}

/// The row of an instruction that can be written symbolically: all that its row does not mention is zero.
fn symbolic_row(instruction: Instruction) -> Option<&'static OpInfo> {
    let row = instruction.op()?.info();
    let flags_can_be_written = match row.flags {
        FlagUse::none | FlagUse::observed => instruction.flags() == 0,
        FlagUse::read_mode => instruction.flags() >> READ_MODES.len() == 0,
        FlagUse::argument_count | FlagUse::loop_counter => true,
    };
    let mentioned = row.operands.iter().fold(0xFFFF, |mask, operand| {
        let field = match operand.role {
            Role::Unused => 0,
            role if role.is_32_bit() => 0xFFFF_FFFF_0000_0000,
            _ => 0xFFFF << (16 + 16 * operand.field),
        };
        mask | field
    });
    (flags_can_be_written && instruction.0 & !mentioned == 0).then_some(row)
}

/// What a `wide` prefix adds to the instruction behind it, if the two can be written as one.
fn prefix_value(wide: Instruction, next: Option<Instruction>) -> Option<u32> {
    let high = u32::from(wide.a());
    let is_wide = wide == Instruction::new(Op::Wide, 0, wide.a(), 0, 0) && high != 0;
    let operands = symbolic_row(next?)?.operands;
    let extends = operands.iter().any(|operand| operand.role.is_widened());
    (is_wide && extends).then_some(high << 16)
}
