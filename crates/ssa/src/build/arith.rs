//! Arithmetic and logic.

use kiln_bytecode::{Instruction, Op, Register};

use super::Builder;
use crate::ir::{Node, Representation, Value};

impl Builder<'_> {
    /// Builds an instruction of this family on numbers, or a concatenation of strings; false if it is neither.
    pub(super) fn arith(&mut self, op: Op, instruction: Instruction) -> bool {
        match op {
            Op::Negate | Op::Not => {
                let value = self.read(Register(instruction.b()));
                if !self.are_numbers(value, value) {
                    return false;
                }
                let result = match op {
                    Op::Negate => {
                        let (lhs, rhs) = (self.number_constant(0.0), self.number(value));
                        self.value(Node::SubtractF64 { lhs, rhs })
                    }
                    _ => self.not(value),
                };
                self.write(Register(instruction.a()), result);
            }
            Op::Add
            | Op::Subtract
            | Op::Multiply
            | Op::Divide
            | Op::Modulo
            | Op::Power
            | Op::And
            | Op::Or => {
                let lhs = self.read(Register(instruction.b()));
                let rhs = self.read(Register(instruction.c()));
                return self.binary(op, instruction, lhs, rhs);
            }
            Op::AddConstant
            | Op::SubtractConstant
            | Op::MultiplyConstant
            | Op::DivideConstant
            | Op::ModuloConstant
            | Op::PowerConstant => {
                let lhs = self.read(Register(instruction.b()));
                let rhs = self.pool_constant(u32::from(instruction.c()));
                return self.binary(op, instruction, lhs, rhs);
            }
            _ => return false,
        }
        true
    }

    fn binary(&mut self, op: Op, instruction: Instruction, lhs: Value, rhs: Value) -> bool {
        if !self.are_numbers(lhs, rhs) {
            return self.concatenate(op, instruction, lhs, rhs);
        }
        let is_bool = |value| self.function.ty(value).representation == Representation::Bool;
        let result = match op {
            Op::And if is_bool(lhs) && is_bool(rhs) => self.value(Node::AndBool { lhs, rhs }),
            Op::Or if is_bool(lhs) && is_bool(rhs) => self.value(Node::OrBool { lhs, rhs }),
            _ => {
                let (lhs, rhs) = (self.number(lhs), self.number(rhs));
                self.value(match op {
                    Op::Add | Op::AddConstant => Node::AddF64 { lhs, rhs },
                    Op::Subtract | Op::SubtractConstant => Node::SubtractF64 { lhs, rhs },
                    Op::Multiply | Op::MultiplyConstant => Node::MultiplyF64 { lhs, rhs },
                    Op::Divide | Op::DivideConstant => Node::DivideF64 { lhs, rhs },
                    Op::Modulo | Op::ModuloConstant => Node::RemainderF64 { lhs, rhs },
                    Op::Power | Op::PowerConstant => Node::PowerF64 { lhs, rhs },
                    Op::And => Node::AndF64 { lhs, rhs },
                    _ => Node::OrF64 { lhs, rhs },
                })
            }
        };
        self.write(Register(instruction.a()), result);
        true
    }

    fn not(&mut self, value: Value) -> Value {
        if self.function.ty(value).representation == Representation::Bool {
            return self.value(Node::NotBool { value });
        }
        let value = self.number(value);
        self.value(Node::NotF64 { value })
    }
}
