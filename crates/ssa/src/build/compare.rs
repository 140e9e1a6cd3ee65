//! Comparisons, as values and fused with branches.

use kiln_bytecode::{Instruction, Op, Register};

use super::Builder;
use crate::ir::{Condition, Kinds, Node, Value};

/// What a comparing instruction does.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Comparison {
    condition: Condition,
    /// The outcome of the comparison with which it jumps; none if it does not jump.
    jumps_if: Option<bool>,
    /// The right operand is a constant.
    has_constant: bool,
    /// The jump goes back to the body of a loop, counts and polls.
    is_loop: bool,
}

impl Comparison {
    /// Reads the name in the instruction table, where comparisons are named systematically.
    fn of(op: Op) -> Option<Comparison> {
        let name = op.info().name;
        let (rest, has_constant) = match name.strip_suffix("_constant") {
            Some(rest) => (rest, true),
            None => (name, false),
        };
        let (rest, is_loop) = match rest.strip_prefix("loop_if_") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let jump = match is_loop {
            true => Some(rest),
            false => rest.strip_prefix("jump_if_"),
        };
        let (relation, jumps_if) = match jump {
            Some(jump) => match jump.strip_prefix("not_") {
                Some(relation) => (relation, Some(false)),
                None => (jump, Some(true)),
            },
            None => (rest, None),
        };
        let condition = match relation {
            "equal" => Condition::Equal,
            "not_equal" | "different" => Condition::NotEqual,
            "less" => Condition::Less,
            "less_equal" => Condition::LessEqual,
            "greater" => Condition::Greater,
            "greater_equal" => Condition::GreaterEqual,
            _ => return None,
        };
        Some(Comparison {
            condition,
            jumps_if,
            has_constant,
            is_loop,
        })
    }
}

impl Builder<'_> {
    /// Builds an instruction of this family; false if it is none, or nothing is known about its operands.
    pub(super) fn compare(&mut self, op: Op, instruction: Instruction) -> bool {
        let Some(comparison) = Comparison::of(op) else {
            return false;
        };
        let (first, second) = match comparison.jumps_if {
            Some(_) => (instruction.a(), instruction.b()),
            None => (instruction.b(), instruction.c()),
        };
        let lhs = self.read(Register(first));
        let rhs = match comparison.has_constant {
            true => self.pool_constant(u32::from(second)),
            false => self.read(Register(second)),
        };
        if comparison.is_loop {
            self.poll();
        }
        let Some(outcome) = self.outcome(comparison.condition, lhs, rhs) else {
            return false;
        };
        match comparison.jumps_if {
            None => self.write(Register(instruction.a()), outcome),
            Some(true) => self.branch(outcome, self.jump_target(), self.next_position()),
            Some(false) => self.branch(outcome, self.next_position(), self.jump_target()),
        }
        true
    }

    /// The outcome of comparing two numbers, two strings, or something with null.
    fn outcome(&mut self, condition: Condition, lhs: Value, rhs: Value) -> Option<Value> {
        if self.are_numbers(lhs, rhs) {
            let (lhs, rhs) = (self.number(lhs), self.number(rhs));
            return Some(self.value(Node::CompareF64 {
                condition,
                lhs,
                rhs,
            }));
        }
        if let Some(outcome) = self.compare_strings(condition, lhs, rhs) {
            return Some(outcome);
        }
        let is_null = |value| self.kinds(value) == Kinds::NULL;
        let other = match (is_null(lhs), is_null(rhs)) {
            (true, _) => rhs,
            (_, true) => lhs,
            _ => return None,
        };
        let wanted = match condition {
            Condition::Equal => Kinds::NULL,
            Condition::NotEqual => Kinds::ANY.without(Kinds::NULL),
            _ => return None,
        };
        // A variable that holds a function would have to be called, which the interpreter sees to.
        let value = self.of_kind(other, Kinds::SETTLED);
        let value = self.tagged(value);
        Some(self.value(Node::IsKind {
            value,
            kinds: wanted,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_compared() {
        let comparison = |condition, jumps_if, has_constant| {
            Some(Comparison {
                condition,
                jumps_if,
                has_constant,
                is_loop: false,
            })
        };
        assert_eq!(
            Comparison::of(Op::NotEqual),
            comparison(Condition::NotEqual, None, false)
        );
        assert_eq!(
            Comparison::of(Op::JumpIfNotEqual),
            comparison(Condition::Equal, Some(false), false)
        );
        assert_eq!(
            Comparison::of(Op::JumpIfNotLessEqualConstant),
            comparison(Condition::LessEqual, Some(false), true)
        );
        assert_eq!(
            Comparison::of(Op::JumpIfDifferent),
            comparison(Condition::NotEqual, Some(true), false)
        );
        for no_comparison in [Op::Not, Op::Isa, Op::JumpIfTrue, Op::AddConstant] {
            assert_eq!(Comparison::of(no_comparison), None);
        }
    }
}
