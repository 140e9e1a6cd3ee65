//! Arithmetic and logic.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, Value, types};
use kiln_bytecode::{Constant, Instruction, Op};
use kiln_vm::Value as Word;

use super::translator::Translator;

impl Translator<'_, '_> {
    /// The number that the constant in field `c` is.
    pub fn constant_number(&self, index: u16) -> f64 {
        match self.job.block.constants.get(usize::from(index)) {
            Some(Constant::Number(number)) => *number,
            _ => f64::NAN,
        }
    }

    fn float_operation(&mut self, op: Op, lhs: Value, rhs: Value) -> Value {
        let ins = self.builder.ins();
        match op {
            Op::Add | Op::AddConstant => ins.fadd(lhs, rhs),
            Op::Subtract | Op::SubtractConstant => ins.fsub(lhs, rhs),
            Op::Multiply | Op::MultiplyConstant => ins.fmul(lhs, rhs),
            _ => ins.fdiv(lhs, rhs),
        }
    }

    pub(super) fn arithmetic(&mut self, op: Op, instruction: Instruction) {
        let (lhs, rhs) = (self.float(instruction.b()), self.float(instruction.c()));
        let are_numbers = self.is_number(instruction.b()) && self.is_number(instruction.c());
        self.finish_arithmetic(op, instruction, lhs, rhs, are_numbers);
    }

    pub(super) fn arithmetic_constant(&mut self, op: Op, instruction: Instruction) {
        let lhs = self.float(instruction.b());
        let constant = self.constant_number(instruction.c());
        let rhs = self.number(constant);
        let is_number = self.is_number(instruction.b());
        self.finish_arithmetic(op, instruction, lhs, rhs, is_number);
    }

    /// A tagged operand read as a double is a NaN, and so is the result then: one test covers all cases.
    fn finish_arithmetic(
        &mut self,
        op: Op,
        instruction: Instruction,
        lhs: Value,
        rhs: Value,
        are_numbers: bool,
    ) {
        let result = self.float_operation(op, lhs, rhs);
        if are_numbers {
            self.set(instruction.a(), result);
            return;
        }
        let slow = self.cold_block();
        let merge = self.merge_block(&[instruction.a()]);
        let is_ordered = self.builder.ins().fcmp(FloatCC::Ordered, result, result);
        self.require(is_ordered, slow);
        self.finish_fast(merge, instruction.a(), result);
        self.complete(op, instruction, slow, merge);
    }

    /// The remainder of whole numbers that are not negative, of 32 bits. The left operand's sign, that of a zero included, is the
    /// result's, so all others are left to the handler.
    fn whole_remainder(&mut self, op: Op, instruction: Instruction, lhs: Value, divisor: Divisor) {
        let slow = self.cold_block();
        let merge = self.merge_block(&[instruction.a()]);
        let dividend = self.whole_number(lhs, slow);
        // Negative ones, -0 among them.
        let bits = self.bits_of(lhs);
        let zero = self.word(0);
        let is_positive = self
            .builder
            .ins()
            .icmp(IntCC::SignedGreaterThanOrEqual, bits, zero);
        self.require(is_positive, slow);
        let remainder = match divisor {
            Divisor::PowerOfTwo(power) => self
                .builder
                .ins()
                .band_imm_u(dividend, i64::from(power - 1)),
            Divisor::Constant(divisor) => {
                // floor(n * m / 2^s) by multiplication (Granlund and Montgomery 1994): for 31-bit dividends m of 64 bits is exact.
                let wide = self.builder.ins().uextend(types::I64, dividend);
                let magic = (1u64 << 62) / u64::from(divisor) + 1;
                let magic = self.word(magic);
                let high = self.builder.ins().umulhi(wide, magic);
                // The product was divided by 2^64; 2^62 is wanted.
                let low = self.builder.ins().imul(wide, magic);
                let high = self.builder.ins().ishl_imm_u(high, 2);
                let low = self.builder.ins().ushr_imm_u(low, 62);
                let quotient = self.builder.ins().bor(high, low);
                let product = self.builder.ins().imul_imm_u(quotient, i64::from(divisor));
                let remainder = self.builder.ins().isub(wide, product);
                self.builder.ins().ireduce(types::I32, remainder)
            }
            Divisor::Value(divisor) => {
                let whole = self.whole_number(divisor, slow);
                let one = self.builder.ins().iconst(types::I32, 1);
                let is_positive =
                    self.builder
                        .ins()
                        .icmp(IntCC::SignedGreaterThanOrEqual, whole, one);
                self.require(is_positive, slow);
                self.builder.ins().urem(dividend, whole)
            }
        };
        let result = self.builder.ins().fcvt_from_sint(types::F64, remainder);
        self.finish_fast(merge, instruction.a(), result);
        self.complete(op, instruction, slow, merge);
    }

    /// The remainder of a number that is not negative by a whole constant: the quotient comes from the reciprocal, as in the
    /// interpreter, whose `quick_remainder` says why that is exact. The limit is low enough for divisors of 31 bits.
    fn constant_remainder(&mut self, op: Op, instruction: Instruction, divisor: f64) {
        const LIMIT: f64 = 4_503_599_627_370_496.0;
        let slow = self.cold_block();
        let merge = self.merge_block(&[instruction.a()]);
        let lhs = self.float(instruction.b());
        // As a word a number that is negative, too large, no number at all, or -0, is above that of the limit.
        let bits = self.bits_of(lhs);
        let limit = self.word(LIMIT.to_bits());
        let is_in_range = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, bits, limit);
        self.require(is_in_range, slow);
        let reciprocal = self.number(1.0 / divisor);
        let divisor = self.number(divisor);
        let quotient = self.builder.ins().fmul(lhs, reciprocal);
        let quotient = self.builder.ins().trunc(quotient);
        let product = self.builder.ins().fmul(quotient, divisor);
        let remainder = self.builder.ins().fsub(lhs, product);
        let zero = self.number(0.0);
        let above = self.builder.ins().fadd(remainder, divisor);
        let below = self.builder.ins().fsub(remainder, divisor);
        let is_low = self.builder.ins().fcmp(FloatCC::LessThan, remainder, zero);
        let is_high = self
            .builder
            .ins()
            .fcmp(FloatCC::GreaterThanOrEqual, remainder, divisor);
        let remainder = self.builder.ins().select(is_low, above, remainder);
        let remainder = self.builder.ins().select(is_high, below, remainder);
        self.finish_fast(merge, instruction.a(), remainder);
        self.complete(op, instruction, slow, merge);
    }

    pub(super) fn modulo_constant(&mut self, op: Op, instruction: Instruction) {
        let constant = self.constant_number(instruction.c());
        if constant >= 1.0 && constant <= f64::from(i32::MAX) && constant.fract() == 0.0 {
            let divisor = constant as u32;
            if self.rounds && !divisor.is_power_of_two() {
                return self.constant_remainder(op, instruction, constant);
            }
            let divisor = if divisor.is_power_of_two() {
                Divisor::PowerOfTwo(divisor)
            } else {
                Divisor::Constant(divisor)
            };
            let lhs = self.float(instruction.b());
            self.whole_remainder(op, instruction, lhs, divisor);
        } else {
            self.translate_out_of_line(op, instruction);
        }
    }

    pub(super) fn modulo(&mut self, op: Op, instruction: Instruction) {
        let (lhs, rhs) = (self.float(instruction.b()), self.float(instruction.c()));
        self.whole_remainder(op, instruction, lhs, Divisor::Value(rhs));
    }

    pub(super) fn power_constant(&mut self, op: Op, instruction: Instruction) {
        if self.constant_number(instruction.c()) != 2.0 {
            return self.translate_out_of_line(op, instruction);
        }
        let base = self.float(instruction.b());
        let result = self.builder.ins().fmul(base, base);
        let slow = self.cold_block();
        let merge = self.merge_block(&[instruction.a()]);
        let is_ordered = self.builder.ins().fcmp(FloatCC::Ordered, result, result);
        self.require(is_ordered, slow);
        self.finish_fast(merge, instruction.a(), result);
        self.complete(op, instruction, slow, merge);
    }

    pub(super) fn negate(&mut self, op: Op, instruction: Instruction) {
        // `0 - x`: the negative of zero is zero.
        let operand = self.float(instruction.b());
        let zero = self.number(0.0);
        let result = self.builder.ins().fsub(zero, operand);
        if self.is_number(instruction.b()) {
            self.set(instruction.a(), result);
            return;
        }
        let slow = self.cold_block();
        let merge = self.merge_block(&[instruction.a()]);
        let is_ordered = self.builder.ins().fcmp(FloatCC::Ordered, result, result);
        self.require(is_ordered, slow);
        self.finish_fast(merge, instruction.a(), result);
        self.complete(op, instruction, slow, merge);
    }

    /// Goes to `otherwise` unless the word is that of 0 or 1; whether it is 1.
    fn crisp(&mut self, register: u16, otherwise: cranelift_codegen::ir::Block) -> Value {
        let bits = self.bits(register);
        let one = self.word(Word::ONE.bits());
        let is_one = self.builder.ins().icmp(IntCC::Equal, bits, one);
        let is_zero = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, bits, Word::ZERO.bits() as i64);
        let is_crisp = self.builder.ins().bor(is_one, is_zero);
        self.require(is_crisp, otherwise);
        is_one
    }

    /// 1 or 0 as a word.
    pub fn truth(&mut self, condition: Value) -> Value {
        let one = self.word(Word::ONE.bits());
        let zero = self.word(Word::ZERO.bits());
        self.builder.ins().select(condition, one, zero)
    }

    pub(super) fn not(&mut self, op: Op, instruction: Instruction) {
        let slow = self.cold_block();
        let merge = self.merge_block(&[instruction.a()]);
        let is_one = self.crisp(instruction.b(), slow);
        let (one, zero) = (self.word(Word::ONE.bits()), self.word(Word::ZERO.bits()));
        let result = self.builder.ins().select(is_one, zero, one);
        self.finish_fast(merge, instruction.a(), result);
        self.complete(op, instruction, slow, merge);
    }

    /// Fuzzy logic, where both operands are 0 or 1.
    pub(super) fn fuzzy(&mut self, op: Op, instruction: Instruction) {
        let slow = self.cold_block();
        let merge = self.merge_block(&[instruction.a()]);
        let lhs = self.crisp(instruction.b(), slow);
        let rhs = self.crisp(instruction.c(), slow);
        let both = if op == Op::And {
            self.builder.ins().band(lhs, rhs)
        } else {
            self.builder.ins().bor(lhs, rhs)
        };
        let result = self.truth(both);
        self.finish_fast(merge, instruction.a(), result);
        self.complete(op, instruction, slow, merge);
    }
}

/// What a whole number is divided by.
enum Divisor {
    PowerOfTwo(u32),
    Constant(u32),
    /// A double.
    Value(Value),
}
