//! The interpreter: tier 0.
//!
//! Dispatch is expanded from the instruction table ([`dispatch`]); every instruction has a handler of its name in one of the
//! family modules. A handler's fast path is inlined where it is dispatched; everything else is in functions that are
//! never inlined, so that the loop keeps its few variables in machine registers.

mod access;
mod arith;
mod calls;
mod compare;
mod containers;
mod control;
mod dispatch;
mod functions;
mod loops;
mod out_of_line;
mod profiled;
mod shortcuts;
mod variables;
pub(crate) mod whole;
mod wide;

pub(crate) use containers::literal_slots;
pub(crate) use loops::loop_index;
pub(crate) use out_of_line::{OUT_OF_LINE, interpret_call, resume};

use std::cell::Cell;
use std::sync::Arc;

use kiln_bytecode::{CodeBlock, Instruction, Op};

use crate::error::{Ending, Fallible, ScriptError, Throw};
use crate::feedback::{CodeInstance, FeedbackCell};
use crate::frame::{Frame, FrameMark, MAX_ARGUMENTS};
use crate::heap::Gc;
use crate::object::function::{Callee, FunctionCell};
use crate::rooted::Rooted;
use crate::tier::{Hot, LoopOutcome};
use crate::value::Value;
use crate::vm::Vm;

/// The most entries of a stack trace that are kept.
const MAX_TRACE: usize = 40;

/// What the loop does after an instruction.
enum Step {
    /// Goes on with the next instruction.
    Continue,
    /// The current frame has changed, or goes on elsewhere: reload the loop's variables from it.
    Reload,
    /// The outermost call of this run has returned.
    Done(Value),
    /// The current frame has been left with this result.
    Returned(Value),
    /// A loop begins another pass, and its countdown has ended or an interrupt is pending: [`pass_loop`] goes on.
    Pass,
    /// A script error, or the end of the program.
    Throw(Throw),
    /// The fast path does not apply: this decides. A handler returns it rather than call the function itself, so that it
    /// needs no stack frame of its own.
    Slow(SlowPath),
    /// A rarer case: the instruction's second handler goes on.
    Second(Second),
}

/// What would cost a handler a stack frame, and is too frequent for a slow path: a handler of its own.
#[derive(Clone, Copy)]
enum Second {
    /// `call` of an intrinsic.
    CallIntrinsic,
    /// `call_member`, whatever the member is.
    CallMember,
    /// `get_member`, whatever the member is.
    GetMember,
    /// `get_global` of a global that holds a function, which is called.
    InvokeGlobal,
    /// `invoke` of a function.
    Invoke,
}

impl Second {
    #[inline(always)]
    fn run(self, state: &mut State, instruction: Operands) -> Step {
        match self {
            Second::CallIntrinsic => calls::call_intrinsic_quickly(state, instruction),
            Second::CallMember => calls::call_any_member(state, instruction),
            Second::GetMember => access::get_any_member(state, instruction),
            Second::InvokeGlobal => variables::invoke_global(state, instruction),
            Second::Invoke => calls::invoke_register(state, instruction),
        }
    }
}

/// The part of an instruction that is not inlined. `next` is behind the instruction, in the current frame.
type SlowPath = fn(&mut Vm, Next) -> Step;

impl From<Throw> for Step {
    fn from(throw: Throw) -> Step {
        Step::Throw(throw)
    }
}

/// The instruction after the one being executed.
type Next = *const Cell<Instruction>;

/// The fields of the instruction that ends here, read one by one where they are used: each is a single load, where taking the
/// word apart would be a load and several shifts.
#[derive(Clone, Copy)]
struct Operands(Next);

impl Operands {
    /// The field of two bytes at this offset.
    #[inline(always)]
    fn field(self, offset: usize) -> u16 {
        if cfg!(target_endian = "big") {
            return (self.word().0 >> (8 * offset)) as u16;
        }
        // SAFETY: operands are made behind an instruction of verified code, whose word has this layout.
        unsafe { *self.0.cast::<u8>().sub(8 - offset).cast::<u16>() }
    }

    #[inline(always)]
    fn op_byte(self) -> u8 {
        if cfg!(target_endian = "big") {
            return self.word().op_byte();
        }
        // SAFETY: as in `field`.
        unsafe { *self.0.cast::<u8>().sub(8) }
    }

    #[inline(always)]
    fn flags(self) -> u8 {
        if cfg!(target_endian = "big") {
            return self.word().flags();
        }
        // SAFETY: as in `field`.
        unsafe { *self.0.cast::<u8>().sub(7) }
    }

    #[inline(always)]
    fn a(self) -> u16 {
        self.field(2)
    }

    #[inline(always)]
    fn b(self) -> u16 {
        self.field(4)
    }

    #[inline(always)]
    fn c(self) -> u16 {
        self.field(6)
    }

    #[inline(always)]
    fn bc(self) -> u32 {
        if cfg!(target_endian = "big") {
            return self.word().bc();
        }
        // SAFETY: as in `field`.
        unsafe { *self.0.cast::<u8>().sub(4).cast::<u32>() }
    }

    /// The whole instruction.
    #[inline(always)]
    fn word(self) -> Instruction {
        // SAFETY: as in `field`.
        unsafe { (*self.0.sub(1)).get() }
    }
}

/// The variables of the loop.
struct State<'vm> {
    /// The next instruction.
    next: Next,
    /// The window of the current frame.
    base: *mut Value,
    /// The code of the current frame.
    code: *const CodeInstance,
    vm: &'vm mut Vm,
    /// The frames at which this run ends.
    entry: FrameMark,
}

/// A handler's operands: registers, constants and feedback of the current frame, and where the frame stands.
#[derive(Clone, Copy)]
struct Site {
    instruction: Operands,
    next: Next,
    base: *mut Value,
    code: *const CodeInstance,
}

impl Site {
    /// The operands of the instruction before `next`, in the current frame. Slow paths begin with this rather than take a site, so
    /// that the loop's variables never need an address and stay in machine registers.
    fn at(vm: &Vm, next: Next) -> Site {
        let frame = vm.frames.top();
        Site {
            instruction: Operands(next),
            next,
            base: frame.base,
            code: frame.code,
        }
    }

    #[inline(always)]
    fn get(&self, register: u16) -> Value {
        // SAFETY: the verifier has checked registers against the window's size, and the window against the stack's limit.
        unsafe { *self.base.add(register as usize) }
    }

    #[inline(always)]
    fn set(&self, register: u16, value: Value) {
        // SAFETY: as in `get`.
        unsafe { *self.base.add(register as usize) = value }
    }

    #[inline(always)]
    fn code(&self) -> &CodeInstance {
        // SAFETY: instances live as long as the interpreter.
        unsafe { &*self.code }
    }

    #[inline(always)]
    fn constant(&self, index: usize) -> Value {
        // SAFETY: the verifier has checked indexes of constants.
        unsafe { *self.code().constants.get_unchecked(index) }
    }

    #[inline(always)]
    fn feedback(&self, index: usize) -> &FeedbackCell {
        // SAFETY: the verifier has checked indexes of feedback cells.
        unsafe { self.code().feedback.get_unchecked(index) }
    }

    /// The feedback or function index in field `c`, with the upper half that a `wide` prefix supplies.
    fn index(&self) -> usize {
        let low = usize::from(self.instruction.c());
        let before = self.position().checked_sub(1);
        match before.map(|before| self.code().instructions[before as usize].get()) {
            Some(prefix) if prefix.op() == Some(Op::Wide) => usize::from(prefix.a()) << 16 | low,
            _ => low,
        }
    }

    /// The position of the instruction.
    fn position(&self) -> u32 {
        self.code().position_before(self.next)
    }

    /// Notes in the instruction which kinds of operands came by.
    fn observe(&self, kinds: u8) {
        // SAFETY: `next` is behind the instruction being executed.
        let cell = unsafe { &*self.next.sub(1) };
        let instruction = cell.get();
        cell.set(instruction.with_flags(instruction.flags() | kinds));
    }
}

impl State<'_> {
    /// The variables of the loop for executing one instruction of the current frame.
    fn at(vm: &mut Vm, next: Next, entry: FrameMark) -> State<'_> {
        let Frame { code, base, .. } = *vm.frames.top();
        State {
            next,
            base,
            code,
            vm,
            entry,
        }
    }

    #[inline(always)]
    fn site(&self, instruction: Operands) -> Site {
        Site {
            instruction,
            next: self.next,
            base: self.base,
            code: self.code,
        }
    }

    #[inline(always)]
    fn jump(&mut self, distance: isize) {
        // SAFETY: the verifier has checked that jumps stay inside the code block.
        self.next = unsafe { self.next.offset(distance) };
    }

    #[inline(always)]
    fn reload(&mut self) {
        let frame = self.vm.frames.top();
        (self.next, self.base, self.code) = (frame.next, frame.base, frame.code);
    }
}

/// All handlers under the names of the table.
mod handlers {
    pub(super) use super::access::*;
    pub(super) use super::arith::*;
    pub(super) use super::calls::*;
    pub(super) use super::compare::*;
    pub(super) use super::containers::*;
    pub(super) use super::control::*;
    pub(super) use super::functions::*;
    pub(super) use super::loops::*;
    pub(super) use super::variables::*;
    pub(super) use super::wide::*;
}

impl Vm {
    /// Calls a function with these arguments and runs it to its end. Must run on the script stack.
    ///
    /// # Errors
    /// The script's error, with its position, or its `exit`.
    pub fn call(
        &mut self,
        function: Value,
        self_value: Value,
        arguments: &[Value],
    ) -> Fallible<Value> {
        let mark = self.frames.mark();
        let window = self.frames.end();
        let Some(function) = function.as_function() else {
            return Ok(function);
        };
        let argument_count = arguments.len().min(MAX_ARGUMENTS);
        if let Err(throw) = self.make_room_for(function, window, 3 + argument_count) {
            return Err(self.reported(throw, mark));
        }
        for (index, argument) in arguments.iter().take(MAX_ARGUMENTS).enumerate() {
            // SAFETY: there is room for so many.
            unsafe { *window.add(3 + index) = *argument };
        }
        match calls::begin_in_room(
            self,
            function,
            window,
            self_value,
            Value::NULL,
            argument_count,
        ) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => self.run(mark),
            Err(throw) => Err(self.reported(throw, mark)),
        }
    }

    /// Runs a program, or a module, whose result are its variables. Must run on the script stack. The program that ran last
    /// goes on with the feedback it has collected.
    ///
    /// # Errors
    /// The script's error, with its position, or its `exit`.
    pub fn run_program(&mut self, program: &Arc<CodeBlock>) -> Fallible<Value> {
        let instance = self.instance_of(program)?;
        self.run_instance(instance)
    }

    /// Calls a function that is kept, with its arguments behind it. Must run on the script stack, where it may be suspended.
    ///
    /// # Errors
    /// The script's error, with its position, or its `exit`.
    pub fn run_rooted_call(&mut self, call: &[Rooted]) -> Fallible<Rooted> {
        let mut values = [Value::NULL; MAX_ARGUMENTS];
        let Some((function, arguments)) = call.split_first() else {
            return Err(Throw::message("there is nothing to call"));
        };
        let function = self.rooted(function).unwrap_or(Value::NULL);
        let count = arguments.len().min(MAX_ARGUMENTS);
        for (place, argument) in values.iter_mut().zip(arguments) {
            *place = self.rooted(argument).unwrap_or(Value::NULL);
        }
        let result = self.call(function, Value::UNASSIGNED, &values[..count])?;
        Ok(self.root(result))
    }

    /// Runs an instance's code as a function without arguments. Must run on the script stack.
    ///
    /// # Errors
    /// The script's error, with its position, or its `exit`.
    pub(crate) fn run_instance(&mut self, code: *const CodeInstance) -> Fallible<Value> {
        let function = FunctionCell::script(self, code, Value::NULL, Value::UNASSIGNED)?;
        let function = Value::function(function);
        let window = self.frames.end();
        // SAFETY: instances live as long as the interpreter.
        let code = unsafe { &*code };
        let run = |vm: &mut Vm| vm.call(function, Value::UNASSIGNED, &[]);
        if !self.frames.has_room_for(window, code.register_count) {
            return run(self);
        }
        // SAFETY: instances are of verified code; the call begins with this window, which is in the stack.
        unsafe { self.with_bound_globals(code, window, run) }
    }

    /// Gives an error its position and leaves the frames entered since the mark.
    #[cold]
    fn reported(&mut self, throw: Throw, mark: FrameMark) -> Throw {
        let throw = self.located(throw);
        self.frames.truncate(mark);
        throw
    }

    /// Gives an error its position and the stack as it is now, unless it has them.
    #[cold]
    pub(crate) fn located(&self, throw: Throw) -> Throw {
        match throw.into_ending() {
            Ending::Error(error) => {
                let stack = self.frames.positions(MAX_TRACE);
                let omitted = self.frames.running_depth() - stack.len();
                Throw::reported(ScriptError {
                    error,
                    stack,
                    omitted,
                })
            }
            Ending::Exit(status) => Throw::exit(status),
            Ending::Reported(error) => Throw::reported(*error),
        }
    }

    /// Runs until the frame entered after the mark returns.
    fn run(&mut self, entry: FrameMark) -> Fallible<Value> {
        match dispatch::execute(self, entry) {
            Ok(value) => Ok(value),
            Err(throw) => Err(self.reported(throw, entry)),
        }
    }
}

/// Calls a function that was found by reading a variable or member: the result goes to the register in field `a` of the
/// instruction.
#[inline(never)]
fn invoke_function(
    vm: &mut Vm,
    site: Site,
    function: Gc<FunctionCell>,
    self_value: Value,
    super_value: Value,
) -> Step {
    vm.frames.set_next(site.next);
    let window = vm.frames.end();
    match calls::begin(vm, function, window, self_value, super_value, 0) {
        Ok(Some(value)) => {
            site.set(site.instruction.a(), value);
            Step::Continue
        }
        Ok(None) => Step::Reload,
        Err(throw) => Step::Throw(throw),
    }
}

/// Whether an operand that is a variable must be read on the invoke path: it holds a function, or has lost its value.
#[inline]
fn is_unsettled(value: Value) -> bool {
    value.is_function() || value.is_unassigned()
}

/// Stores the result of a slow path, or finds out how to go on without one.
///
/// If the operands may be variables that hold functions, the expression is repeated on its invoke path: nothing that
/// cannot be repeated has happened, and there every error is raised in its turn.
fn finish(vm: &mut Vm, site: Site, result: Fallible<Value>, has_function: bool) -> Step {
    if (has_function || result.is_err())
        && let Some(target) = site.code().block.invoke_path(site.position())
    {
        return continue_at(vm, site, target);
    }
    match result {
        Ok(value) => {
            site.set(site.instruction.a(), value);
            Step::Continue
        }
        Err(throw) => Step::Throw(throw),
    }
}

/// Goes on at another position of the current frame.
fn continue_at(vm: &mut Vm, site: Site, position: u32) -> Step {
    // SAFETY: invoke paths are checked by the verifier.
    let next = unsafe { site.code().instructions.as_ptr().add(position as usize) };
    vm.frames.set_next(next);
    Step::Reload
}

/// The target of a call, for feedback.
fn target_of(function: Gc<FunctionCell>) -> usize {
    match function.callee() {
        Callee::Script(code) => code as usize,
        Callee::Intrinsic(intrinsic) => std::ptr::from_ref(intrinsic) as usize,
    }
}

/// What the beginning of another pass of a loop may have to see to: an interrupt, a countdown that has ended. The instruction before
/// `next` is the one that jumps back; the position it jumps to.
fn poll_loop(vm: &mut Vm, next: Next) -> Fallible<u32> {
    vm.frames.set_next(next);
    vm.safepoint()?;
    let site = Site::at(vm, next);
    let index = loops::countdown_index(site.instruction.word());
    if let Some(countdown) = site.code().loops.get(index)
        && countdown.has_ended()
    {
        vm.is_hot(site.code, Hot::Loop(index));
    }
    let target = site.instruction.word().jump_target(site.position());
    Ok(target.map_or(0, |target| target as u32))
}

/// The index of the loop whose header is `target`, where the instruction before `next` jumps back to. None if that is where a first
/// pass begins before the header.
fn loop_at(vm: &Vm, next: Next, target: u32) -> Option<usize> {
    let site = Site::at(vm, next);
    loops::loop_index(site.instruction.word()).filter(|index| {
        let info = site.code().block.loops.get(*index);
        info.is_some_and(|info| info.header == target)
    })
}

/// Begins another pass of a loop, in compiled code if there is any.
#[cold]
#[inline(never)]
fn pass_loop(vm: &mut Vm, next: Next) -> Step {
    let target = match poll_loop(vm, next) {
        Ok(target) => target,
        Err(throw) => return Step::Throw(throw),
    };
    let site = Site::at(vm, next);
    let entered = loop_at(vm, next, target).and_then(|index| vm.enter_loop(index));
    match entered {
        None => continue_at(vm, site, target),
        Some(LoopOutcome::Returned(value)) => Step::Returned(value),
        Some(LoopOutcome::Left) => Step::Reload,
        Some(LoopOutcome::Threw(throw)) => Step::Throw(throw),
    }
}

/// Delivers the result of a frame just left to the calling instruction; the outcome if it was the outermost of this run.
#[inline(always)]
fn deliver_result(vm: &mut Vm, value: Value, entry: FrameMark) -> Step {
    if vm.frames.mark() == entry {
        return Step::Done(value);
    }
    let Frame { next, base, .. } = *vm.frames.top();
    // SAFETY: a frame that has called something is behind the calling instruction, whose field `a` is a register.
    unsafe {
        let call = (*next.sub(1)).get();
        *base.add(usize::from(call.a())) = value;
    }
    Step::Reload
}
