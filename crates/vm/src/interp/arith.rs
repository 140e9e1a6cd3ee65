//! Arithmetic and logic.

use super::whole::to_i64;
use super::{Next, Operands, Site, State, Step, continue_at, finish, is_unsettled};
use crate::error::Fallible;
use crate::tier::Observed;
use crate::value::Value;
use crate::vm::Vm;

type Operation = fn(&mut Vm, Value, Value) -> Fallible<Value>;

/// An arithmetic instruction whose operands are not both numbers, or whose result is a NaN.
fn slow(vm: &mut Vm, site: Site, lhs: Value, rhs: Value, operation: Operation) -> Step {
    vm.frames.set_next(site.next);
    site.observe(observed_kinds(lhs) | observed_kinds(rhs));
    if (is_unsettled(lhs) || is_unsettled(rhs))
        && let Some(target) = site.code().block.invoke_path(site.position())
    {
        return continue_at(vm, site, target);
    }
    let result = operation(vm, lhs, rhs);
    finish(vm, site, result, false)
}

/// The slow path of an operation on two registers.
fn slow_registers<const OPERATION: usize>(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let (lhs, rhs) = (
        site.get(site.instruction.b()),
        site.get(site.instruction.c()),
    );
    slow(vm, site, lhs, rhs, OPERATIONS[OPERATION])
}

/// The slow path of an operation on a register and a constant.
fn slow_constant<const OPERATION: usize>(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let lhs = site.get(site.instruction.b());
    let rhs = site.constant(usize::from(site.instruction.c()));
    slow(vm, site, lhs, rhs, OPERATIONS[OPERATION])
}

/// The operations that slow paths are made for.
static OPERATIONS: [Operation; 8] = [
    Vm::add,
    Vm::subtract,
    Vm::multiply,
    Vm::divide,
    Vm::modulo,
    Vm::power,
    |vm, lhs, rhs| Ok(vm.and_values(lhs, rhs)),
    |vm, lhs, rhs| Ok(vm.or_values(lhs, rhs)),
];
const ADD: usize = 0;
const SUBTRACT: usize = 1;
const MULTIPLY: usize = 2;
const DIVIDE: usize = 3;
const MODULO: usize = 4;
const POWER: usize = 5;
const AND: usize = 6;
const OR: usize = 7;

/// The bits that the flag byte of an instruction collects: which kinds of operands it has seen.
pub(super) fn observed_kinds(value: Value) -> u8 {
    if value.is_number() {
        Observed::NUMBER
    } else if value.as_string().is_some() {
        Observed::STRING
    } else if value.as_list().is_some() {
        Observed::LIST
    } else if value.as_map().is_some() {
        Observed::MAP
    } else if value.is_function() {
        Observed::FUNCTION
    } else {
        Observed::OTHER
    }
}

/// Instructions whose numeric case is one floating-point operation: if both operands are numbers the result is one; a tagged
/// operand read as a double is a NaN, so one test of the result covers all other cases.
macro_rules! float_operation {
    ($($name:ident, $constant:ident, $operation:ident, $lhs:ident $op:tt $rhs:ident;)*) => {$(
        #[inline(always)]
        pub(super) fn $name(state: &mut State, instruction: Operands) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.b()), site.get(instruction.c()));
            let ($lhs, $rhs) = (lhs.number_or_nan(), rhs.number_or_nan());
            let result = $lhs $op $rhs;
            if !result.is_nan() {
                site.set(instruction.a(), Value::arithmetic(result));
                return Step::Continue;
            }
            Step::Slow(slow_registers::<$operation>)
        }

        #[inline(always)]
        pub(super) fn $constant(state: &mut State, instruction: Operands) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.b()), site.constant(instruction.c() as usize));
            let ($lhs, $rhs) = (lhs.number_or_nan(), rhs.number_or_nan());
            let result = $lhs $op $rhs;
            if !result.is_nan() {
                site.set(instruction.a(), Value::arithmetic(result));
                return Step::Continue;
            }
            Step::Slow(slow_constant::<$operation>)
        }
    )*};
}

float_operation! {
    add, add_constant, ADD, l + r;
    subtract, subtract_constant, SUBTRACT, l - r;
    multiply, multiply_constant, MULTIPLY, l * r;
    divide, divide_constant, DIVIDE, l / r;
}

/// Below 2^53 by more than the product in `quick_remainder` can exceed its left operand, so that this product is exact.
const REMAINDER_LIMIT: f64 = 9e15;

/// The remainder of a number that is not negative by a whole one, the usual case, without `fmod` or an integer division.
///
/// The quotient comes from the reciprocal, which can be computed while the left operand is still on its way. Two roundings
/// make it wrong by at most one; its product with the divisor is whole and below 2^53, so that and the differences are exact.
/// A zero keeps the sign of the left operand: `-0 - 0` is `-0`.
#[inline(always)]
pub(super) fn quick_remainder(lhs: f64, rhs: f64) -> Option<f64> {
    if lhs < rhs && lhs >= 0.0 {
        // As in `(i + 1) % n`, nearly always. Predicting the branch takes the rest from the path to the result.
        return Some(lhs);
    }
    let is_whole = to_i64(rhs) as f64 == rhs;
    let are_in_range =
        (0.0..REMAINDER_LIMIT).contains(&lhs) && (1.0..REMAINDER_LIMIT).contains(&rhs);
    if !is_whole || !are_in_range {
        return None;
    }
    let quotient = to_i64(lhs * (1.0 / rhs)) as f64;
    let remainder = lhs - quotient * rhs;
    if remainder < 0.0 {
        return Some(remainder + rhs);
    }
    if remainder >= rhs {
        return Some(remainder - rhs);
    }
    Some(remainder)
}

/// The power as far as it needs no library function.
#[inline(always)]
fn easy_power(base: f64, exponent: f64) -> Option<f64> {
    (exponent == 2.0 && !base.is_nan()).then_some(base * base)
}

/// Instructions whose numeric case is a function that leaves NaNs, and so operands that are no numbers, to the slow path.
macro_rules! number_operation {
    ($($name:ident, $constant:ident, $operation:ident, $function:path;)*) => {$(
        #[inline(always)]
        pub(super) fn $name(state: &mut State, instruction: Operands) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.b()), site.get(instruction.c()));
            if let Some(result) = $function(lhs.number_or_nan(), rhs.number_or_nan()) {
                site.set(instruction.a(), Value::arithmetic(result));
                return Step::Continue;
            }
            Step::Slow(slow_registers::<$operation>)
        }

        #[inline(always)]
        pub(super) fn $constant(state: &mut State, instruction: Operands) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.b()), site.constant(instruction.c() as usize));
            if let Some(result) = $function(lhs.number_or_nan(), rhs.number_or_nan()) {
                site.set(instruction.a(), Value::arithmetic(result));
                return Step::Continue;
            }
            Step::Slow(slow_constant::<$operation>)
        }
    )*};
}

number_operation! {
    modulo, modulo_constant, MODULO, quick_remainder;
    power, power_constant, POWER, easy_power;
}

#[inline(always)]
pub(super) fn negate(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let value = site.get(instruction.b());
    let result = 0.0 - value.number_or_nan();
    if !result.is_nan() {
        site.set(instruction.a(), Value::arithmetic(result));
        return Step::Continue;
    }
    Step::Slow(slow_negate)
}

fn slow_negate(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    slow(
        vm,
        site,
        Value::ZERO,
        site.get(site.instruction.b()),
        Vm::subtract,
    )
}

#[inline(always)]
pub(super) fn not(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let value = site.get(instruction.b());
    if value == Value::ONE || value == Value::ZERO {
        site.set(instruction.a(), Value::truth(value == Value::ZERO));
        return Step::Continue;
    }
    Step::Slow(slow_not)
}

fn slow_not(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let value = site.get(site.instruction.b());
    slow(vm, site, value, Value::NULL, |vm, value, _| {
        Ok(vm.not_value(value))
    })
}

/// Whether both are 0 or 1, as comparisons yield them: there fuzzy logic is ordinary logic.
#[inline(always)]
fn are_crisp(lhs: Value, rhs: Value) -> bool {
    (lhs == Value::ONE || lhs == Value::ZERO) && (rhs == Value::ONE || rhs == Value::ZERO)
}

#[inline(always)]
pub(super) fn and(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let (lhs, rhs) = (site.get(instruction.b()), site.get(instruction.c()));
    if are_crisp(lhs, rhs) {
        site.set(
            instruction.a(),
            Value::truth(lhs == Value::ONE && rhs == Value::ONE),
        );
        return Step::Continue;
    }
    Step::Slow(slow_registers::<AND>)
}

#[inline(always)]
pub(super) fn or(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let (lhs, rhs) = (site.get(instruction.b()), site.get(instruction.c()));
    if are_crisp(lhs, rhs) {
        site.set(
            instruction.a(),
            Value::truth(lhs == Value::ONE || rhs == Value::ONE),
        );
        return Step::Continue;
    }
    Step::Slow(slow_registers::<OR>)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_remainders_are_exact() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut number = || {
            let whole = random.u64(..1 << 53) >> random.u32(..53);
            whole as f64
        };
        let mut quick = 0;
        for _ in 0..200_000 {
            let (factor, divisor) = (number(), number());
            // Multiples of the divisor and their neighbours are where the quotient is rounded.
            for lhs in [factor, (factor * divisor).min(8.9e15)] {
                for lhs in [lhs - 1.0, lhs, lhs + 1.0, lhs - 0.5, lhs / 1024.0, -lhs] {
                    let Some(remainder) = quick_remainder(lhs, divisor) else {
                        continue;
                    };
                    quick += 1;
                    let expected = lhs % divisor;
                    assert_eq!(remainder.to_bits(), expected.to_bits(), "{lhs} % {divisor}");
                }
            }
        }
        assert!(quick > 1_000_000);
    }

    #[test]
    fn unusual_remainders_are_left_to_the_library() {
        for (lhs, rhs) in [
            (-7.0, 3.0),
            (7.0, -3.0),
            (7.0, 0.0),
            (7.0, 0.5),
            (7.5, 2.5),
            (1e16, 3.0),
            (1.5e16, 1e16),
            (f64::NAN, 3.0),
            (7.0, f64::NAN),
            (f64::INFINITY, 3.0),
        ] {
            assert_eq!(quick_remainder(lhs, rhs), None, "{lhs} % {rhs}");
        }
        assert_eq!(quick_remainder(7.5, 1e16), Some(7.5));
        assert_eq!(quick_remainder(7.0, f64::INFINITY), Some(7.0));
        let zero = quick_remainder(-0.0, 3.0).unwrap();
        assert!(zero == 0.0 && zero.is_sign_negative());
    }
}
