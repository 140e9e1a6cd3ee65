//! Function literals.

use std::cell::Cell;

use super::{Next, Operands, Site, State, Step};
use crate::object::function::FunctionCell;
use crate::value::Value;
use crate::vm::Vm;

#[inline(always)]
pub(super) fn new_function(_state: &mut State, _instruction: Operands) -> Step {
    Step::Slow(slow_new_function)
}

/// The function of a literal that makes no closure: always the same.
#[inline(never)]
pub(super) fn slow_new_function(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let index = site.index();
    vm.frames.set_next(site.next);
    let known: &Cell<Value> = &site.code().static_functions[index];
    if known.get().is_null() {
        let function = match vm.nested_instance(site.code(), index) {
            Ok(code) => FunctionCell::script(vm, code, Value::NULL, Value::UNASSIGNED),
            Err(throw) => Err(throw),
        };
        match function {
            Ok(function) => known.set(Value::function(function)),
            Err(throw) => return Step::Throw(throw),
        }
    }
    site.set(site.instruction.a(), known.get());
    Step::Continue
}

#[inline(always)]
pub(super) fn new_closure(_state: &mut State, _instruction: Operands) -> Step {
    Step::Slow(slow_new_closure)
}

/// A new function bound to the frame's variables.
#[inline(never)]
pub(super) fn slow_new_closure(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let index = site.index();
    vm.frames.set_next(site.next);
    let variables = site.get(site.instruction.b());
    let outer = if variables.as_map().is_some() {
        variables
    } else {
        Value::NULL
    };
    let outer_self = if site.code().block.is_top_level {
        Value::UNASSIGNED
    } else {
        site.get(1)
    };
    let function = match vm.nested_instance(site.code(), index) {
        Ok(code) => FunctionCell::script(vm, code, outer, outer_self),
        Err(throw) => Err(throw),
    };
    match function {
        Ok(function) => {
            site.set(site.instruction.a(), Value::function(function));
            Step::Continue
        }
        Err(throw) => Step::Throw(throw),
    }
}
