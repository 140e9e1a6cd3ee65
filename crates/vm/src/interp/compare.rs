//! Comparisons, as values and fused with branches.

use kiln_bytecode::Instruction;

use super::arith::observed_kinds;
use super::{Next, Site, State, Step, continue_at, finish};
use crate::error::Fallible;
use crate::value::Value;
use crate::vm::Vm;

type Comparison = fn(&mut Vm, Value, Value) -> Fallible<Value>;

#[inline(never)]
fn slow_value(vm: &mut Vm, next: Next, lhs: Value, rhs: Value, comparison: Comparison) -> Step {
    let site = Site::at(vm, next);
    vm.frames.set_next(site.next);
    site.observe(observed_kinds(lhs) | observed_kinds(rhs));
    if (lhs.is_function() || rhs.is_function())
        && site.code().block.invoke_path(site.position()).is_some()
    {
        return finish(vm, site, Ok(Value::NULL), true);
    }
    let result = comparison(vm, lhs, rhs);
    finish(vm, site, result, false)
}

/// `wanted`: whether the jump is taken if the comparison is true.
#[inline(never)]
fn slow_jump(
    vm: &mut Vm,
    next: Next,
    lhs: Value,
    rhs: Value,
    comparison: Comparison,
    wanted: bool,
) -> Step {
    let site = Site::at(vm, next);
    vm.frames.set_next(site.next);
    site.observe(observed_kinds(lhs) | observed_kinds(rhs));
    let invoke_path = || site.code().block.invoke_path(site.position());
    if (lhs.is_function() || rhs.is_function())
        && let Some(target) = invoke_path()
    {
        return continue_at(vm, site, target);
    }
    match comparison(vm, lhs, rhs) {
        Ok(result) if vm.is_true(result) == wanted => {
            let distance = site.instruction.c() as i16;
            continue_at(
                vm,
                site,
                (i64::from(site.position()) + 1 + i64::from(distance)) as u32,
            )
        }
        Ok(_) => Step::Continue,
        Err(throw) => match invoke_path() {
            Some(target) => continue_at(vm, site, target),
            None => Step::Throw(throw),
        },
    }
}

macro_rules! comparison {
    ($($value:ident, $jump_if:ident, $jump_if_not:ident, $jump_if_constant:ident, $jump_if_not_constant:ident, $operation:ident, $op:tt;)*) => {$(
        #[inline(always)]
        pub(super) fn $value(state: &mut State, instruction: Instruction) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.b()), site.get(instruction.c()));
            if lhs.is_number() && rhs.is_number() {
                site.set(instruction.a(), Value::truth(lhs.number_or_nan() $op rhs.number_or_nan()));
                return Step::Continue;
            }
            slow_value(state.vm, state.next, lhs, rhs, Vm::$operation)
        }

        #[inline(always)]
        pub(super) fn $jump_if(state: &mut State, instruction: Instruction) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.a()), site.get(instruction.b()));
            if lhs.is_number() && rhs.is_number() {
                if lhs.number_or_nan() $op rhs.number_or_nan() {
                    state.jump(instruction.c() as i16 as isize);
                }
                return Step::Continue;
            }
            slow_jump(state.vm, state.next, lhs, rhs, Vm::$operation, true)
        }

        #[inline(always)]
        pub(super) fn $jump_if_not(state: &mut State, instruction: Instruction) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.a()), site.get(instruction.b()));
            if lhs.is_number() && rhs.is_number() {
                if !(lhs.number_or_nan() $op rhs.number_or_nan()) {
                    state.jump(instruction.c() as i16 as isize);
                }
                return Step::Continue;
            }
            slow_jump(state.vm, state.next, lhs, rhs, Vm::$operation, false)
        }

        #[inline(always)]
        pub(super) fn $jump_if_constant(state: &mut State, instruction: Instruction) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.a()), site.constant(instruction.b() as usize));
            if lhs.is_number() {
                if lhs.number_or_nan() $op rhs.number_or_nan() {
                    state.jump(instruction.c() as i16 as isize);
                }
                return Step::Continue;
            }
            slow_jump(state.vm, state.next, lhs, rhs, Vm::$operation, true)
        }

        #[inline(always)]
        pub(super) fn $jump_if_not_constant(state: &mut State, instruction: Instruction) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.a()), site.constant(instruction.b() as usize));
            if lhs.is_number() {
                if !(lhs.number_or_nan() $op rhs.number_or_nan()) {
                    state.jump(instruction.c() as i16 as isize);
                }
                return Step::Continue;
            }
            slow_jump(state.vm, state.next, lhs, rhs, Vm::$operation, false)
        }
    )*};
}

comparison! {
    equal, jump_if_equal, jump_if_not_equal, jump_if_equal_constant, jump_if_not_equal_constant, equal_values, ==;
    not_equal, jump_if_different, jump_if_not_different, jump_if_different_constant, jump_if_not_different_constant, unequal_values, !=;
    less, jump_if_less, jump_if_not_less, jump_if_less_constant, jump_if_not_less_constant, less_values, <;
    less_equal, jump_if_less_equal, jump_if_not_less_equal, jump_if_less_equal_constant, jump_if_not_less_equal_constant, less_equal_values, <=;
    greater, jump_if_greater, jump_if_not_greater, jump_if_greater_constant, jump_if_not_greater_constant, greater_values, >;
    greater_equal, jump_if_greater_equal, jump_if_not_greater_equal, jump_if_greater_equal_constant, jump_if_not_greater_equal_constant, greater_equal_values, >=;
}

#[inline(always)]
pub(super) fn isa(state: &mut State, instruction: Instruction) -> Step {
    let site = state.site(instruction);
    let (lhs, rhs) = (site.get(instruction.b()), site.get(instruction.c()));
    slow_value(state.vm, state.next, lhs, rhs, Vm::isa_values)
}
