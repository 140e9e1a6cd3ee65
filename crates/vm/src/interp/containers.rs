//! Lists, maps, indexing.

use super::arith::observed_kinds;
use super::whole::front_index;
use super::{Next, Operands, Site, State, Step, finish, is_unsettled};
use crate::object::list::ListCell;
use crate::object::string;
use crate::value::Value;
use crate::vm::Vm;

#[inline(always)]
pub(super) fn new_list(_state: &mut State, _instruction: Operands) -> Step {
    Step::Slow(slow_new_list)
}

#[inline(never)]
fn slow_new_list(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    vm.frames.set_next(site.next);
    match ListCell::allocate(vm, usize::from(site.instruction.b())) {
        Ok(list) => {
            site.set(site.instruction.a(), Value::list(list));
            Step::Continue
        }
        Err(throw) => Step::Throw(throw),
    }
}

#[inline(always)]
pub(super) fn append(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let value = site.get(instruction.b());
    if let Some(list) = site.get(instruction.a()).as_list()
        && list.push_in_place(state.vm, value)
    {
        return Step::Continue;
    }
    Step::Slow(slow_append)
}

#[inline(never)]
fn slow_append(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    vm.frames.set_next(site.next);
    let Some(list) = site.get(site.instruction.a()).as_list() else {
        return Step::Continue;
    };
    match list.push(vm, site.get(site.instruction.b())) {
        Ok(()) => Step::Continue,
        Err(throw) => Step::Throw(throw),
    }
}

#[inline(always)]
pub(super) fn new_map(_state: &mut State, _instruction: Operands) -> Step {
    Step::Slow(slow_new_map)
}

/// Inline slots of a map written `{}`: it will be given fields.
const EMPTY_LITERAL_SLOTS: usize = 4;

/// The inline slots of a map literal with so many entries.
pub(crate) fn literal_slots(capacity: usize) -> usize {
    match capacity {
        0 => EMPTY_LITERAL_SLOTS,
        capacity => capacity,
    }
}

#[inline(never)]
fn slow_new_map(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    vm.frames.set_next(site.next);
    match vm.new_map(literal_slots(usize::from(site.instruction.b()))) {
        Ok(map) => {
            site.set(site.instruction.a(), Value::map(map));
            Step::Continue
        }
        Err(throw) => Step::Throw(throw),
    }
}

#[inline(always)]
pub(super) fn init_index(_state: &mut State, _instruction: Operands) -> Step {
    Step::Slow(slow_set_index)
}

#[inline(always)]
pub(super) fn get_index(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let (object, index) = (site.get(instruction.b()), site.get(instruction.c()));
    if let Some(list) = object.as_list()
        && let Some(index) = front_index(index.number_or_nan())
        && let Some(value) = list.get(index)
    {
        site.set(instruction.a(), value);
        return Step::Continue;
    }
    Step::Slow(slow_get_index)
}

#[inline(never)]
fn slow_get_index(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    vm.frames.set_next(site.next);
    let (object, index) = (
        site.get(site.instruction.b()),
        site.get(site.instruction.c()),
    );
    site.observe(observed_kinds(object));
    if let Some(value) = quick_element(vm, object, index) {
        site.set(site.instruction.a(), value);
        return Step::Continue;
    }
    if (is_unsettled(object) || is_unsettled(index))
        && site.code().block.invoke_path(site.position()).is_some()
    {
        return finish(vm, site, Ok(Value::NULL), true);
    }
    let result = vm.element(object, index);
    finish(vm, site, result, false)
}

/// The usual elements of strings and maps.
#[inline(always)]
fn quick_element(vm: &mut Vm, object: Value, index: Value) -> Option<Value> {
    if let Some(map) = object.as_map() {
        return vm.map_get_quick(map, index);
    }
    let byte = object
        .as_string()?
        .byte_if_ascii(front_index(index.number_or_nan())?)?;
    string::shared_character(vm, u32::from(byte)).map(Value::string)
}

#[inline(always)]
pub(super) fn set_index(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let (object, index) = (site.get(instruction.a()), site.get(instruction.b()));
    if let Some(list) = object.as_list()
        && let Some(index) = front_index(index.number_or_nan())
        && index < list.length()
        && list.set_quickly(&state.vm.heap, index, site.get(instruction.c()))
    {
        return Step::Continue;
    }
    Step::Slow(slow_set_index)
}

#[inline(never)]
fn slow_set_index(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    vm.frames.set_next(site.next);
    let (object, index) = (
        site.get(site.instruction.a()),
        site.get(site.instruction.b()),
    );
    site.observe(observed_kinds(object));
    let value = site.get(site.instruction.c());
    if let Some(map) = object.as_map()
        && vm.map_replace_quick(map, index, value)
    {
        return Step::Continue;
    }
    let invoke_path = site.code().block.invoke_path(site.position());
    if (is_unsettled(object) || is_unsettled(index))
        && let Some(target) = invoke_path
    {
        return super::continue_at(vm, site, target);
    }
    match vm.set_element(object, index, value) {
        Ok(()) => Step::Continue,
        Err(throw) => match invoke_path {
            Some(target) => super::continue_at(vm, site, target),
            None => Step::Throw(throw),
        },
    }
}

#[inline(always)]
pub(super) fn slice(_state: &mut State, _instruction: Operands) -> Step {
    Step::Slow(slow_slice)
}

#[inline(never)]
fn slow_slice(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    vm.frames.set_next(site.next);
    let object = site.get(site.instruction.b());
    let (from, to) = (
        site.get(site.instruction.c()),
        site.get(site.instruction.c() + 1),
    );
    if object.is_function() && site.code().block.invoke_path(site.position()).is_some() {
        return finish(vm, site, Ok(Value::NULL), true);
    }
    let result = vm.slice_value(object, from, to);
    finish(vm, site, result, false)
}

#[inline(always)]
pub(super) fn new(_state: &mut State, _instruction: Operands) -> Step {
    Step::Slow(slow_new)
}

#[inline(never)]
fn slow_new(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    vm.frames.set_next(site.next);
    let prototype = site.get(site.instruction.b());
    if prototype.is_function() && site.code().block.invoke_path(site.position()).is_some() {
        return finish(vm, site, Ok(Value::NULL), true);
    }
    let result = vm.new_value(prototype);
    finish(vm, site, result, false)
}
