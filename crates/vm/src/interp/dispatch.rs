//! Dispatch: from one instruction to the next.
//!
//! Two forms run the same handlers. The *loop* matches on the opcode. In the *threaded* form each handler is a function that ends
//! in a jump to the next one (Bell 1973); its six arguments stay in machine registers all the time. That needs sibling
//! calls, which LLVM makes at optimization levels above 0 and the language does not promise: so builds with debug assertions, and
//! processors without six argument registers in the convention used, take the loop. So does every build while a program is profiled.

use kiln_bytecode::{Op, for_each_op};

use super::{Operands, State, Step, deliver_result, handlers, pass_loop};
use crate::error::Fallible;
use crate::frame::{Frame, FrameMark};
use crate::value::Value;
use crate::vm::Vm;

/// Runs until the frame entered after the mark returns.
pub(super) fn execute(vm: &mut Vm, entry: FrameMark) -> Fallible<Value> {
    let Frame { code, next, base } = *vm.frames.top();
    let state = State {
        next,
        base,
        code,
        vm,
        entry,
    };
    if state.vm.profiles_exactly() {
        return matched::run_profiled(state);
    }
    #[cfg(any(
        debug_assertions,
        not(any(target_arch = "x86_64", target_arch = "aarch64"))
    ))]
    return matched::run(state);
    #[cfg(not(any(
        debug_assertions,
        not(any(target_arch = "x86_64", target_arch = "aarch64"))
    )))]
    return threaded::run(state);
}

mod matched {
    use super::*;
    use crate::interp::profiled;

    macro_rules! define_dispatch {
        ($($(#[doc = $doc:literal])+ $snake:ident = $camel:ident { $($operand:ident: $role:ident),* } ($flags:ident) [$($effect:ident)*];)*) => {
            /// Executes one instruction.
            #[inline(always)]
            fn dispatch(state: &mut State, instruction: Operands) -> Step {
                // SAFETY: the verifier has checked opcodes, and the interpreter only writes valid ones.
                match unsafe { std::mem::transmute::<u8, Op>(instruction.op_byte()) } {
                    $(Op::$camel => handlers::$snake(state, instruction),)*
                }
            }
        };
    }
    for_each_op!(define_dispatch);

    /// Executes one instruction with what follows from it.
    #[inline(always)]
    fn execute_one(state: &mut State, instruction: Operands) -> Step {
        let mut step = dispatch(state, instruction);
        loop {
            step = match step {
                Step::Slow(slow) => slow(state.vm, state.next),
                Step::Second(second) => second.run(state, instruction),
                Step::Pass => pass_loop(state.vm, state.next),
                Step::Returned(value) => deliver_result(state.vm, value, state.entry),
                _ => return step,
            };
        }
    }

    /// Tells the profiler of every instruction.
    #[inline(never)]
    pub(super) fn run_profiled(mut state: State) -> Fallible<Value> {
        let outside = profiled::begin(&mut state);
        loop {
            // The verifier has checked that execution does not run off the end.
            state.jump(1);
            let instruction = Operands(state.next);
            let watched = profiled::before(&mut state, instruction);
            let step = execute_one(&mut state, instruction);
            profiled::after(state.vm, watched, matches!(step, Step::Throw(_)));
            let outcome = match step {
                Step::Continue
                | Step::Slow(_)
                | Step::Second(_)
                | Step::Pass
                | Step::Returned(_) => continue,
                Step::Reload => {
                    state.reload();
                    continue;
                }
                Step::Done(value) => Ok(value),
                Step::Throw(throw) => Err(throw),
            };
            profiled::end(state.vm, outside);
            return outcome;
        }
    }

    #[cfg(any(
        debug_assertions,
        not(any(target_arch = "x86_64", target_arch = "aarch64"))
    ))]
    #[inline(never)]
    pub(super) fn run(mut state: State) -> Fallible<Value> {
        loop {
            // The verifier has checked that execution does not run off the end.
            state.jump(1);
            let instruction = Operands(state.next);
            match execute_one(&mut state, instruction) {
                Step::Continue
                | Step::Slow(_)
                | Step::Second(_)
                | Step::Pass
                | Step::Returned(_) => {}
                Step::Reload => state.reload(),
                Step::Done(value) => return Ok(value),
                Step::Throw(throw) => return Err(throw),
            }
        }
    }
}

#[cfg(not(any(
    debug_assertions,
    not(any(target_arch = "x86_64", target_arch = "aarch64"))
)))]
mod threaded {
    use super::*;
    use crate::feedback::CodeInstance;
    use crate::interp::{Next, Second, SlowPath};

    /// A handler with its dispatch. The arguments are the variables of the loop, `next` being behind the instruction to execute, and
    /// the table of handlers. `extern "C"` on both processors passes six arguments in registers.
    type Handler = unsafe extern "C" fn(
        Next,
        *mut Value,
        *const CodeInstance,
        &mut Vm,
        FrameMark,
        Table,
    ) -> Finished;

    /// The handlers in the order of the opcodes; or, on the way to [`run_slow`], the slow path to run.
    #[derive(Clone, Copy)]
    #[repr(transparent)]
    struct Table(*const ());

    impl Table {
        /// # Safety
        /// It must not be on the way to [`run_slow`], and the opcode be one of the table's.
        #[inline(always)]
        unsafe fn handler(self, op: u8) -> Handler {
            // SAFETY: by contract this is the address of `HANDLERS`.
            unsafe { *self.0.cast::<Handler>().add(usize::from(op)) }
        }
    }

    /// Returned when a run has ended; its outcome stands in [`Vm::outcome`]. It fills a return register so that no memory is passed.
    type Finished = u64;

    macro_rules! define_handlers {
        ($($(#[doc = $doc:literal])+ $snake:ident = $camel:ident { $($operand:ident: $role:ident),* } ($flags:ident) [$($effect:ident)*];)*) => {
            $(
                /// # Safety
                /// `next` must be behind such an instruction in `code`, which must be verified, and `base` the current frame's window.
                unsafe extern "C" fn $snake(
                    next: Next,
                    base: *mut Value,
                    code: *const CodeInstance,
                    vm: &mut Vm,
                    entry: FrameMark,
                    table: Table,
                ) -> Finished {
                    let mut state = State { next, base, code, vm, entry };
                    let step = handlers::$snake(&mut state, Operands(next));
                    let State { next, base, code, vm, entry } = state;
                    // SAFETY: the state is that of the current frame, in verified code.
                    unsafe { follow(step, next, base, code, vm, entry, table) }
                }
            )*

            /// The handlers in the order of the opcodes.
            static HANDLERS: [Handler; Op::COUNT] = [$($snake),*];
        };
    }
    for_each_op!(define_handlers);

    macro_rules! define_seconds {
        ($($snake:ident = $second:ident;)*) => {
            $(
                /// # Safety
                /// As for the handlers of the table.
                unsafe extern "C" fn $snake(
                    next: Next,
                    base: *mut Value,
                    code: *const CodeInstance,
                    vm: &mut Vm,
                    entry: FrameMark,
                    table: Table,
                ) -> Finished {
                    let mut state = State { next, base, code, vm, entry };
                    let step = Second::$second.run(&mut state, Operands(next));
                    let State { next, base, code, vm, entry } = state;
                    // SAFETY: the state is that of the current frame, in verified code.
                    unsafe { follow(step, next, base, code, vm, entry, table) }
                }
            )*

            /// The second handler's threaded form.
            #[inline(always)]
            fn second_handler(second: Second) -> Handler {
                match second {
                    $(Second::$second => $snake,)*
                }
            }
        };
    }
    define_seconds! {
        second_call_intrinsic = CallIntrinsic;
        second_call_member = CallMember;
        second_get_member = GetMember;
        second_invoke_global = InvokeGlobal;
        second_invoke = Invoke;
    }

    /// The table of handlers.
    #[inline(always)]
    fn handlers_table() -> Table {
        Table(HANDLERS.as_ptr().cast())
    }

    /// Goes on after a handler's fast path.
    ///
    /// # Safety
    /// `next` must point into `code`, which must be verified, and `base` be the current frame's window.
    #[inline(always)]
    unsafe fn follow(
        step: Step,
        next: Next,
        base: *mut Value,
        code: *const CodeInstance,
        vm: &mut Vm,
        entry: FrameMark,
        table: Table,
    ) -> Finished {
        match step {
            // SAFETY: passed on from the caller.
            Step::Continue => unsafe { go_on(next, base, code, vm, entry, table) },
            // The function's address travels in the place of the table.
            Step::Slow(slow) => run_slow(next, base, code, vm, entry, Table(slow as *const ())),
            Step::Pass => run_slow(
                next,
                base,
                code,
                vm,
                entry,
                Table(pass_loop as SlowPath as *const ()),
            ),
            // SAFETY: passed on from the caller; a handler leaves the state as it was for the second one.
            Step::Second(second) => unsafe {
                second_handler(second)(next, base, code, vm, entry, table)
            },
            Step::Reload => reload(vm, entry, table),
            Step::Done(value) | Step::Returned(value) => finish_with(vm, value.bits()),
            Step::Throw(throw) => finish(vm, Err(throw)),
        }
    }

    /// How things go on after a slow path.
    enum After {
        /// With the next instruction.
        Continue,
        /// Where the current frame stands.
        Reload,
        /// The run has ended; its outcome stands in [`Vm::outcome`].
        Finished,
    }

    /// Runs a slow path to its end.
    #[inline(never)]
    fn run_to_end(vm: &mut Vm, next: Next, entry: FrameMark, slow: SlowPath) -> After {
        let mut step = slow(vm, next);
        loop {
            step = match step {
                Step::Slow(slow) => slow(vm, next),
                Step::Pass => pass_loop(vm, next),
                Step::Returned(value) => deliver_result(vm, value, entry),
                Step::Reload => return After::Reload,
                Step::Continue => return After::Continue,
                Step::Done(value) => {
                    vm.outcome = Some(Ok(value));
                    return After::Finished;
                }
                Step::Throw(throw) => {
                    vm.outcome = Some(Err(throw));
                    return After::Finished;
                }
                // Only fast paths ask for it.
                Step::Second(_) => return After::Continue,
            };
        }
    }

    /// Runs a slow path and goes on after it. This function has no variables in memory: with any the compiler may leave it by a call
    /// rather than a jump, and the native stack would grow with every slow path.
    #[inline(never)]
    extern "C" fn run_slow(
        next: Next,
        base: *mut Value,
        code: *const CodeInstance,
        vm: &mut Vm,
        entry: FrameMark,
        slow: Table,
    ) -> Finished {
        // SAFETY: `follow` has put the address of a slow path there.
        let slow = unsafe { std::mem::transmute::<*const (), SlowPath>(slow.0) };
        let table = handlers_table();
        match run_to_end(vm, next, entry, slow) {
            // SAFETY: a slow path that says so has left the frame as it was.
            After::Continue => unsafe { go_on(next, base, code, vm, entry, table) },
            After::Reload => reload(vm, entry, table),
            After::Finished => 0,
        }
    }

    /// Goes on where the current frame stands.
    #[inline(always)]
    fn reload(vm: &mut Vm, entry: FrameMark, table: Table) -> Finished {
        let Frame { code, next, base } = *vm.frames.top();
        // SAFETY: frames stand in verified code.
        unsafe { go_on(next, base, code, vm, entry, table) }
    }

    /// Jumps to the handler of the next instruction.
    ///
    /// # Safety
    /// `next` must point into `code`, which must be verified, and `base` be the current frame's window.
    #[inline(always)]
    unsafe fn go_on(
        next: Next,
        base: *mut Value,
        code: *const CodeInstance,
        vm: &mut Vm,
        entry: FrameMark,
        table: Table,
    ) -> Finished {
        // SAFETY: an instruction of verified code, so its opcode is one of the table's.
        unsafe {
            let op = Operands(next.add(1)).op_byte();
            let handler = table.handler(op);
            handler(next.add(1), base, code, vm, entry, table)
        }
    }

    #[inline(never)]
    pub(super) fn run(state: State) -> Fallible<Value> {
        let State {
            next,
            base,
            code,
            vm,
            entry,
        } = state;
        // SAFETY: the current frame's code has been verified when it was instantiated.
        unsafe { go_on(next, base, code, &mut *vm, entry, handlers_table()) };
        match vm.outcome.take() {
            Some(outcome) => outcome,
            None => Ok(Value::NULL),
        }
    }

    /// [`finish`] with a value, for handlers: a function that cannot unwind, and whose result the compiler does not know, is left for
    /// by a jump, so that they need no stack frame.
    #[cold]
    #[inline(never)]
    extern "C" fn finish_with(vm: &mut Vm, word: u64) -> Finished {
        // SAFETY: the word of a value that is being returned.
        vm.outcome = Some(Ok(unsafe { Value::from_bits(word) }));
        std::hint::black_box(0)
    }

    #[cold]
    #[inline(never)]
    fn finish(vm: &mut Vm, outcome: Fallible<Value>) -> Finished {
        vm.outcome = Some(outcome);
        0
    }
}
