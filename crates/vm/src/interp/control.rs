//! Constants, moves, jumps, branches.

use super::arith::observed_kinds;
use super::{Next, Operands, Site, State, Step, continue_at, is_unsettled};
use crate::error::RuntimeError;
use crate::value::Value;
use crate::vm::Vm;

#[inline(always)]
pub(super) fn nop(_state: &mut State, _instruction: Operands) -> Step {
    Step::Continue
}

#[inline(always)]
pub(super) fn load_constant(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    site.set(instruction.a(), site.constant(instruction.bc() as usize));
    Step::Continue
}

#[inline(always)]
pub(super) fn load_unassigned(state: &mut State, instruction: Operands) -> Step {
    state
        .site(instruction)
        .set(instruction.a(), Value::UNASSIGNED);
    Step::Continue
}

#[inline(always)]
pub(super) fn move_register(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    site.set(instruction.a(), site.get(instruction.b()));
    Step::Continue
}

#[inline(always)]
pub(super) fn jump(state: &mut State, instruction: Operands) -> Step {
    state.jump(instruction.bc() as i32 as isize);
    Step::Continue
}

#[inline(always)]
pub(super) fn loop_back(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    // SAFETY: the verifier has checked loop indexes.
    let countdown = unsafe { site.code().loops.get_unchecked(instruction.a() as usize) };
    if countdown.count() || state.vm.frames.is_requested() {
        return Step::Pass;
    }
    state.jump(instruction.bc() as i32 as isize);
    Step::Continue
}

/// Branches on a value that is no number.
fn slow_branch<const WANTED: bool>(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let value = site.get(site.instruction.a());
    site.observe(observed_kinds(value));
    if is_unsettled(value)
        && let Some(target) = site.code().block.invoke_path(site.position())
    {
        return continue_at(vm, site, target);
    }
    if vm.is_true(value) != WANTED {
        return Step::Continue;
    }
    let distance = site.instruction.bc() as i32;
    continue_at(
        vm,
        site,
        (i64::from(site.position()) + 1 + i64::from(distance)) as u32,
    )
}

#[inline(always)]
fn branch<const WANTED: bool>(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let value = site.get(instruction.a());
    if value.is_number() {
        if (value.number_or_nan() != 0.0) == WANTED {
            state.jump(instruction.bc() as i32 as isize);
        }
        return Step::Continue;
    }
    Step::Slow(slow_branch::<WANTED>)
}

#[inline(always)]
pub(super) fn jump_if_true(state: &mut State, instruction: Operands) -> Step {
    branch::<true>(state, instruction)
}

#[inline(always)]
pub(super) fn jump_if_false(state: &mut State, instruction: Operands) -> Step {
    branch::<false>(state, instruction)
}

#[inline(always)]
pub(super) fn jump_if_certain(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let value = site.get(instruction.a());
    if value.is_function() {
        return Step::Slow(slow_certain);
    }
    if value
        .as_number()
        .is_some_and(crate::semantics::truth::is_certain)
    {
        state.jump(instruction.bc() as i32 as isize);
    }
    Step::Continue
}

#[inline(always)]
pub(super) fn settle(state: &mut State, instruction: Operands) -> Step {
    let value = state.site(instruction).get(instruction.a());
    if value.is_number() || !is_unsettled(value) {
        return Step::Continue;
    }
    Step::Slow(slow_certain)
}

#[cold]
#[inline(never)]
fn slow_certain(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    site.observe(observed_kinds(site.get(site.instruction.a())));
    match site.code().block.invoke_path(site.position()) {
        Some(target) => continue_at(vm, site, target),
        None => Step::Continue,
    }
}

#[inline(always)]
pub(super) fn throw(_state: &mut State, _instruction: Operands) -> Step {
    Step::Slow(slow_throw)
}

#[cold]
#[inline(never)]
fn slow_throw(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    vm.frames.set_next(site.next);
    let text = match site.constant(site.instruction.bc() as usize).as_string() {
        Some(text) => vm.text_of(text),
        None => "".into(),
    };
    Step::Throw(RuntimeError::Message(text).into())
}
