//! Arithmetic and logic.

use kiln_bytecode::Instruction;

use super::{Next, Site, State, Step, finish};
use crate::error::Fallible;
use crate::value::Value;
use crate::vm::Vm;

type Operation = fn(&mut Vm, Value, Value) -> Fallible<Value>;

#[inline(never)]
fn slow(vm: &mut Vm, next: Next, lhs: Value, rhs: Value, operation: Operation) -> Step {
    let site = Site::at(vm, next);
    vm.frames.set_next(site.next);
    site.observe(observed_kinds(lhs) | observed_kinds(rhs));
    let has_function = lhs.is_function() || rhs.is_function();
    if has_function && site.code().block.invoke_path(site.position()).is_some() {
        return finish(vm, site, Ok(Value::NULL), true);
    }
    let result = operation(vm, lhs, rhs);
    finish(vm, site, result, false)
}

/// The bits that the flag byte of an instruction collects: which kinds of operands it has seen.
pub(super) fn observed_kinds(value: Value) -> u8 {
    if value.is_number() {
        1
    } else if value.as_string().is_some() {
        2
    } else if value.as_list().is_some() {
        4
    } else if value.as_map().is_some() {
        8
    } else if value.is_function() {
        16
    } else {
        32
    }
}

/// Instructions whose numeric case is one floating-point operation: if both operands are numbers the result is one; a tagged
/// operand read as a double is a NaN, so one test of the result covers all other cases.
macro_rules! float_operation {
    ($($name:ident, $constant:ident, $operation:ident, $lhs:ident $op:tt $rhs:ident;)*) => {$(
        #[inline(always)]
        pub(super) fn $name(state: &mut State, instruction: Instruction) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.b()), site.get(instruction.c()));
            let ($lhs, $rhs) = (lhs.number_or_nan(), rhs.number_or_nan());
            let result = $lhs $op $rhs;
            if !result.is_nan() {
                site.set(instruction.a(), Value::arithmetic(result));
                return Step::Continue;
            }
            slow(state.vm, state.next, lhs, rhs, Vm::$operation)
        }

        #[inline(always)]
        pub(super) fn $constant(state: &mut State, instruction: Instruction) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.b()), site.constant(instruction.c() as usize));
            let ($lhs, $rhs) = (lhs.number_or_nan(), rhs.number_or_nan());
            let result = $lhs $op $rhs;
            if !result.is_nan() {
                site.set(instruction.a(), Value::arithmetic(result));
                return Step::Continue;
            }
            slow(state.vm, state.next, lhs, rhs, Vm::$operation)
        }
    )*};
}

float_operation! {
    add, add_constant, add, l + r;
    subtract, subtract_constant, subtract, l - r;
    multiply, multiply_constant, multiply, l * r;
    divide, divide_constant, divide, l / r;
}

/// The remainder as C's `fmod` has it.
///
/// `fmod` is slow; whole numbers of up to 53 bits, the usual case, go through integers. A zero result keeps the sign of the left
/// operand, so negative left operands take the general way.
#[inline(always)]
pub(crate) fn remainder(lhs: f64, rhs: f64) -> f64 {
    let (a, b) = (lhs as i64, rhs as i64);
    if a as f64 == lhs
        && b as f64 == rhs
        && a >= 0
        && b > 0
        && a < 1 << 53
        && b < 1 << 53
        && lhs.is_sign_positive()
    {
        if (a | b) >> 32 == 0 {
            return f64::from(a as u32 % b as u32);
        }
        return (a % b) as f64;
    }
    lhs % rhs
}

macro_rules! number_operation {
    ($($name:ident, $constant:ident, $operation:ident, $function:path;)*) => {$(
        #[inline(always)]
        pub(super) fn $name(state: &mut State, instruction: Instruction) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.b()), site.get(instruction.c()));
            if lhs.is_number() && rhs.is_number() {
                site.set(instruction.a(), Value::number($function(lhs.number_or_nan(), rhs.number_or_nan())));
                return Step::Continue;
            }
            slow(state.vm, state.next, lhs, rhs, Vm::$operation)
        }

        #[inline(always)]
        pub(super) fn $constant(state: &mut State, instruction: Instruction) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.b()), site.constant(instruction.c() as usize));
            if lhs.is_number() {
                site.set(instruction.a(), Value::number($function(lhs.number_or_nan(), rhs.number_or_nan())));
                return Step::Continue;
            }
            slow(state.vm, state.next, lhs, rhs, Vm::$operation)
        }
    )*};
}

number_operation! {
    modulo, modulo_constant, modulo, remainder;
    power, power_constant, power, crate::semantics::arith::power_of_numbers;
}

#[inline(always)]
pub(super) fn negate(state: &mut State, instruction: Instruction) -> Step {
    let site = state.site(instruction);
    let value = site.get(instruction.b());
    let result = 0.0 - value.number_or_nan();
    if !result.is_nan() {
        site.set(instruction.a(), Value::arithmetic(result));
        return Step::Continue;
    }
    slow(state.vm, state.next, Value::ZERO, value, Vm::subtract)
}

#[inline(always)]
pub(super) fn not(state: &mut State, instruction: Instruction) -> Step {
    let site = state.site(instruction);
    let value = site.get(instruction.b());
    if value == Value::ONE || value == Value::ZERO {
        site.set(instruction.a(), Value::truth(value == Value::ZERO));
        return Step::Continue;
    }
    slow(state.vm, state.next, value, Value::NULL, |vm, value, _| {
        Ok(vm.not_value(value))
    })
}

#[inline(always)]
pub(super) fn and(state: &mut State, instruction: Instruction) -> Step {
    let site = state.site(instruction);
    let (lhs, rhs) = (site.get(instruction.b()), site.get(instruction.c()));
    slow(state.vm, state.next, lhs, rhs, |vm, lhs, rhs| {
        Ok(vm.and_values(lhs, rhs))
    })
}

#[inline(always)]
pub(super) fn or(state: &mut State, instruction: Instruction) -> Step {
    let site = state.site(instruction);
    let (lhs, rhs) = (site.get(instruction.b()), site.get(instruction.c()));
    slow(state.vm, state.next, lhs, rhs, |vm, lhs, rhs| {
        Ok(vm.or_values(lhs, rhs))
    })
}
