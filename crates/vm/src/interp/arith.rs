//! Arithmetic and logic.

use kiln_bytecode::Instruction;

use super::whole::to_i64;
use super::{Next, Site, State, Step, finish, is_unsettled};
use crate::error::Fallible;
use crate::value::Value;
use crate::vm::Vm;

type Operation = fn(&mut Vm, Value, Value) -> Fallible<Value>;

/// An arithmetic instruction whose operands are not both numbers, or whose result is a NaN.
fn slow(vm: &mut Vm, site: Site, lhs: Value, rhs: Value, operation: Operation) -> Step {
    vm.frames.set_next(site.next);
    site.observe(observed_kinds(lhs) | observed_kinds(rhs));
    let has_function = is_unsettled(lhs) || is_unsettled(rhs);
    if has_function && site.code().block.invoke_path(site.position()).is_some() {
        return finish(vm, site, Ok(Value::NULL), true);
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
            Step::Slow(slow_registers::<$operation>)
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

/// The remainder of whole numbers of up to 53 bits, the usual case, for which `fmod` would be slow. A zero result keeps the sign of
/// the left operand, so negative left operands take the general way.
#[inline(always)]
fn whole_remainder(lhs: f64, rhs: f64) -> Option<f64> {
    let (a, b) = (to_i64(lhs), to_i64(rhs));
    let is_whole = a as f64 == lhs && b as f64 == rhs;
    if !is_whole || a < 0 || b <= 0 || a >= 1 << 53 || lhs.is_sign_negative() {
        return None;
    }
    // Dividing takes an order of magnitude longer than the rest.
    if b & (b - 1) == 0 {
        return Some((a & (b - 1)) as f64);
    }
    if (a | b) >> 32 == 0 {
        return Some(f64::from(a as u32 % b as u32));
    }
    Some((a % b) as f64)
}

/// The power as far as it needs no library function.
#[inline(always)]
fn easy_power(base: f64, exponent: f64) -> Option<f64> {
    (exponent == 2.0 && !base.is_nan()).then_some(base * base)
}

macro_rules! number_operation {
    ($($name:ident, $constant:ident, $operation:ident, $function:path;)*) => {$(
        #[inline(always)]
        pub(super) fn $name(state: &mut State, instruction: Instruction) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.b()), site.get(instruction.c()));
            if lhs.is_number()
                && rhs.is_number()
                && let Some(result) = $function(lhs.number_or_nan(), rhs.number_or_nan())
            {
                site.set(instruction.a(), Value::arithmetic(result));
                return Step::Continue;
            }
            Step::Slow(slow_registers::<$operation>)
        }

        #[inline(always)]
        pub(super) fn $constant(state: &mut State, instruction: Instruction) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.b()), site.constant(instruction.c() as usize));
            if lhs.is_number()
                && let Some(result) = $function(lhs.number_or_nan(), rhs.number_or_nan())
            {
                site.set(instruction.a(), Value::arithmetic(result));
                return Step::Continue;
            }
            Step::Slow(slow_constant::<$operation>)
        }
    )*};
}

number_operation! {
    modulo, modulo_constant, MODULO, whole_remainder;
    power, power_constant, POWER, easy_power;
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
pub(super) fn not(state: &mut State, instruction: Instruction) -> Step {
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
pub(super) fn and(state: &mut State, instruction: Instruction) -> Step {
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
pub(super) fn or(state: &mut State, instruction: Instruction) -> Step {
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
