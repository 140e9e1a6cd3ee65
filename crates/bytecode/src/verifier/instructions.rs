//! Checks every instruction by itself.

use crate::code_block::{CodeBlock, Constant};
use crate::instruction::{Instruction, ReadMode, Register};
use crate::opcodes::{FlagUse, Op, OpInfo, Role};

use super::{Defect, Rejection, is_instruction, require_string};

pub(super) fn verify(block: &CodeBlock) -> Result<(), Rejection> {
    // What a prefix before the instruction supplies, none if there is no prefix.
    let mut high = None;
    for (&instruction, position) in block.instructions.iter().zip(0..) {
        let checked = match Checker::new(block, instruction, position, high) {
            Ok(checker) => checker.check().map(|()| checker.op),
            Err(defect) => Err(defect),
        };
        high = match checked.map_err(|defect| defect.at(position))? {
            Op::Wide => Some(instruction.a()),
            _ => None,
        };
    }
    let last = block.instructions.last().and_then(|last| last.op());
    match last {
        Some(op) if !op.falls_through() => Ok(()),
        _ => Err(Defect::RunsOffTheEnd.into()),
    }
}

/// One instruction being checked.
struct Checker<'a> {
    block: &'a CodeBlock,
    instruction: Instruction,
    position: u32,
    op: Op,
    row: &'static OpInfo,
    /// Added to a widened operand.
    high: u32,
}

impl<'a> Checker<'a> {
    fn new(
        block: &'a CodeBlock,
        instruction: Instruction,
        position: u32,
        high: Option<u16>,
    ) -> Result<Checker<'a>, Defect> {
        let byte = instruction.op_byte();
        let op = Op::from_byte(byte).ok_or(Defect::UnknownOpcode(byte))?;
        let row = op.info();
        let can_be_widened = row.operands.iter().any(|operand| operand.role.is_widened());
        let is_idle_prefix = op == Op::Wide && instruction.a() == 0;
        if is_idle_prefix || (high.is_some() && !can_be_widened) {
            return Err(Defect::Wide);
        }
        Ok(Checker {
            block,
            instruction,
            position,
            op,
            row,
            high: u32::from(high.unwrap_or(0)) << 16,
        })
    }

    fn check(&self) -> Result<(), Defect> {
        self.check_flags()?;
        self.check_unused_fields()?;
        for operand in self.row.operands {
            self.check_operand(operand.role, self.instruction.operand(operand))?;
        }
        Ok(())
    }

    fn check_flags(&self) -> Result<(), Defect> {
        let flags = self.instruction.flags();
        let modes = ReadMode::INVOKE.with(ReadMode::WARN).with(ReadMode::STRICT);
        let are_meaningful = match self.row.flags {
            FlagUse::none | FlagUse::observed => flags == 0,
            FlagUse::read_mode => modes.has(ReadMode(flags)),
            FlagUse::argument_count => true,
            FlagUse::loop_counter => usize::from(flags) < self.block.loops.len(),
        };
        require(are_meaningful, Defect::Flags(flags))
    }

    fn check_unused_fields(&self) -> Result<(), Defect> {
        let takes_all = self
            .row
            .operands
            .iter()
            .any(|operand| operand.role.is_32_bit());
        let mut beyond = self.row.operands.len() as u8..3;
        let are_zero = takes_all || beyond.all(|field| self.instruction.field(field) == 0);
        require(are_zero, Defect::UnusedField)
    }

    fn check_operand(&self, role: Role, value: u32) -> Result<(), Defect> {
        let block = self.block;
        let constant = || {
            block
                .constants
                .get(value as usize)
                .ok_or(Defect::NoConstant(value))
        };
        match role {
            Role::In => self.check_registers(value, 1),
            Role::InPair => self.check_registers(value, 2),
            Role::Out | Role::InOutPair => {
                require(
                    value != u32::from(Register::CALLEE.0),
                    Defect::CalleeWritten,
                )?;
                self.check_registers(value, if role == Role::Out { 1 } else { 2 })
            }
            Role::Window => {
                let lowest = Register::FIRST_PARAMETER;
                let is_free = value >= u32::from(lowest.0);
                require(is_free, Defect::WindowTooLow(Register(value as u16)))?;
                let arguments = u32::from(self.instruction.flags());
                self.check_registers(value, u32::from(lowest.0) + arguments)
            }
            Role::Immediate => Ok(()),
            Role::Unused => require(value == 0, Defect::UnusedField),
            Role::Constant => match constant()? {
                Constant::Number(_) => Ok(()),
                _ => Err(Defect::NotANumber(value)),
            },
            Role::Constant32 if self.op == Op::Throw => require_string(block, value),
            Role::Constant32 => constant().map(|_| ()),
            Role::Global => require_below(value, block.globals.len(), Defect::NoGlobal),
            Role::Feedback => self.check_feedback(value | self.high),
            Role::Function => {
                require_below(value | self.high, block.functions.len(), Defect::NoFunction)
            }
            Role::Loop => require_below(value, block.loops.len(), Defect::NoLoop),
            Role::Jump | Role::Jump32 => self.check_jump(),
        }
    }

    fn check_registers(&self, first: u32, count: u32) -> Result<(), Defect> {
        let defect = Defect::RegisterOutOfRange(Register(first as u16));
        require(first + count <= self.block.register_count, defect)
    }

    fn check_feedback(&self, index: u32) -> Result<(), Defect> {
        let cell = self.block.feedback.get(index as usize);
        let kind = cell.ok_or(Defect::NoFeedback(index))?.kind;
        match self.op.feedback_kind() {
            Some(expected) if kind != expected => Err(Defect::FeedbackKind { index, expected }),
            _ => Ok(()),
        }
    }

    fn check_jump(&self) -> Result<(), Defect> {
        let Some(target) = self.instruction.jump_target(self.position) else {
            return Ok(());
        };
        let lands = u32::try_from(target).is_ok_and(|to| is_instruction(self.block, to));
        require(lands, Defect::JumpTarget(target))
    }
}

fn require(condition: bool, defect: Defect) -> Result<(), Defect> {
    if condition { Ok(()) } else { Err(defect) }
}

fn require_below(index: u32, length: usize, defect: fn(u32) -> Defect) -> Result<(), Defect> {
    require((index as usize) < length, defect(index))
}
