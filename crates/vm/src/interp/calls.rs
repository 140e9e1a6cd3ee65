//! Calls and returns.

use kiln_bytecode::ReadMode;

use super::whole::front_index;
use super::{
    Next, Operands, Second, Site, SlowPath, State, Step, access, invoke_function, profiled,
    shortcuts, target_of,
};
use crate::error::{Fallible, RuntimeError, Throw};
use crate::feedback::CodeInstance;
use crate::frame::Frame;
use crate::heap::Gc;
use crate::intrinsics::{Arguments, Intrinsic};
use crate::object::function::{Callee, FunctionCell};
use crate::object::map::MapCell;
use crate::tier::Hot;
use crate::value::Value;
use crate::vm::Vm;

/// Puts a script function's window in order and enters its frame. Arguments stand in the window already. None if that fails:
/// [`entry_error`] says why. (The error is not returned from here because the threaded interpreter's handlers must not
/// own anything.)
#[inline(always)]
fn enter(
    vm: &mut Vm,
    code: *const CodeInstance,
    window: *mut Value,
    argument_count: usize,
) -> Option<Frame> {
    // SAFETY: instances live as long as the interpreter.
    let instance = unsafe { &*code };
    if argument_count != instance.interpreted_parameter_count.get() {
        return None;
    }
    // Only compared, never used, if beyond the limit.
    let end = window.wrapping_add(instance.register_count);
    if vm.frames.is_beyond_limit(end) || instance.calls.count() {
        return None;
    }
    Some(push_frame(vm, code, window))
}

/// Enters a script function's frame. The call has been counted; the window is in order, and on the stack.
#[inline(always)]
fn push_frame(vm: &mut Vm, code: *const CodeInstance, window: *mut Value) -> Frame {
    // SAFETY: instances live as long as the interpreter.
    let instance = unsafe { &*code };
    let frame = Frame {
        code,
        next: instance.instructions.as_ptr(),
        base: window,
    };
    vm.frames.push(frame);
    frame
}

/// Gives parameters without an argument their default values. False if there are too many arguments, or the window does not
/// fit on the stack.
#[inline(never)]
fn fill_up(vm: &Vm, instance: &CodeInstance, window: *mut Value, argument_count: usize) -> bool {
    // There may be more parameters than the red zone has room for.
    let end = window.wrapping_add(instance.register_count);
    if argument_count > instance.defaults.len()
        || instance.forbidden_parameter().is_some()
        || !vm.frames.has_room_for(end, 0)
    {
        return false;
    }
    for index in argument_count..instance.defaults.len() {
        // SAFETY: parameters are registers of the window, which ends below the stack's limit.
        unsafe { *window.add(3 + index) = instance.defaults[index] };
    }
    true
}

impl Vm {
    /// Polls, and makes sure that a function's window, or a window of so many registers if that is more, fits on the stack.
    #[inline]
    pub(super) fn make_room_for(
        &mut self,
        function: Gc<FunctionCell>,
        window: *mut Value,
        registers: usize,
    ) -> Fallible<()> {
        // SAFETY: instances live as long as the interpreter.
        let needed = |code: *const CodeInstance| unsafe { (*code).register_count };
        let registers = function.script_code().map_or(0, needed).max(registers);
        // Only compared, never used, if beyond the limit.
        let end = window.wrapping_add(registers);
        if self.frames.is_beyond_limit(end) {
            self.make_window_room(end)
        } else {
            Ok(())
        }
    }

    /// What a call does whose arguments stand in a window beyond the limit, its frame not yet entered: answers requests, or finds the
    /// stack full. Meanwhile the window counts as in use.
    #[cold]
    #[inline(never)]
    pub(crate) fn make_call_room(
        &mut self,
        code: *const CodeInstance,
        window: *mut Value,
    ) -> Fallible<()> {
        // SAFETY: instances live as long as the interpreter.
        let instance = unsafe { &*code };
        if !self.frames.has_room_for(window, instance.register_count) {
            return Err(RuntimeError::CallStackOverflow.into());
        }
        let caller = self.frames.mark();
        push_frame(self, code, window);
        let result = self.safepoint();
        self.frames.truncate(caller);
        result
    }

    /// What a call does whose window, which ends at `end`, is beyond the limit: answers requests, or finds the stack full.
    #[cold]
    #[inline(never)]
    pub(crate) fn make_window_room(&mut self, end: *const Value) -> Fallible<()> {
        self.safepoint()?;
        if self.frames.has_room_for(end, 0) {
            Ok(())
        } else {
            Err(RuntimeError::CallStackOverflow.into())
        }
    }
}

/// Why [`fill_up`] failed.
#[cold]
#[inline(never)]
fn entry_error(instance: &CodeInstance, argument_count: usize) -> Throw {
    if let Some(name) = instance.forbidden_parameter() {
        return Throw::message(format!("can't assign to {name}"));
    }
    if argument_count > instance.defaults.len() {
        return RuntimeError::TooManyArguments.into();
    }
    RuntimeError::CallStackOverflow.into()
}

/// Begins any call: enters a script function's frame (`None`), or runs an intrinsic and returns its result.
///
/// The arguments stand in the window from slot 3 on. `self_value` may be unassigned; `super_value` counts only if there is a
/// `self`.
#[inline(never)]
pub(super) fn begin(
    vm: &mut Vm,
    function: Gc<FunctionCell>,
    window: *mut Value,
    self_value: Value,
    super_value: Value,
    argument_count: usize,
) -> Fallible<Option<Value>> {
    // Before anything is written behind the caller's window, where others may write while the script is suspended.
    vm.make_room_for(function, window, 0)?;
    begin_in_room(
        vm,
        function,
        window,
        self_value,
        super_value,
        argument_count,
    )
}

/// [`begin`] for a window for which there is room.
pub(super) fn begin_in_room(
    vm: &mut Vm,
    function: Gc<FunctionCell>,
    window: *mut Value,
    self_value: Value,
    super_value: Value,
    argument_count: usize,
) -> Fallible<Option<Value>> {
    let is_method = !self_value.is_unassigned() && !self_value.is_null();
    // SAFETY: the first slots of a window are below the limit or in the red zone.
    unsafe {
        *window = Value::function(function);
        *window.add(1) = if is_method {
            self_value
        } else {
            Value::UNASSIGNED
        };
        *window.add(2) = if is_method {
            super_value
        } else {
            Value::UNASSIGNED
        };
    }
    match function.callee() {
        Callee::Script(code) => {
            let mut argument_count = argument_count;
            // SAFETY: instances live as long as the interpreter.
            if is_method && unsafe { (*code).self_parameter } {
                // SAFETY: there are at most 256 arguments, so the shifted ones end in the red zone at worst.
                unsafe {
                    std::ptr::copy(window.add(3), window.add(4), argument_count);
                    *window.add(3) = self_value;
                }
                argument_count += 1;
            }
            // SAFETY: instances live as long as the interpreter.
            let instance = unsafe { &*code };
            if argument_count != instance.parameter_count
                && !fill_up(vm, instance, window, argument_count)
            {
                return Err(entry_error(instance, argument_count));
            }
            begin_script(vm, code, window)
        }
        Callee::Intrinsic(intrinsic) => {
            run_intrinsic(vm, function, intrinsic, window, self_value, argument_count).map(Some)
        }
    }
}

/// Begins a call of a script function whose window is in order: runs compiled code, or enters a frame.
fn begin_script(
    vm: &mut Vm,
    code: *const CodeInstance,
    window: *mut Value,
) -> Fallible<Option<Value>> {
    // SAFETY: instances live as long as the interpreter.
    let instance = unsafe { &*code };
    // If so, `enter` has counted this call and left the rest to the slow path.
    let is_counted = instance.calls.has_ended();
    if is_counted {
        vm.is_hot(code, Hot::Call);
    }
    if instance.is_compiled() && !vm.profiles_exactly() {
        return vm.enter_compiled(code, window).map(Some);
    }
    if !is_counted && instance.calls.count() {
        vm.is_hot(code, Hot::Call);
    }
    push_frame(vm, code, window);
    Ok(None)
}

/// Runs an intrinsic whose arguments stand in the window from slot 3 on.
#[inline(always)]
fn run_intrinsic(
    vm: &mut Vm,
    function: Gc<FunctionCell>,
    intrinsic: &'static Intrinsic,
    window: *mut Value,
    self_value: Value,
    argument_count: usize,
) -> Fallible<Value> {
    let (mut first, mut argument_count) = (3, argument_count);
    if function.takes_self() && !self_value.is_unassigned() && !self_value.is_null() {
        // `self` stands right before the arguments if it is put into the slot of `super`.
        first = 2;
        argument_count += 1;
        // SAFETY: the first slots of a window are below the limit or in the red zone.
        unsafe { *window.add(2) = self_value };
    }
    let parameters = intrinsic.parameters;
    if argument_count > parameters.len() {
        return Err(RuntimeError::TooManyArguments.into());
    }
    for (index, parameter) in parameters.iter().enumerate().skip(argument_count) {
        let value = parameter.default_value(vm);
        // SAFETY: intrinsics have few parameters, so this is in the red zone at worst.
        unsafe { *window.add(first + index) = value };
    }
    // SAFETY: the arguments were just put in order.
    let arguments =
        unsafe { Arguments::new(intrinsic, window.add(first), parameters.len(), self_value) };
    if vm.profiler.is_some() {
        return profiled::run_intrinsic(vm, intrinsic, arguments);
    }
    (intrinsic.run)(vm, arguments)
}

/// Runs an intrinsic whose arguments stand in the window from slot 3 on, and delivers its result.
#[inline(always)]
fn deliver_intrinsic(
    vm: &mut Vm,
    site: Site,
    function: Gc<FunctionCell>,
    window: *mut Value,
    self_value: Value,
    argument_count: usize,
) -> Step {
    let Callee::Intrinsic(intrinsic) = function.callee() else {
        return Step::Continue;
    };
    vm.frames.set_next(site.next);
    site.feedback(usize::from(site.instruction.c()))
        .record_target(std::ptr::from_ref(intrinsic) as usize);
    match run_intrinsic(vm, function, intrinsic, window, self_value, argument_count) {
        Ok(value) => {
            site.set(site.instruction.a(), value);
            Step::Continue
        }
        Err(throw) => Step::Throw(throw),
    }
}

/// `call` of an intrinsic.
#[inline(never)]
fn call_intrinsic(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let Some(function) = site.get(site.instruction.b()).as_function() else {
        return Step::Continue;
    };
    // SAFETY: the verifier has checked that the window's fixed slots are registers.
    let window = unsafe { site.base.add(usize::from(site.instruction.b())) };
    let argument_count = usize::from(site.instruction.flags());
    deliver_intrinsic(
        vm,
        site,
        function,
        window,
        Value::UNASSIGNED,
        argument_count,
    )
}

/// `call_member` of an intrinsic that the inline cache knows.
#[inline(never)]
fn call_intrinsic_member(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let object = site.get(site.instruction.b() + 1);
    let Some(function) =
        access::cached_member(vm, site, object).and_then(|(value, _)| value.as_function())
    else {
        return Step::Continue;
    };
    // SAFETY: the verifier has checked that the window's fixed slots are registers.
    let window = unsafe { site.base.add(usize::from(site.instruction.b())) };
    let argument_count = usize::from(site.instruction.flags());
    if argument_count == 1 {
        vm.frames.set_next(site.next);
        let argument = site.get(site.instruction.b() + 3);
        if let Some(value) = shortcuts::search(vm, function, object, argument) {
            site.set(site.instruction.a(), value);
            return Step::Continue;
        }
    }
    deliver_intrinsic(vm, site, function, window, object, argument_count)
}

/// `get_member` of an intrinsic that the inline cache knows, which is called without arguments.
#[inline(never)]
pub(super) fn invoke_intrinsic_member(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let object = site.get(site.instruction.b());
    let Some(function) =
        access::cached_member(vm, site, object).and_then(|(value, _)| value.as_function())
    else {
        return Step::Continue;
    };
    let window = vm.frames.end();
    deliver_intrinsic(vm, site, function, window, object, 0)
}

/// Goes on after [`begin`]: the result of an intrinsic goes to the instruction's register.
fn begin_step(
    vm: &mut Vm,
    site: Site,
    function: Gc<FunctionCell>,
    window: *mut Value,
    self_value: Value,
    super_value: Value,
) -> Step {
    vm.frames.set_next(site.next);
    match begin(
        vm,
        function,
        window,
        self_value,
        super_value,
        usize::from(site.instruction.flags()),
    ) {
        Ok(Some(value)) => {
            site.set(site.instruction.a(), value);
            Step::Continue
        }
        Ok(None) => Step::Reload,
        Err(throw) => Step::Throw(throw),
    }
}

/// The result of calling something that is no function.
#[cold]
fn call_value(vm: &mut Vm, site: Site, value: Value) -> Step {
    if site.instruction.flags() > 0 {
        vm.frames.set_next(site.next);
        return Step::Throw(RuntimeError::TooManyArguments.into());
    }
    site.set(site.instruction.a(), value);
    Step::Continue
}

#[inline(never)]
pub(super) fn slow_call(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let feedback = site.index();
    // SAFETY: the verifier has checked that the window's fixed slots are registers.
    let window = unsafe { site.base.add(usize::from(site.instruction.b())) };
    let callee = site.get(site.instruction.b());
    match callee.as_function() {
        Some(function) => {
            site.feedback(feedback).record_target(target_of(function));
            begin_step(vm, site, function, window, Value::UNASSIGNED, Value::NULL)
        }
        None => call_value(vm, site, callee),
    }
}

#[inline(always)]
pub(super) fn call(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let callee = site.get(instruction.b());
    if let Some(function) = callee.as_function() {
        let Some(code) = function.script_code() else {
            return Step::Second(Second::CallIntrinsic);
        };
        site.feedback(usize::from(instruction.c()))
            .record_target(code as usize);
        // SAFETY: the verifier has checked that the window's fixed slots are registers.
        let window = unsafe { site.base.add(usize::from(instruction.b())) };
        return enter_inline(
            state,
            site,
            code,
            window,
            Value::UNASSIGNED,
            Value::UNASSIGNED,
            usize::from(instruction.flags()),
            slow_call,
        );
    }
    Step::Slow(slow_call)
}

/// `call` of an intrinsic, which the interpreter may do itself.
#[inline(always)]
pub(super) fn call_intrinsic_quickly(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    if instruction.flags() == 1
        && let Some(function) = site.get(instruction.b()).as_function()
        && let Some(value) = shortcuts::function(state.vm, function, site.get(instruction.b() + 3))
    {
        site.set(instruction.a(), value);
        return Step::Continue;
    }
    Step::Slow(call_intrinsic)
}

/// Calls a function without arguments that was found by reading a variable or member, in a window behind the caller's.
#[inline(always)]
pub(super) fn invoke_inline(
    state: &mut State,
    site: Site,
    function: Value,
    code: *const CodeInstance,
    self_value: Value,
    slow: SlowPath,
) -> Step {
    // SAFETY: windows end below the limit, so the fixed slots of the next one are in the red zone at worst. If the call cannot be
    // entered here, the slow path writes them again.
    let window = unsafe {
        let window = site.base.add(site.code().register_count);
        *window = function;
        window
    };
    enter_inline(
        state,
        site,
        code,
        window,
        self_value,
        Value::UNASSIGNED,
        0,
        slow,
    )
}

/// Enters a script function from the loop. The callee stands in window slot 0, arguments behind slot 2.
#[inline(always)]
#[expect(
    clippy::too_many_arguments,
    reason = "inlined: a struct of them would be one more name for the same things"
)]
fn enter_inline(
    state: &mut State,
    site: Site,
    code: *const CodeInstance,
    window: *mut Value,
    self_value: Value,
    super_value: Value,
    argument_count: usize,
    slow: SlowPath,
) -> Step {
    // SAFETY: window slots 0 to 2 are registers, or in the red zone; instances live as long as the interpreter.
    unsafe {
        *window.add(1) = self_value;
        if (*code).uses_super {
            *window.add(2) = super_value;
        }
    }
    state.vm.frames.set_next(site.next);
    match enter(state.vm, code, window, argument_count) {
        Some(frame) => {
            (state.next, state.base, state.code) = (frame.next, frame.base, frame.code);
            Step::Continue
        }
        // Another number of arguments than parameters, or the end of the stack.
        None => Step::Slow(slow),
    }
}

#[inline(always)]
pub(super) fn call_member(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let object = site.get(instruction.b() + 1);
    if let Some(value) = access::first_cached_member(state.vm, site, object)
        && let Some(function) = value.as_function()
        && let Some(code) = function.script_code()
    {
        return call_method(state, site, object, value, code);
    }
    Step::Second(Second::CallMember)
}

/// Calls a method of the script that an inline cache has led to.
#[inline(always)]
fn call_method(
    state: &mut State,
    site: Site,
    object: Value,
    method: Value,
    code: *const CodeInstance,
) -> Step {
    let instruction = site.instruction;
    // SAFETY: instances live as long as the interpreter.
    if unsafe { (*code).self_parameter || (*code).uses_super } {
        return Step::Slow(slow_call_member);
    }
    site.feedback(usize::from(instruction.c()))
        .record_target(code as usize);
    // SAFETY: the verifier has checked that the window's fixed slots are registers.
    let window = unsafe { site.base.add(usize::from(instruction.b())) };
    site.set(instruction.b(), method);
    enter_inline(
        state,
        site,
        code,
        window,
        object,
        Value::NULL,
        usize::from(instruction.flags()),
        slow_call_member,
    )
}

/// `call_member` of whatever the inline cache leads to.
#[inline(always)]
pub(super) fn call_any_member(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let object = site.get(instruction.b() + 1);
    if let Some((value, _)) = access::cached_member(state.vm, site, object)
        && let Some(function) = value.as_function()
    {
        let Some(code) = function.script_code() else {
            if instruction.flags() == 1
                && let Some(value) =
                    shortcuts::method(state.vm, function, object, site.get(instruction.b() + 3))
            {
                site.set(instruction.a(), value);
                return Step::Continue;
            }
            return Step::Slow(call_intrinsic_member);
        };
        return call_method(state, site, object, value, code);
    }
    Step::Slow(slow_call_member)
}

/// What `super` is in a method found in `holder`.
#[inline(never)]
pub(super) fn super_of(vm: &mut Vm, holder: Gc<MapCell>) -> Value {
    vm.isa_of(holder).unwrap_or(Value::NULL)
}

#[inline(never)]
pub(super) fn slow_call_member(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let feedback = site.index();
    vm.frames.set_next(site.next);
    let feedback = site.feedback(feedback);
    // SAFETY: the verifier has checked that the window's fixed slots are registers.
    let window = unsafe { site.base.add(usize::from(site.instruction.b())) };
    let mut object = site.get(site.instruction.b() + 1);
    if object.is_unassigned() {
        object = match access::outer_self(vm, site, true) {
            Ok(object) => object,
            Err(throw) => return Step::Throw(throw),
        };
        site.set(site.instruction.b() + 1, object);
    }
    let member = match access::cached_member_at(vm, feedback, object) {
        Some(member) => Ok(Some(member)),
        None => access::look_up_member(vm, feedback, object),
    };
    match member {
        Ok(Some(member)) => match member.value.as_function() {
            Some(function) => {
                feedback.record_target(target_of(function));
                // The profiler only foresees what the inline cache knows.
                if site.instruction.flags() == 1
                    && !vm.profiles_exactly()
                    && let Some(value) =
                        shortcuts::search(vm, function, object, site.get(site.instruction.b() + 3))
                {
                    site.set(site.instruction.a(), value);
                    return Step::Continue;
                }
                let super_value = match function.callee() {
                    // SAFETY: instances live as long as the interpreter.
                    Callee::Script(code) if unsafe { (*code).uses_super } => {
                        super_of(vm, member.holder)
                    }
                    _ => Value::NULL,
                };
                begin_step(vm, site, function, window, object, super_value)
            }
            None => call_value(vm, site, member.value),
        },
        Ok(None) => call_value(vm, site, Value::NULL),
        Err(throw) => Step::Throw(throw),
    }
}

#[inline(always)]
pub(super) fn call_super(_state: &mut State, _instruction: Operands) -> Step {
    Step::Slow(slow_call_super)
}

#[inline(never)]
pub(super) fn slow_call_super(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let feedback = site.index();
    vm.frames.set_next(site.next);
    let feedback = site.feedback(feedback);
    // SAFETY: the verifier has checked that the window's fixed slots are registers.
    let window = unsafe { site.base.add(usize::from(site.instruction.b())) };
    let (self_value, parent) = (
        site.get(site.instruction.b() + 1),
        site.get(site.instruction.b() + 2),
    );
    match access::look_up_member(vm, feedback, parent) {
        Ok(Some(member)) => match member.value.as_function() {
            Some(function) => {
                feedback.record_target(target_of(function));
                let super_value = super_of(vm, member.holder);
                begin_step(vm, site, function, window, self_value, super_value)
            }
            None => call_value(vm, site, member.value),
        },
        Ok(None) => call_value(vm, site, Value::NULL),
        Err(throw) => Step::Throw(throw),
    }
}

#[inline(always)]
pub(super) fn call_index(state: &mut State, instruction: Operands) -> Step {
    // What `list[index] += 1` reads is hardly ever a function.
    let site = state.site(instruction);
    if instruction.flags() == 0
        && let Some(list) = site.get(instruction.b() + 1).as_list()
        && let Some(index) = front_index(site.get(instruction.c()).number_or_nan())
        && let Some(value) = list.get(index)
        && !value.is_function()
    {
        site.set(instruction.a(), value);
        return Step::Continue;
    }
    Step::Slow(slow_call_index)
}

#[inline(never)]
fn slow_call_index(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    vm.frames.set_next(site.next);
    // SAFETY: the verifier has checked that the window's fixed slots are registers.
    let window = unsafe { site.base.add(usize::from(site.instruction.b())) };
    let object = site.get(site.instruction.b() + 1);
    let index = site.get(site.instruction.c());
    if site.instruction.flags() == 0
        && let Some(map) = object.as_map()
        && let Some(value) = vm.map_get_quick(map, index)
        && !value.is_function()
    {
        site.set(site.instruction.a(), value);
        return Step::Continue;
    }
    match vm.statement_element(object, index) {
        Ok((value, holder)) => match value.as_function() {
            Some(function) => {
                let super_value = holder.map_or(Value::NULL, |holder| super_of(vm, holder));
                begin_step(vm, site, function, window, object, super_value)
            }
            None => call_value(vm, site, value),
        },
        Err(throw) => Step::Throw(throw),
    }
}

#[inline(always)]
pub(super) fn invoke(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let value = site.get(instruction.b());
    if !value.is_function() {
        site.set(instruction.a(), value);
        return Step::Continue;
    }
    Step::Second(Second::Invoke)
}

/// `invoke` of a function.
#[inline(always)]
pub(super) fn invoke_register(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let value = site.get(instruction.b());
    if let Some(function) = value.as_function()
        && let Some(code) = function.script_code()
    {
        site.feedback(usize::from(instruction.c()))
            .record_target(code as usize);
        return invoke_inline(state, site, value, code, Value::UNASSIGNED, slow_invoke);
    }
    Step::Slow(slow_invoke)
}

#[inline(never)]
pub(super) fn slow_invoke(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let feedback = site.index();
    let value = site.get(site.instruction.b());
    match value.as_function() {
        Some(function) => {
            site.feedback(feedback).record_target(target_of(function));
            invoke_function(vm, site, function, Value::UNASSIGNED, Value::NULL)
        }
        None => {
            site.set(site.instruction.a(), value);
            Step::Continue
        }
    }
}

#[inline(always)]
pub(super) fn return_value(state: &mut State, instruction: Operands) -> Step {
    let value = state.site(instruction).get(instruction.a());
    state.vm.frames.pop();
    if state.vm.frames.mark() == state.entry {
        return Step::Done(value);
    }
    state.reload();
    let call = Operands(state.next);
    state.site(call).set(call.a(), value);
    Step::Continue
}

/// Whether a read in this mode calls the function it found.
#[inline(always)]
pub(super) fn invokes(mode: ReadMode, value: Value) -> bool {
    value.is_function() && mode.has(ReadMode::INVOKE)
}
