//! Comparisons, as values and fused with branches.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, InstBuilder, Value};
use kiln_bytecode::{Constant, Instruction, Op};
use kiln_vm::Value as Word;
use kiln_vm::heap::Header;
use kiln_vm::object::string::flags;
use kiln_vm::value::Tag;

use super::translator::Translator;

/// A comparison fused with a branch.
#[derive(Clone, Copy)]
pub(super) struct JumpComparison {
    condition: FloatCC,
    /// The jump is taken if the comparison is true, else if it is not.
    wanted: bool,
    /// The right operand is a constant.
    is_constant: bool,
    /// The jump goes back and begins another pass of a loop.
    is_loop: bool,
}

impl Translator<'_, '_> {
    /// Goes to `then` or `otherwise` by a comparison of two words read as doubles, or to `slow` if one is no number.
    fn compare(
        &mut self,
        condition: FloatCC,
        operands: (Value, Value),
        are_numbers: bool,
        then: ir::Block,
        otherwise: ir::Block,
        slow: ir::Block,
    ) {
        let (lhs, rhs) = operands;
        let holds = self.builder.ins().fcmp(condition, lhs, rhs);
        if are_numbers {
            self.builder.ins().brif(holds, then, &[], otherwise, &[]);
            return;
        }
        // A NaN makes `!=` true and all others false.
        if condition == FloatCC::NotEqual {
            let unordered = self.builder.ins().fcmp(FloatCC::Unordered, lhs, rhs);
            self.refuse(unordered, slow);
            self.builder.ins().brif(holds, then, &[], otherwise, &[]);
        } else {
            let fails = self.new_block();
            self.builder.ins().brif(holds, then, &[], fails, &[]);
            self.builder.switch_to_block(fails);
            let unordered = self.builder.ins().fcmp(FloatCC::Unordered, lhs, rhs);
            self.builder
                .ins()
                .brif(unordered, slow, &[], otherwise, &[]);
        }
    }

    pub(super) fn comparison(&mut self, op: Op, instruction: Instruction) {
        let condition = match op {
            Op::Equal => FloatCC::Equal,
            Op::NotEqual => FloatCC::NotEqual,
            Op::Less => FloatCC::LessThan,
            Op::LessEqual => FloatCC::LessThanOrEqual,
            Op::Greater => FloatCC::GreaterThan,
            _ => FloatCC::GreaterThanOrEqual,
        };
        let (lhs, rhs) = (self.float(instruction.b()), self.float(instruction.c()));
        if self.is_number(instruction.b()) && self.is_number(instruction.c()) {
            let holds = self.builder.ins().fcmp(condition, lhs, rhs);
            let result = self.truth(holds);
            self.set(instruction.a(), result);
            return;
        }
        let slow = self.cold_block();
        let merge = self.merge_block(&[instruction.a()]);
        let unordered = self.builder.ins().fcmp(FloatCC::Unordered, lhs, rhs);
        self.refuse(unordered, slow);
        let holds = self.builder.ins().fcmp(condition, lhs, rhs);
        let result = self.truth(holds);
        self.finish_fast(merge, instruction.a(), result);
        self.complete(op, instruction, slow, merge);
    }

    /// Which comparison an instruction fuses with a branch, if it does.
    pub(super) fn jump_comparison(&self, op: Op) -> Option<JumpComparison> {
        let name = op.info().name;
        let (rest, is_loop) = match (name.strip_prefix("jump_if_"), name.strip_prefix("loop_if_")) {
            (Some(rest), _) => (rest, false),
            (_, Some(rest)) => (rest, true),
            _ => return None,
        };
        let (rest, is_constant) = match rest.strip_suffix("_constant") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let (rest, wanted) = match rest.strip_prefix("not_") {
            Some(rest) => (rest, false),
            None => (rest, true),
        };
        let condition = match rest {
            "equal" => FloatCC::Equal,
            "different" => FloatCC::NotEqual,
            "less" => FloatCC::LessThan,
            "less_equal" => FloatCC::LessThanOrEqual,
            "greater" => FloatCC::GreaterThan,
            "greater_equal" => FloatCC::GreaterThanOrEqual,
            _ => return None,
        };
        Some(JumpComparison {
            condition,
            wanted,
            is_constant,
            is_loop,
        })
    }

    /// The word of a constant that is null or a string.
    fn constant_cell(&self, index: u16) -> Option<u64> {
        match self.job.block.constants.get(usize::from(index))? {
            Constant::Null | Constant::String(_) => {
                self.job.constants.get(usize::from(index)).copied()
            }
            _ => None,
        }
    }

    /// Whether a value equals null or a string. The word tells, but for a string that is not interned.
    fn compare_with_constant(
        &mut self,
        op: Op,
        instruction: Instruction,
        comparison: JumpComparison,
        constant: u64,
    ) {
        let bits = self.bits(instruction.a());
        let (next, slow) = (self.new_block(), self.cold_block());
        let target = self.target_of(instruction);
        let taken = if comparison.is_loop {
            self.new_block()
        } else {
            target
        };
        let jumps_if_equal = comparison.wanted == (comparison.condition == FloatCC::Equal);
        let (equal, different) = if jumps_if_equal {
            (taken, next)
        } else {
            (next, taken)
        };
        let expected = self.word(constant);
        let same = self.builder.ins().icmp(IntCC::Equal, bits, expected);
        let other = self.new_block();
        self.builder.ins().brif(same, equal, &[], other, &[]);
        self.builder.switch_to_block(other);
        // A variable that holds a function, or has lost its value, is read again on the invoke path.
        self.refuse_function(bits, slow);
        self.refuse_unassigned(bits, slow);
        if constant != Word::NULL.bits() {
            let text = self.cell_of(bits, Tag::String, different);
            let flags = self.load_byte(text, offset_of!(Header, flags));
            let is_interned = self
                .builder
                .ins()
                .band_imm_u(flags, i64::from(flags::INTERNED));
            self.require(is_interned, slow);
        }
        self.builder.ins().jump(different, &[]);
        if comparison.is_loop {
            self.builder.switch_to_block(taken);
            let index = usize::from(instruction.flags());
            self.begin_pass((index < 255).then_some(index), target, slow);
        }
        self.slow_path(op, instruction, slow, next, &[]);
        self.builder.switch_to_block(next);
        self.forget_bound(op);
    }

    pub(super) fn compare_and_jump(
        &mut self,
        op: Op,
        instruction: Instruction,
        comparison: JumpComparison,
    ) {
        if comparison.is_constant
            && let Some(constant) = self.constant_cell(instruction.b())
            && matches!(comparison.condition, FloatCC::Equal | FloatCC::NotEqual)
        {
            return self.compare_with_constant(op, instruction, comparison, constant);
        }
        let lhs = self.float(instruction.a());
        let mut are_numbers = self.is_number(instruction.a());
        let rhs = if comparison.is_constant {
            let constant = self.constant_number(instruction.b());
            self.number(constant)
        } else {
            are_numbers &= self.is_number(instruction.b());
            self.float(instruction.b())
        };
        let next = self.new_block();
        let slow = self.cold_block();
        let target = self.target_of(instruction);
        let taken = if comparison.is_loop {
            self.new_block()
        } else {
            target
        };
        let (then, otherwise) = if comparison.wanted {
            (taken, next)
        } else {
            (next, taken)
        };
        let condition = comparison.condition;
        self.compare(condition, (lhs, rhs), are_numbers, then, otherwise, slow);
        if comparison.is_loop {
            self.builder.switch_to_block(taken);
            let index = usize::from(instruction.flags());
            self.begin_pass((index < 255).then_some(index), target, slow);
        }
        self.slow_path(op, instruction, slow, next, &[]);
        self.builder.switch_to_block(next);
        self.forget_bound(op);
    }
}
