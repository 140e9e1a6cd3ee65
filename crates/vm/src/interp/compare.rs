//! Comparisons, as values and fused with branches.

use super::arith::observed_kinds;
use super::loops::{count_pass, jump_short};
use super::{Next, Operands, Site, State, Step, continue_at, finish, is_unsettled};
use crate::error::Fallible;
use crate::value::Value;
use crate::vm::Vm;

type Comparison = fn(&mut Vm, Value, Value) -> Fallible<Value>;

/// The comparisons that slow paths are made for.
static COMPARISONS: [Comparison; 7] = [
    Vm::equal_values,
    Vm::unequal_values,
    Vm::less_values,
    Vm::less_equal_values,
    Vm::greater_values,
    Vm::greater_equal_values,
    Vm::isa_values,
];
const EQUAL: usize = 0;
const DIFFERENT: usize = 1;
const LESS: usize = 2;
const LESS_EQUAL: usize = 3;
const GREATER: usize = 4;
const GREATER_EQUAL: usize = 5;
const ISA: usize = 6;

/// A comparison as a value whose operands are not both numbers.
fn slow_value<const COMPARISON: usize>(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    vm.frames.set_next(next);
    let (lhs, rhs) = (
        site.get(site.instruction.b()),
        site.get(site.instruction.c()),
    );
    site.observe(observed_kinds(lhs) | observed_kinds(rhs));
    if (is_unsettled(lhs) || is_unsettled(rhs))
        && site.code().block.invoke_path(site.position()).is_some()
    {
        return finish(vm, site, Ok(Value::NULL), true);
    }
    let result = COMPARISONS[COMPARISON](vm, lhs, rhs);
    finish(vm, site, result, false)
}

/// A fused comparison and branch whose operands are not both numbers. `WANTED`: whether the jump is taken if the comparison is
/// true. `CONSTANT`: the right operand is a constant.
fn slow_jump<const COMPARISON: usize, const WANTED: bool, const CONSTANT: bool>(
    vm: &mut Vm,
    next: Next,
) -> Step {
    let site = Site::at(vm, next);
    let (lhs, rhs) = branch_operands::<CONSTANT>(site);
    site.observe(observed_kinds(lhs) | observed_kinds(rhs));
    match decide(vm, site, lhs, rhs, COMPARISONS[COMPARISON]) {
        Ok(truth) if truth == WANTED => jump_short(vm, site),
        Ok(_) => Step::Continue,
        Err(step) => step,
    }
}

/// The end of a pass whose comparison is not one of two numbers.
fn slow_loop<const COMPARISON: usize, const CONSTANT: bool>(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let (lhs, rhs) = branch_operands::<CONSTANT>(site);
    match decide(vm, site, lhs, rhs, COMPARISONS[COMPARISON]) {
        Ok(true) => {
            if count_pass(site) || vm.frames.is_requested() {
                return Step::Pass;
            }
            jump_short(vm, site)
        }
        Ok(false) => Step::Continue,
        Err(step) => step,
    }
}

fn branch_operands<const CONSTANT: bool>(site: Site) -> (Value, Value) {
    let (lhs, rhs) = (site.instruction.a(), site.instruction.b());
    let rhs = match CONSTANT {
        true => site.constant(usize::from(rhs)),
        false => site.get(rhs),
    };
    (site.get(lhs), rhs)
}

/// The truth of a comparison, or how to go on without it.
fn decide(
    vm: &mut Vm,
    site: Site,
    lhs: Value,
    rhs: Value,
    comparison: Comparison,
) -> Result<bool, Step> {
    vm.frames.set_next(site.next);
    let invoke_path = || site.code().block.invoke_path(site.position());
    if (is_unsettled(lhs) || is_unsettled(rhs))
        && let Some(target) = invoke_path()
    {
        return Err(continue_at(vm, site, target));
    }
    match comparison(vm, lhs, rhs) {
        Ok(result) => Ok(vm.is_true(result)),
        Err(throw) => Err(match invoke_path() {
            Some(target) => continue_at(vm, site, target),
            None => Step::Throw(throw),
        }),
    }
}

/// The next pass of a loop.
#[inline(always)]
fn pass(state: &mut State, instruction: Operands) -> Step {
    if count_pass(state.site(instruction)) || state.vm.frames.is_requested() {
        return Step::Pass;
    }
    state.jump(instruction.c() as i16 as isize);
    Step::Continue
}

/// Both numbers, if neither is a NaN. One test decides, because a value that is no number is a NaN here.
#[inline(always)]
fn ordered(lhs: Value, rhs: Value) -> Option<(f64, f64)> {
    let (lhs, rhs) = (lhs.number_or_nan(), rhs.number_or_nan());
    (!lhs.is_nan() && !rhs.is_nan()).then_some((lhs, rhs))
}

macro_rules! comparison {
    ($($value:ident, $jump_if:ident, $jump_if_not:ident, $jump_if_constant:ident, $jump_if_not_constant:ident, $loop_if:ident, $loop_if_constant:ident, $operation:ident, $op:tt;)*) => {$(
        #[inline(always)]
        pub(super) fn $value(state: &mut State, instruction: Operands) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.b()), site.get(instruction.c()));
            if let Some((l, r)) = ordered(lhs, rhs) {
                site.set(instruction.a(), Value::truth(l $op r));
                return Step::Continue;
            }
            Step::Slow(slow_value::<$operation>)
        }

        #[inline(always)]
        pub(super) fn $jump_if(state: &mut State, instruction: Operands) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.a()), site.get(instruction.b()));
            if let Some((l, r)) = ordered(lhs, rhs) {
                if l $op r {
                    state.jump(instruction.c() as i16 as isize);
                }
                return Step::Continue;
            }
            Step::Slow(slow_jump::<$operation, true, false>)
        }

        #[inline(always)]
        pub(super) fn $jump_if_not(state: &mut State, instruction: Operands) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.a()), site.get(instruction.b()));
            if let Some((l, r)) = ordered(lhs, rhs) {
                let holds = l $op r;
                if !holds {
                    state.jump(instruction.c() as i16 as isize);
                }
                return Step::Continue;
            }
            Step::Slow(slow_jump::<$operation, false, false>)
        }

        #[inline(always)]
        pub(super) fn $jump_if_constant(state: &mut State, instruction: Operands) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.a()), site.constant(instruction.b() as usize));
            if let Some((l, r)) = ordered(lhs, rhs) {
                if l $op r {
                    state.jump(instruction.c() as i16 as isize);
                }
                return Step::Continue;
            }
            Step::Slow(slow_jump::<$operation, true, true>)
        }

        #[inline(always)]
        pub(super) fn $jump_if_not_constant(state: &mut State, instruction: Operands) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.a()), site.constant(instruction.b() as usize));
            if let Some((l, r)) = ordered(lhs, rhs) {
                let holds = l $op r;
                if !holds {
                    state.jump(instruction.c() as i16 as isize);
                }
                return Step::Continue;
            }
            Step::Slow(slow_jump::<$operation, false, true>)
        }

        #[inline(always)]
        pub(super) fn $loop_if(state: &mut State, instruction: Operands) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.a()), site.get(instruction.b()));
            if let Some((l, r)) = ordered(lhs, rhs) {
                if l $op r {
                    return pass(state, instruction);
                }
                return Step::Continue;
            }
            Step::Slow(slow_loop::<$operation, false>)
        }

        #[inline(always)]
        pub(super) fn $loop_if_constant(state: &mut State, instruction: Operands) -> Step {
            let site = state.site(instruction);
            let (lhs, rhs) = (site.get(instruction.a()), site.constant(instruction.b() as usize));
            if let Some((l, r)) = ordered(lhs, rhs) {
                if l $op r {
                    return pass(state, instruction);
                }
                return Step::Continue;
            }
            Step::Slow(slow_loop::<$operation, true>)
        }
    )*};
}

comparison! {
    equal, jump_if_equal, jump_if_not_equal, jump_if_equal_constant, jump_if_not_equal_constant, loop_if_equal, loop_if_equal_constant, EQUAL, ==;
    not_equal, jump_if_different, jump_if_not_different, jump_if_different_constant, jump_if_not_different_constant, loop_if_different, loop_if_different_constant, DIFFERENT, !=;
    less, jump_if_less, jump_if_not_less, jump_if_less_constant, jump_if_not_less_constant, loop_if_less, loop_if_less_constant, LESS, <;
    less_equal, jump_if_less_equal, jump_if_not_less_equal, jump_if_less_equal_constant, jump_if_not_less_equal_constant, loop_if_less_equal, loop_if_less_equal_constant, LESS_EQUAL, <=;
    greater, jump_if_greater, jump_if_not_greater, jump_if_greater_constant, jump_if_not_greater_constant, loop_if_greater, loop_if_greater_constant, GREATER, >;
    greater_equal, jump_if_greater_equal, jump_if_not_greater_equal, jump_if_greater_equal_constant, jump_if_not_greater_equal_constant, loop_if_greater_equal, loop_if_greater_equal_constant, GREATER_EQUAL, >=;
}

#[inline(always)]
pub(super) fn isa(_state: &mut State, _instruction: Operands) -> Step {
    Step::Slow(slow_value::<ISA>)
}
