//! Constants, moves, jumps, branches, returns.

use kiln_bytecode::{Constant, Instruction, Op, ReadMode, Register};

use super::Builder;
use super::call::Receiver;
use crate::ir::{Condition, Kinds, Node, PoolIndex, Representation, Value};
use crate::job::{CallFeedback, SiteFeedback};

impl Builder<'_> {
    /// Builds an instruction of this family; false if it is none, or has to be left to the interpreter's form.
    pub(super) fn control(&mut self, op: Op, instruction: Instruction) -> bool {
        let first = Register(instruction.a());
        match op {
            Op::Nop => {}
            Op::LoadConstant => {
                let value = self.pool_constant(instruction.bc());
                self.write(first, value);
            }
            Op::LoadUnassigned => {
                let value = self.value(Node::Unassigned {});
                self.write(first, value);
            }
            Op::Move => {
                let value = self.read(Register(instruction.b()));
                self.write(first, value);
            }
            Op::Invoke => {
                let value = self.read(Register(instruction.b()));
                return self.settle(value, instruction, ReadMode::INVOKE);
            }
            Op::Settle => {
                let value = self.read(first);
                let kinds = self.kinds(value);
                if kinds.is_within(Kinds::SETTLED) {
                    return true;
                }
                if *self.frame.feedback() != SiteFeedback::Operands(Kinds::SETTLED)
                    || !kinds.meets(Kinds::SETTLED)
                {
                    return false;
                }
                let value = self.of_kind(value, Kinds::SETTLED);
                self.write(first, value);
            }
            Op::Jump => {
                let target = self.target(self.jump_target());
                self.end_block(Node::Jump { target });
            }
            Op::LoopBack => {
                self.poll();
                let target = self.target(self.jump_target());
                self.end_block(Node::Jump { target });
            }
            Op::JumpIfTrue | Op::JumpIfFalse => return self.jump_if(op, first),
            Op::JumpIfCertain => return self.jump_if_certain(first),
            Op::Return => {
                let value = self.read(first);
                let value = self.tagged(value);
                self.return_value(value);
            }
            Op::Throw => {
                self.generic(instruction);
                self.end_block(Node::Unreachable {});
            }
            _ => return false,
        }
        true
    }

    /// Where a loop can be interrupted: in front of the current instruction.
    pub(super) fn poll(&mut self) {
        let frame = self.frame_state();
        self.effect(Node::Poll { frame });
    }

    /// A constant of the code block.
    pub(super) fn pool_constant(&mut self, index: u32) -> Value {
        match self.frame.input.block.constants.get(index as usize) {
            Some(&Constant::Number(number)) => self.number_constant(number),
            Some(Constant::String(_)) => self.value(Node::PoolConstant {
                code: self.frame.code,
                index: PoolIndex(index),
            }),
            _ => self.value(Node::Null {}),
        }
    }

    fn return_value(&mut self, value: Value) {
        match &mut self.continuation {
            None => self.end_block(Node::Return { value }),
            Some(continuation) => {
                super::join_shapes(&mut continuation.shapes, &self.shapes);
                let target = crate::ir::BlockCall {
                    block: continuation.block,
                    arguments: vec![value],
                };
                self.end_block(Node::Jump { target });
            }
        }
    }

    fn jump_if(&mut self, op: Op, register: Register) -> bool {
        let value = self.read(register);
        let condition = if self.function.ty(value).representation == Representation::Bool {
            value
        } else if self.are_numbers(value, value) {
            let (lhs, rhs) = (self.number(value), self.number_constant(0.0));
            let condition = Condition::NotEqual;
            self.value(Node::CompareF64 {
                condition,
                lhs,
                rhs,
            })
        } else {
            return false;
        };
        match op {
            Op::JumpIfTrue => self.branch(condition, self.jump_target(), self.next_position()),
            _ => self.branch(condition, self.next_position(), self.jump_target()),
        }
        true
    }

    fn jump_if_certain(&mut self, register: Register) -> bool {
        let value = self.read(register);
        let condition = if self.function.ty(value).representation == Representation::Bool {
            value
        } else if self.are_numbers(value, value) {
            let value = self.number(value);
            self.value(Node::IsCertainF64 { value })
        } else {
            return false;
        };
        self.branch(condition, self.jump_target(), self.next_position());
        true
    }

    /// Delivers a variable's or member's value to the current instruction's destination: calls it if it is a function and the mode says
    /// so, as far as is known what functions come by.
    pub(super) fn settle(
        &mut self,
        value: Value,
        instruction: Instruction,
        mode: ReadMode,
    ) -> bool {
        let calls = match self.frame.feedback() {
            SiteFeedback::Call(calls) => Some(calls),
            SiteFeedback::Member(member) => Some(&member.calls),
            _ => None,
        };
        self.settle_with(value, instruction, mode, calls, None)
    }

    /// As [`Builder::settle`], with what was called there and what such a method would be called on.
    pub(super) fn settle_with(
        &mut self,
        value: Value,
        instruction: Instruction,
        mode: ReadMode,
        calls: Option<&CallFeedback>,
        receiver: Option<Receiver>,
    ) -> bool {
        let kinds = self.kinds(value);
        let can_stay = match mode.has(ReadMode::INVOKE) {
            true => Kinds::SETTLED,
            false => Kinds::ANY.without(Kinds::UNASSIGNED),
        };
        if kinds.is_within(can_stay) {
            self.write(Register(instruction.a()), value);
            return true;
        }
        let is_invoked = mode.has(ReadMode::INVOKE) && kinds.meets(Kinds::FUNCTION);
        if is_invoked && let Some((_, known)) = self.known_constant(value) {
            return known.code.is_some_and(|code| {
                let window = self.frame.input.block.register_count;
                self.call_code(code, value, receiver, &[], window, instruction)
            });
        }
        let Some(calls) = calls else { return false };
        if calls.targets.is_empty() && !calls.is_open && kinds.meets(can_stay) {
            let value = self.of_kind(value, can_stay);
            self.write(Register(instruction.a()), value);
            return true;
        }
        is_invoked && {
            let window = self.frame.input.block.register_count;
            self.call_observed(calls, value, receiver, &[], window, instruction)
        }
    }
}
