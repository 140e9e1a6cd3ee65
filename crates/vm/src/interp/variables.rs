//! Variables: locals that may be unassigned, globals, variables looked up by name, scope maps.

use kiln_bytecode::ReadMode;

use super::access::{cached_variable, note_variable, store_cached, store_variable};
use super::calls::{invoke_inline, invokes, super_of};
use super::{Next, Operands, Second, Site, State, Step, invoke_function, target_of};
use crate::error::{Fallible, RuntimeError};
use crate::feedback::FeedbackCell;
use crate::heap::Gc;
use crate::object::map::MapCell;
use crate::object::map::shape::ShapeId;
use crate::object::string::StringCell;
use crate::value::Value;
use crate::vm::Vm;

/// Delivers a value that was read: calls it if it is a function and the mode says so.
fn deliver(vm: &mut Vm, site: Site, value: Value, feedback: Option<&FeedbackCell>) -> Step {
    match value.as_function() {
        Some(function) if invokes(ReadMode(site.instruction.flags()), value) => {
            if let Some(feedback) = feedback {
                feedback.record_target(target_of(function));
            }
            invoke_function(vm, site, function, Value::UNASSIGNED, Value::NULL)
        }
        _ => {
            site.set(site.instruction.a(), value);
            Step::Continue
        }
    }
}

/// Looks a name up where it is no local: in the function's outer variables, the globals, the intrinsics.
fn find_nonlocal(vm: &mut Vm, site: Site, name: Gc<StringCell>) -> Fallible<Value> {
    let mode = ReadMode(site.instruction.flags());
    if mode.has(ReadMode::STRICT) {
        return Err(RuntimeError::UndefinedLocalIdentifier(vm.text_of(name)).into());
    }
    if mode.has(ReadMode::WARN) {
        vm.warn_about_nonlocal(name, site.code(), site.position());
    }
    if let Some(function) = site.get(0).as_function()
        && let Some(outer) = function.outer().as_map()
        && let Some(value) = vm.map_get_interned(outer, name)
    {
        return Ok(value);
    }
    let index = vm.global_index(name);
    let cell = vm.globals.cell(index);
    let (value, fallback) = (cell.value.get(), cell.fallback.get());
    if !value.is_unassigned() {
        Ok(value)
    } else if !fallback.is_unassigned() {
        Ok(fallback)
    } else {
        vm.undefined(name)
    }
}

#[inline(always)]
pub(super) fn read_local(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let value = site.get(instruction.b());
    if value.is_number() || (!value.is_unassigned() && !value.is_function()) {
        site.set(instruction.a(), value);
        return Step::Continue;
    }
    Step::Slow(slow_read_local)
}

#[inline(never)]
pub(super) fn slow_read_local(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let feedback = site.index();
    vm.frames.set_next(site.next);
    let feedback = site.feedback(feedback);
    let mut value = site.get(site.instruction.b());
    if value.is_unassigned() {
        value = match find_nonlocal(vm, site, feedback.key_string()) {
            Ok(value) => value,
            Err(throw) => return Step::Throw(throw),
        };
    }
    deliver(vm, site, value, Some(feedback))
}

#[inline(always)]
pub(super) fn get_global(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    // SAFETY: the verifier has checked indexes of globals; global cells live as long as the interpreter.
    let cell = unsafe {
        &*site
            .code()
            .globals
            .get_unchecked(instruction.bc() as usize)
            .get()
    };
    let value = cell.value.get();
    if value.is_number() || (!value.is_unassigned() && !value.is_function()) {
        site.set(instruction.a(), value);
        return Step::Continue;
    }
    if instruction.flags() == ReadMode::PLAIN.0 {
        let value = if value.is_unassigned() {
            cell.fallback.get()
        } else {
            value
        };
        if !value.is_unassigned() {
            site.set(instruction.a(), value);
            return Step::Continue;
        }
    }
    if instruction.flags() == ReadMode::INVOKE.0 {
        return Step::Second(Second::InvokeGlobal);
    }
    Step::Slow(slow_get_global)
}

/// `get_global` of a global that holds a function, which is called.
#[inline(always)]
pub(super) fn invoke_global(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    // SAFETY: as in `get_global`.
    let cell = unsafe {
        &*site
            .code()
            .globals
            .get_unchecked(instruction.bc() as usize)
            .get()
    };
    let value = cell.value.get();
    if let Some(function) = value.as_function()
        && let Some(code) = function.script_code()
    {
        return invoke_inline(state, site, value, code, Value::UNASSIGNED, slow_get_global);
    }
    Step::Slow(slow_get_global)
}

#[inline(never)]
fn slow_get_global(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    vm.frames.set_next(site.next);
    let pointer = site.code().globals[site.instruction.bc() as usize].get();
    // SAFETY: global cells live as long as the interpreter.
    let cell = unsafe { &*pointer };
    let mut value = cell.value.get();
    let mode = ReadMode(site.instruction.flags());
    if mode.has(ReadMode::MEMBER) {
        return global_member(vm, site, value);
    }
    if value.is_unassigned() {
        value = cell.fallback.get();
        if value.is_unassigned() || mode.has(ReadMode::WARN) || mode.has(ReadMode::STRICT) {
            let name = site.code().block.globals[site.instruction.bc() as usize];
            let Some(name) = site.constant(name as usize).as_string() else {
                return Step::Continue;
            };
            value = match find_nonlocal(vm, site, name) {
                Ok(value) => value,
                Err(throw) => return Step::Throw(throw),
            };
        }
    } else if ReadMode(site.instruction.flags()).has(ReadMode::STRICT)
        && !site.code().block.is_top_level
    {
        // A global is no local of a function.
        let name = site.code().block.globals[site.instruction.bc() as usize];
        let Some(name) = site.constant(name as usize).as_string() else {
            return Step::Continue;
        };
        return Step::Throw(RuntimeError::UndefinedLocalIdentifier(vm.text_of(name)).into());
    }
    deliver(vm, site, value, None)
}

/// `globals.x`, where `x` has no value or holds a function.
fn global_member(vm: &mut Vm, site: Site, value: Value) -> Step {
    let globals = Value::map(vm.globals_map);
    let mut value = value;
    if value.is_unassigned() {
        let name = site.code().block.globals[site.instruction.bc() as usize];
        let Some(name) = site.constant(name as usize).as_string() else {
            return Step::Continue;
        };
        value = match vm.find_member(globals, name) {
            Ok(member) => member.map_or(Value::NULL, |member| member.value),
            Err(throw) => return Step::Throw(throw),
        };
    }
    match value.as_function() {
        Some(function) if invokes(ReadMode(site.instruction.flags()), value) => {
            let super_value = super_of(vm, vm.globals_map);
            invoke_function(vm, site, function, globals, super_value)
        }
        _ => {
            site.set(site.instruction.a(), value);
            Step::Continue
        }
    }
}

#[inline(always)]
pub(super) fn set_global(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    // SAFETY: as in `get_global`.
    let cell = unsafe {
        &*site
            .code()
            .globals
            .get_unchecked(instruction.bc() as usize)
            .get()
    };
    if !cell.value.get().is_unassigned() {
        cell.value.set(site.get(instruction.a()));
        return Step::Continue;
    }
    Step::Slow(slow_set_global)
}

#[cold]
#[inline(never)]
fn slow_set_global(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let number = site.code().global_numbers[site.instruction.bc() as usize];
    vm.globals
        .assign_as_counted(number, site.get(site.instruction.a()));
    Step::Continue
}

#[inline(always)]
pub(super) fn get_variable(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let feedback = site.feedback(usize::from(instruction.c()));
    if let Some(map) = site.get(instruction.b()).as_map()
        && let Some(slot) = cached_variable(feedback, map)
    {
        let value = map.slot(slot).get();
        if !value.is_function() || instruction.flags() == ReadMode::PLAIN.0 {
            site.set(instruction.a(), value);
            return Step::Continue;
        }
    }
    Step::Slow(slow_get_variable)
}

#[inline(never)]
pub(super) fn slow_get_variable(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let feedback = site.index();
    vm.frames.set_next(site.next);
    let feedback = site.feedback(feedback);
    if let Some(map) = site.get(site.instruction.b()).as_map()
        && let Some(value) = vm.map_get_interned(map, feedback.key_string())
    {
        note_variable(vm, feedback, map);
        return deliver(vm, site, value, Some(feedback));
    }
    match find_nonlocal(vm, site, feedback.key_string()) {
        Ok(value) => deliver(vm, site, value, Some(feedback)),
        Err(throw) => Step::Throw(throw),
    }
}

/// The variable map of the function's creator, if it has any variables.
#[inline(always)]
fn outer_map(site: Site) -> Option<Gc<MapCell>> {
    site.get(0).as_function()?.outer().as_map()
}

#[inline(always)]
pub(super) fn get_outer_variable(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let feedback = site.feedback(usize::from(instruction.c()));
    if let Some(map) = outer_map(site)
        && let Some(slot) = cached_variable(feedback, map)
    {
        let value = map.slot(slot).get();
        if !value.is_function() || instruction.flags() == ReadMode::PLAIN.0 {
            site.set(instruction.a(), value);
            return Step::Continue;
        }
    }
    Step::Slow(slow_get_outer_variable)
}

#[inline(never)]
pub(super) fn slow_get_outer_variable(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let feedback = site.index();
    vm.frames.set_next(site.next);
    let feedback = site.feedback(feedback);
    let mode = ReadMode(site.instruction.flags());
    if !mode.has(ReadMode::STRICT)
        && !mode.has(ReadMode::WARN)
        && let Some(map) = outer_map(site)
        && let Some(value) = vm.map_get_interned(map, feedback.key_string())
    {
        note_variable(vm, feedback, map);
        return deliver(vm, site, value, Some(feedback));
    }
    match find_nonlocal(vm, site, feedback.key_string()) {
        Ok(value) => deliver(vm, site, value, Some(feedback)),
        Err(throw) => Step::Throw(throw),
    }
}

#[inline(always)]
pub(super) fn set_variable(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let feedback = site.feedback(usize::from(instruction.c()));
    if store_cached(
        state.vm,
        feedback,
        site.get(instruction.a()),
        site.get(instruction.b()),
    ) {
        return Step::Continue;
    }
    Step::Slow(slow_set_variable)
}

#[inline(never)]
pub(super) fn slow_set_variable(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let feedback = site.index();
    vm.frames.set_next(site.next);
    let Some(map) = site.get(site.instruction.a()).as_map() else {
        return Step::Continue;
    };
    match store_variable(
        vm,
        site.feedback(feedback),
        map,
        site.get(site.instruction.b()),
    ) {
        Ok(()) => Step::Continue,
        Err(throw) => Step::Throw(throw),
    }
}

#[inline(always)]
pub(super) fn new_variables(_state: &mut State, _instruction: Operands) -> Step {
    Step::Slow(slow_new_variables)
}

#[inline(never)]
fn slow_new_variables(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    vm.frames.set_next(site.next);
    match vm.new_map(
        site.code()
            .variable_count
            .min(crate::object::map::MAX_INLINE_SLOTS),
    ) {
        Ok(map) => {
            site.set(site.instruction.a(), Value::map(map));
            Step::Continue
        }
        Err(throw) => Step::Throw(throw),
    }
}

#[inline(always)]
pub(super) fn bind_super(_state: &mut State, _instruction: Operands) -> Step {
    Step::Slow(slow_bind_super)
}

#[inline(never)]
pub(super) fn slow_bind_super(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let feedback = site.index();
    vm.frames.set_next(site.next);
    let value = site.get(2);
    let Some(map) = site.get(site.instruction.a()).as_map() else {
        return Step::Continue;
    };
    if value.is_unassigned() {
        return Step::Continue;
    }
    match store_variable(vm, site.feedback(feedback), map, value) {
        Ok(()) => Step::Continue,
        Err(throw) => Step::Throw(throw),
    }
}

#[inline(always)]
pub(super) fn get_outer(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    if let Some(map) = outer_map(site)
        && map.shape() != ShapeId::NONE
        && state.vm.shapes.has_keys(map.shape())
    {
        site.set(instruction.a(), Value::map(map));
        return Step::Continue;
    }
    Step::Slow(slow_get_outer)
}

fn slow_get_outer(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let outer = outer_map(site)
        .filter(|map| vm.map_length(*map) > 0)
        .unwrap_or(vm.globals_map);
    site.set(site.instruction.a(), Value::map(outer));
    Step::Continue
}

#[inline(always)]
pub(super) fn get_globals(state: &mut State, instruction: Operands) -> Step {
    let globals = state.vm.globals_map;
    state
        .site(instruction)
        .set(instruction.a(), Value::map(globals));
    Step::Continue
}
