//! Single instructions for compiled code: whatever it does not do itself, the interpreter's handlers do.

use std::cell::Cell;

use kiln_bytecode::{Instruction, Op, for_each_op};

use super::{Next, Operands, State, Step, dispatch, handlers, loop_at, poll_loop};
use crate::error::{Fallible, RuntimeError};
use crate::feedback::CodeInstance;
use crate::frame::{Frame, FrameMark};
use crate::tier::{GONE, OutOfLine};
use crate::value::Value;
use crate::vm::Vm;

macro_rules! define_out_of_line {
    ($($(#[doc = $doc:literal])+ $snake:ident = $camel:ident { $($operand:ident: $role:ident),* } ($flags:ident) [$($effect:ident)*];)*) => {
        $(
            extern "C" fn $snake(vm: *mut Vm, next: *const Cell<Instruction>) -> u64 {
                // SAFETY: compiled code passes the interpreter that runs it.
                let vm = unsafe { &mut *vm };
                let entry = vm.frames.mark();
                let mut state = State::at(vm, next, entry);
                let mut step = handlers::$snake(&mut state, Operands(next));
                if let Step::Second(second) = step {
                    step = second.run(&mut state, Operands(next));
                }
                let next = state.next;
                complete(vm, step, next, entry)
            }
        )*

        /// The functions in the order of the opcodes.
        pub(crate) static OUT_OF_LINE: [OutOfLine; Op::COUNT] = [$($snake),*];
    };
}
for_each_op!(define_out_of_line);

/// Brings an instruction to its end: a function that it calls is run, its result delivered. The position of the next instruction.
#[inline(never)]
fn complete(vm: &mut Vm, mut step: Step, next: Next, entry: FrameMark) -> u64 {
    // It is about this instruction; what runs inside, or meanwhile, has its own.
    let keeps_loops = std::mem::take(&mut vm.tiers.keeps_loops);
    while let Step::Slow(slow) = step {
        step = slow(vm, next);
    }
    let outcome = match step {
        Step::Continue | Step::Slow(_) | Step::Second(_) if vm.frames.mark() == entry => {
            return u64::from(position_of(vm, next));
        }
        Step::Pass => {
            let position = poll_loop(vm, next);
            if !keeps_loops
                && let Ok(target) = position
                && let Some(index) = loop_at(vm, next, target)
                && let Some(outcome) = vm.enter_optimized_loop(index)
            {
                return outcome;
            }
            position
        }
        Step::Continue | Step::Slow(_) | Step::Second(_) | Step::Reload => {
            if vm.frames.mark() == entry {
                let next = vm.frames.top().next;
                return u64::from(position_of(vm, next));
            }
            finish_call(vm, entry)
        }
        Step::Throw(throw) => Err(throw),
        // Compiled code does not execute `return` out of line.
        Step::Done(_) | Step::Returned(_) => Err(RuntimeError::Interrupted.into()),
    };
    match outcome {
        Ok(position) => u64::from(position),
        Err(throw) => {
            vm.throw_from_compiled(throw);
            GONE
        }
    }
}

/// Runs the call that an instruction has begun.
fn finish_call(vm: &mut Vm, entry: FrameMark) -> Fallible<u32> {
    if !vm.has_native_stack() {
        return Err(RuntimeError::CallStackOverflow.into());
    }
    let value = match dispatch::execute(vm, entry) {
        Ok(value) => value,
        Err(throw) => {
            let throw = vm.located(throw);
            vm.frames.truncate(entry);
            return Err(throw);
        }
    };
    let Frame { next, base, .. } = *vm.frames.top();
    // SAFETY: a frame that has called something is behind the calling instruction, whose field `a` is a register.
    unsafe {
        let call = (*next.sub(1)).get();
        *base.add(usize::from(call.a())) = value;
    }
    Ok(position_of(vm, next))
}

/// The position of the instruction that `next` points to.
fn position_of(vm: &Vm, next: Next) -> u32 {
    let code = vm.frames.top().code;
    // SAFETY: instances live as long as the interpreter; `next` points into its instructions.
    unsafe { next.offset_from((*code).instructions.as_ptr()) as u32 }
}

/// Goes on where the current frame stands, until the frame entered after the mark returns. There is room on the native stack: the
/// compiled code that was left had some, and this is the only thing that takes its place.
pub(crate) fn resume(vm: &mut Vm, entry: FrameMark) -> Fallible<Value> {
    // Whoever entered compiled code leaves the frames.
    dispatch::execute(vm, entry).map_err(|throw| vm.located(throw))
}

/// Runs a call in the interpreter. The window is in order, the frame not entered.
pub(crate) fn interpret_call(
    vm: &mut Vm,
    window: *mut Value,
    code: *const CodeInstance,
) -> Fallible<Value> {
    // SAFETY: instances live as long as the interpreter.
    let instance = unsafe { &*code };
    let end = window.wrapping_add(instance.register_count);
    if vm.frames.is_beyond_limit(end) {
        vm.make_call_room(code, window)?;
    }
    if !vm.has_native_stack() {
        return Err(RuntimeError::CallStackOverflow.into());
    }
    if instance.calls.count() {
        vm.is_hot(code, crate::tier::Hot::Call);
    }
    let entry = vm.frames.mark();
    vm.frames.push(Frame {
        code,
        next: instance.instructions.as_ptr(),
        base: window,
    });
    match dispatch::execute(vm, entry) {
        Ok(value) => Ok(value),
        Err(throw) => {
            let throw = vm.located(throw);
            vm.frames.truncate(entry);
            Err(throw)
        }
    }
}
