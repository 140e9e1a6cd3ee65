//! Arithmetic, logic, changes of representation.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, Value as ClifValue, types};
use kiln_ssa::ir::{FrameId, Node, Value};
use kiln_vm::tier::{self, ExitKind};

use super::lower::Lowering;
use crate::emit::Emit;

/// Integers beyond this are not all doubles.
const EXACT: i64 = 1 << 53;

impl Lowering<'_, '_> {
    /// Lowers an instruction of this family; none if it is of another.
    pub(super) fn lower_arithmetic(&mut self, node: &Node) -> Option<ClifValue> {
        Some(match *node {
            Node::AddF64 { lhs, rhs } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                self.builder.ins().fadd(lhs, rhs)
            }
            Node::SubtractF64 { lhs, rhs } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                self.builder.ins().fsub(lhs, rhs)
            }
            Node::MultiplyF64 { lhs, rhs } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                self.builder.ins().fmul(lhs, rhs)
            }
            Node::DivideF64 { lhs, rhs } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                self.builder.ins().fdiv(lhs, rhs)
            }
            Node::RemainderF64 { lhs, rhs } => self.remainder(lhs, rhs),
            Node::PowerF64 { lhs, rhs } => {
                if self.known_number(rhs) == Some(2.0) {
                    let base = self.value(lhs);
                    self.builder.ins().fmul(base, base)
                } else {
                    let (lhs, rhs) = self.pair(lhs, rhs);
                    self.call_floats(tier::power as *const (), lhs, rhs)
                }
            }
            Node::FloorF64 { value } => {
                let value = self.value(value);
                self.builder.ins().floor(value)
            }
            Node::SquareRootF64 { value } => {
                let value = self.value(value);
                self.builder.ins().sqrt(value)
            }
            Node::AbsoluteF64 { value } => {
                let value = self.value(value);
                self.builder.ins().fabs(value)
            }
            Node::AndF64 { lhs, rhs } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                let product = self.builder.ins().fmul(lhs, rhs);
                self.degree(product)
            }
            Node::OrF64 { lhs, rhs } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                let product = self.builder.ins().fmul(lhs, rhs);
                let sum = self.builder.ins().fadd(lhs, rhs);
                let sum = self.builder.ins().fsub(sum, product);
                self.degree(sum)
            }
            Node::NotF64 { value } => {
                let value = self.value(value);
                let degree = self.degree(value);
                let one = self.float(1.0);
                self.builder.ins().fsub(one, degree)
            }
            Node::AddI64 { lhs, rhs } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                self.builder.ins().iadd(lhs, rhs)
            }
            Node::SubtractI64 { lhs, rhs } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                self.builder.ins().isub(lhs, rhs)
            }
            Node::MultiplyI64 { lhs, rhs } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                self.builder.ins().imul(lhs, rhs)
            }
            Node::RemainderI64 { lhs, rhs } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                self.builder.ins().urem(lhs, rhs)
            }
            Node::AddI64Checked { lhs, rhs, frame } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                let sum = self.builder.ins().iadd(lhs, rhs);
                self.exact(sum, frame)
            }
            Node::SubtractI64Checked { lhs, rhs, frame } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                let difference = self.builder.ins().isub(lhs, rhs);
                self.exact(difference, frame)
            }
            Node::MultiplyI64Checked { lhs, rhs, frame } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                let exit = self.exit(frame, ExitKind::Guard);
                let (product, overflow) = self.builder.ins().smul_overflow(lhs, rhs);
                self.refuse(overflow, exit);
                let product = self.exact(product, frame);
                self.refuse_negative_zero(product, lhs, rhs, exit);
                product
            }
            Node::RemainderI64Checked { lhs, rhs, frame } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                let exit = self.exit(frame, ExitKind::Guard);
                let is_negative = self.builder.ins().icmp_imm_s(IntCC::SignedLessThan, lhs, 0);
                self.refuse(is_negative, exit);
                let is_positive = self
                    .builder
                    .ins()
                    .icmp_imm_s(IntCC::SignedGreaterThan, rhs, 0);
                self.require(is_positive, exit);
                self.builder.ins().urem(lhs, rhs)
            }
            Node::AddI32Checked { lhs, rhs, frame } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                let exit = self.exit(frame, ExitKind::Guard);
                let (sum, overflow) = self.builder.ins().sadd_overflow(lhs, rhs);
                self.refuse(overflow, exit);
                sum
            }
            Node::SubtractI32Checked { lhs, rhs, frame } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                let exit = self.exit(frame, ExitKind::Guard);
                let (difference, overflow) = self.builder.ins().ssub_overflow(lhs, rhs);
                self.refuse(overflow, exit);
                difference
            }
            Node::MultiplyI32Checked { lhs, rhs, frame } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                let exit = self.exit(frame, ExitKind::Guard);
                let (product, overflow) = self.builder.ins().smul_overflow(lhs, rhs);
                self.refuse(overflow, exit);
                self.refuse_negative_zero(product, lhs, rhs, exit);
                product
            }
            Node::BoxF64 { value } => {
                let value = self.value(value);
                self.bits_of(value)
            }
            Node::UnboxF64 { value } => {
                let value = self.value(value);
                self.float_of(value)
            }
            Node::TruthToF64 { value } => {
                let value = self.value(value);
                let (one, zero) = (self.float(1.0), self.float(0.0));
                self.builder.ins().select(value, one, zero)
            }
            Node::I64ToF64 { value } | Node::I32ToF64 { value } => {
                let value = self.value(value);
                self.builder.ins().fcvt_from_sint(types::F64, value)
            }
            Node::I32ToI64 { value } => {
                let value = self.value(value);
                self.builder.ins().sextend(types::I64, value)
            }
            Node::F64ToI64 { value, frame } => {
                let number = self.value(value);
                let exit = self.exit(frame, ExitKind::Guard);
                let whole = self.builder.ins().fcvt_to_sint_sat(types::I64, number);
                let back = self.builder.ins().fcvt_from_sint(types::F64, whole);
                let same = self.builder.ins().fcmp(FloatCC::Equal, back, number);
                self.require(same, exit);
                self.refuse_signed_zero(number, whole, exit);
                self.exact(whole, frame)
            }
            Node::F64ToI32 { value, frame } => {
                let number = self.value(value);
                let exit = self.exit(frame, ExitKind::Guard);
                let whole = self.whole_number(number, exit);
                self.refuse_signed_zero(number, whole, exit);
                whole
            }
            Node::F64ToIndex { value, frame } => {
                let number = self.value(value);
                let exit = self.exit(frame, ExitKind::Guard);
                let whole = self.whole_number(number, exit);
                self.builder.ins().sextend(types::I64, whole)
            }
            _ => return None,
        })
    }

    pub(super) fn pair(&mut self, lhs: Value, rhs: Value) -> (ClifValue, ClifValue) {
        (self.value(lhs), self.value(rhs))
    }

    fn call_floats(&mut self, function: *const (), lhs: ClifValue, rhs: ClifValue) -> ClifValue {
        let function = self.word(function as u64);
        let call = self
            .builder
            .ins()
            .call_indirect(self.signatures.floats, function, &[lhs, rhs]);
        self.builder.inst_results(call)[0]
    }

    /// A degree of truth: the magnitude, cut to at most 1.
    fn degree(&mut self, number: ClifValue) -> ClifValue {
        let magnitude = self.builder.ins().fabs(number);
        let one = self.float(1.0);
        let is_above = self
            .builder
            .ins()
            .fcmp(FloatCC::GreaterThan, magnitude, one);
        let one = self.float(1.0);
        self.builder.ins().select(is_above, one, magnitude)
    }

    /// Exits unless an integer is within ±2^53.
    fn exact(&mut self, value: ClifValue, frame: FrameId) -> ClifValue {
        let exit = self.exit(frame, ExitKind::Guard);
        let shifted = self.builder.ins().iadd_imm_s(value, EXACT);
        let limit = self.word(2 * EXACT as u64);
        let fits = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThanOrEqual, shifted, limit);
        self.require(fits, exit);
        value
    }

    /// A product of zero is -0 if a factor is negative.
    fn refuse_negative_zero(
        &mut self,
        product: ClifValue,
        lhs: ClifValue,
        rhs: ClifValue,
        exit: cranelift_codegen::ir::Block,
    ) {
        let (zero, done) = (self.cold_block(), self.builder.create_block());
        self.builder.ins().brif(product, done, &[], zero, &[]);
        self.builder.switch_to_block(zero);
        let either = self.builder.ins().bor(lhs, rhs);
        let is_negative = self
            .builder
            .ins()
            .icmp_imm_s(IntCC::SignedLessThan, either, 0);
        self.builder.ins().brif(is_negative, exit, &[], done, &[]);
        self.builder.switch_to_block(done);
    }

    /// Exits if a double that is a whole number is -0.
    fn refuse_signed_zero(
        &mut self,
        number: ClifValue,
        whole: ClifValue,
        exit: cranelift_codegen::ir::Block,
    ) {
        let (zero, done) = (self.cold_block(), self.builder.create_block());
        self.builder.ins().brif(whole, done, &[], zero, &[]);
        self.builder.switch_to_block(zero);
        let bits = self.bits_of(number);
        self.builder.ins().brif(bits, exit, &[], done, &[]);
        self.builder.switch_to_block(done);
    }

    /// The remainder: of whole numbers below 2^31 by an integer division, else by the runtime.
    fn remainder(&mut self, lhs: Value, rhs: Value) -> ClifValue {
        let (dividend, divisor) = self.pair(lhs, rhs);
        let general = self.cold_block();
        let done = self.builder.create_block();
        self.builder.append_block_param(done, types::F64);
        let whole = self.whole_number(dividend, general);
        let bits = self.bits_of(dividend);
        let is_positive = self
            .builder
            .ins()
            .icmp_imm_s(IntCC::SignedGreaterThanOrEqual, bits, 0);
        self.require(is_positive, general);
        let remainder = match self.known_number(rhs) {
            Some(known) if known >= 1.0 && known <= f64::from(i32::MAX) && known.fract() == 0.0 => {
                self.remainder_by(whole, known as u32)
            }
            _ => {
                let divisor = self.whole_number(divisor, general);
                let is_positive =
                    self.builder
                        .ins()
                        .icmp_imm_s(IntCC::SignedGreaterThan, divisor, 0);
                self.require(is_positive, general);
                self.builder.ins().urem(whole, divisor)
            }
        };
        let result = self.builder.ins().fcvt_from_sint(types::F64, remainder);
        self.builder.ins().jump(done, &[result.into()]);
        self.builder.switch_to_block(general);
        if self
            .known_number(rhs)
            .is_some_and(|known| known >= 1.0 && known < EXACT as f64 && known.fract() == 0.0)
        {
            let result = self.exact_remainder(dividend, divisor);
            self.builder.ins().jump(done, &[result.into()]);
            self.builder.switch_to_block(done);
            return self.builder.block_params(done)[0];
        }
        let result = self.call_floats(tier::remainder as *const (), dividend, divisor);
        self.builder.ins().jump(done, &[result.into()]);
        self.builder.switch_to_block(done);
        self.builder.block_params(done)[0]
    }

    /// The remainder by a positive whole number, without an integer division: for whole dividends from 0 to 2^53 quotient, product and
    /// difference are exact but for a quotient that may be rounded up by one. Others are left to the runtime.
    fn exact_remainder(&mut self, dividend: ClifValue, divisor: ClifValue) -> ClifValue {
        let runtime = self.cold_block();
        let done = self.builder.create_block();
        self.builder.append_block_param(done, types::F64);
        let bits = self.bits_of(dividend);
        let is_positive = self
            .builder
            .ins()
            .icmp_imm_s(IntCC::SignedGreaterThanOrEqual, bits, 0);
        self.require(is_positive, runtime);
        let limit = self.float(EXACT as f64);
        let is_exact = self.builder.ins().fcmp(FloatCC::LessThan, dividend, limit);
        self.require(is_exact, runtime);
        let whole = self.builder.ins().trunc(dividend);
        let is_whole = self.builder.ins().fcmp(FloatCC::Equal, whole, dividend);
        self.require(is_whole, runtime);
        let quotient = self.builder.ins().fdiv(dividend, divisor);
        let quotient = self.builder.ins().trunc(quotient);
        let product = self.builder.ins().fmul(quotient, divisor);
        let rest = self.builder.ins().fsub(dividend, product);
        let zero = self.float(0.0);
        let is_below = self.builder.ins().fcmp(FloatCC::LessThan, rest, zero);
        let raised = self.builder.ins().fadd(rest, divisor);
        let rest = self.builder.ins().select(is_below, raised, rest);
        self.builder.ins().jump(done, &[rest.into()]);
        self.builder.switch_to_block(runtime);
        let result = self.call_floats(tier::remainder as *const (), dividend, divisor);
        self.builder.ins().jump(done, &[result.into()]);
        self.builder.switch_to_block(done);
        self.builder.block_params(done)[0]
    }

    /// The remainder of a number of 31 bits by a constant, without dividing (Granlund and Montgomery 1994): floor(n * m / 2^62) with
    /// m = floor(2^62 / d) + 1 is exact for such dividends.
    fn remainder_by(&mut self, dividend: ClifValue, divisor: u32) -> ClifValue {
        if divisor.is_power_of_two() {
            return self
                .builder
                .ins()
                .band_imm_u(dividend, i64::from(divisor - 1));
        }
        let wide = self.builder.ins().uextend(types::I64, dividend);
        let magic = self.word((1u64 << 62) / u64::from(divisor) + 1);
        let high = self.builder.ins().umulhi(wide, magic);
        let low = self.builder.ins().imul(wide, magic);
        let high = self.builder.ins().ishl_imm_u(high, 2);
        let low = self.builder.ins().ushr_imm_u(low, 62);
        let quotient = self.builder.ins().bor(high, low);
        let product = self.builder.ins().imul_imm_u(quotient, i64::from(divisor));
        let remainder = self.builder.ins().isub(wide, product);
        self.builder.ins().ireduce(types::I32, remainder)
    }
}
