//! `for` loops.

use kiln_bytecode::{Instruction, Op};

use super::arith::observed_kinds;
use super::whole::front_index;
use super::{Next, Operands, Site, State, Step, continue_at};
use crate::error::Fallible;
use crate::heap::{Gc, Kind};
use crate::intrinsics::Shortcut;
use crate::object::range::RangeCell;
use crate::value::Value;
use crate::vm::Vm;

#[inline(always)]
pub(super) fn make_range(_state: &mut State, _instruction: Operands) -> Step {
    Step::Slow(slow_make_range)
}

#[inline(never)]
fn slow_make_range(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    vm.frames.set_next(site.next);
    let window = site.instruction.b();
    match site.get(window).as_function() {
        Some(function) if function.shortcut() == Shortcut::Range => {}
        _ => return Step::Continue,
    }
    let argument = |index: u16| {
        (index < u16::from(site.instruction.flags())).then(|| site.get(window + 3 + index))
    };
    match vm.unmaterialized_range(argument(0), argument(1), argument(2)) {
        Ok(Some(range)) => {
            site.set(site.instruction.a(), Value::other(range));
            jump_short(vm, site)
        }
        Ok(None) => Step::Continue,
        Err(throw) => Step::Throw(throw),
    }
}

/// The range a `for` loop runs over, if it does.
#[inline(always)]
fn as_range(sequence: Value) -> Option<Gc<RangeCell>> {
    sequence.as_other(Kind::Range)
}

/// The element for the next pass over a range or a list, when its index is an ordinary one: the index and the element.
#[inline(always)]
fn quick_element(sequence: Value, index: Value) -> Option<(f64, Value)> {
    let next = index.number_or_nan() + 1.0;
    // A word that is no number is no position either.
    let position = front_index(next)?;
    if let Some(range) = as_range(sequence) {
        // Whole numbers below 2^53: no NaN can come of them.
        return (next < range.count)
            .then(|| (next, Value::arithmetic(range.first + next * range.step)));
    }
    Some((next, sequence.as_list()?.get(position)?))
}

/// Counts a pass of the loop in the flag byte. True if its countdown has ended.
#[inline(always)]
pub(super) fn count_pass(site: Site) -> bool {
    let index = usize::from(site.instruction.flags());
    // SAFETY: the verifier has checked indexes of loops.
    unsafe { site.code().loops.get_unchecked(index) }.count()
}

/// The index of the countdown in which an instruction that jumps back counts passes. Loops whose index does not fit into the
/// instruction share one.
pub(super) fn countdown_index(instruction: Instruction) -> usize {
    loop_index(instruction).unwrap_or(usize::from(u8::MAX))
}

/// The index of the loop that an instruction which jumps back belongs to. None if it does not fit into the instruction.
pub(crate) fn loop_index(instruction: Instruction) -> Option<usize> {
    match instruction.op() {
        Some(Op::LoopBack) => Some(usize::from(instruction.a())),
        _ => (instruction.flags() < u8::MAX).then_some(usize::from(instruction.flags())),
    }
}

/// Goes on at the target of a jump with a 16-bit distance.
pub(super) fn jump_short(vm: &mut Vm, site: Site) -> Step {
    let distance = site.instruction.c() as i16;
    let target = i64::from(site.position()) + 1 + i64::from(distance);
    continue_at(vm, site, target as u32)
}

#[inline(always)]
pub(super) fn for_loop(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let (sequence, index) = (site.get(instruction.b()), site.get(instruction.b() + 1));
    if let Some((index, element)) = quick_element(sequence, index) {
        site.set(instruction.b() + 1, Value::arithmetic(index));
        site.set(instruction.a(), element);
        if count_pass(site) || state.vm.frames.is_requested() {
            return Step::Pass;
        }
        state.jump(instruction.c() as i16 as isize);
        return Step::Continue;
    }
    Step::Slow(slow_for_loop)
}

#[inline(never)]
fn slow_for_loop(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    vm.frames.set_next(site.next);
    let state = site.instruction.b();
    let sequence = site.get(state);
    if let Some(seen) = site
        .code()
        .sequences
        .get(usize::from(site.instruction.flags()))
    {
        seen.set(seen.get() | observed_kinds(sequence));
    }
    match next_element(vm, sequence, site.get(state + 1)) {
        Ok((index, element)) => {
            site.set(state + 1, index);
            pass_or_end(vm, site, element)
        }
        Err(throw) => Step::Throw(throw),
    }
}

fn pass_or_end(vm: &mut Vm, site: Site, element: Option<Value>) -> Step {
    let Some(element) = element else {
        return Step::Continue;
    };
    site.set(site.instruction.a(), element);
    if count_pass(site) || vm.frames.is_requested() {
        return Step::Pass;
    }
    jump_short(vm, site)
}

#[inline(always)]
pub(super) fn for_loop_global(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let sequence = site.get(instruction.b());
    let global = site.get(instruction.b() + 1).number_or_nan() as usize;
    if let Some(cell) = site.code().globals.get(global) {
        // SAFETY: global cells live as long as the interpreter.
        let cell = unsafe { &*cell.get() };
        if let Some((index, element)) = quick_element(sequence, cell.value.get()) {
            cell.value.set(Value::arithmetic(index));
            site.set(instruction.a(), element);
            if count_pass(site) || state.vm.frames.is_requested() {
                return Step::Pass;
            }
            state.jump(instruction.c() as i16 as isize);
            return Step::Continue;
        }
    }
    Step::Slow(slow_for_loop_global)
}

#[inline(never)]
fn slow_for_loop_global(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    vm.frames.set_next(site.next);
    let state = site.instruction.b();
    let global = site.get(state + 1).number_or_nan() as usize;
    let Some(number) = site.code().global_numbers.get(global).copied() else {
        return Step::Continue;
    };
    let index = vm.globals.cell(number).value.get();
    match next_element(vm, site.get(state), index) {
        Ok((index, element)) => {
            vm.globals.assign_as_counted(number, index);
            pass_or_end(vm, site, element)
        }
        Err(throw) => Step::Throw(throw),
    }
}

/// Advances a loop's index; the element of the next pass, if there is one.
fn next_element(vm: &mut Vm, sequence: Value, index: Value) -> Fallible<(Value, Option<Value>)> {
    let index = if index.is_unassigned() {
        Value::NULL
    } else {
        index
    };
    let index = vm.add(index, Value::ONE)?;
    let element = vm.loop_element(sequence, index)?;
    Ok((index, element))
}
