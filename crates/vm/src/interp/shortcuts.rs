//! The usual cases of the commonest intrinsics, done where they are called. Everything unusual is left to the intrinsic.

use super::whole::{front_index, to_i32};
use crate::heap::Gc;
use crate::intrinsics::Shortcut;
use crate::object::function::FunctionCell;
use crate::object::string;
use crate::semantics::access::position;
use crate::value::Value;
use crate::vm::Vm;

/// `object.name`, where the name means this intrinsic.
#[inline(always)]
pub(super) fn property(function: Gc<FunctionCell>, object: Value) -> Option<Value> {
    let shortcut = function.shortcut();
    if let Some(list) = object.as_list() {
        if shortcut == Shortcut::Length {
            return Some(Value::number(list.length() as f64));
        }
        if shortcut == Shortcut::Pop {
            return list.pop();
        }
        if shortcut == Shortcut::Pull {
            return list.pull();
        }
        return None;
    }
    let text = object.as_string()?;
    if shortcut == Shortcut::Length {
        return Some(Value::number(text.length() as f64));
    }
    if shortcut == Shortcut::Code {
        return text
            .byte_if_ascii(0)
            .map(|byte| Value::number(f64::from(byte)));
    }
    None
}

/// `object.name(argument)`, where the name means this intrinsic.
#[inline(always)]
pub(super) fn method(
    vm: &mut Vm,
    function: Gc<FunctionCell>,
    object: Value,
    argument: Value,
) -> Option<Value> {
    if function.shortcut() == Shortcut::Push {
        return object
            .as_list()?
            .push_in_place(vm, argument)
            .then_some(object);
    }
    None
}

/// As [`method`], for what takes a little longer: it may flatten a string, so it must know where the program stands.
pub(super) fn search(
    vm: &mut Vm,
    function: Gc<FunctionCell>,
    object: Value,
    argument: Value,
) -> Option<Value> {
    match function.shortcut() {
        Shortcut::HasIndex => {
            if let Some(map) = object.as_map() {
                // An error comes again when the intrinsic looks.
                return Some(Value::truth(vm.map_has(map, argument).ok()?));
            }
            let length = match object.as_list() {
                Some(list) => list.length(),
                None => object.as_string()?.length(),
            };
            let index = argument.as_number();
            Some(Value::truth(
                index.is_some_and(|index| position(index, length).is_some()),
            ))
        }
        Shortcut::IndexOf => {
            let numbers = object.as_list()?.as_numbers()?;
            let number = argument.as_number()?;
            let index = numbers.iter().position(|element| *element == number);
            Some(index.map_or(Value::NULL, |index| Value::number(index as f64)))
        }
        Shortcut::Remove => {
            let list = object.as_list()?;
            let index = front_index(argument.number_or_nan())?;
            if index >= list.length() {
                return None;
            }
            list.remove(vm, index);
            Some(Value::NULL)
        }
        _ => None,
    }
}

/// `name(argument)`, where the name means this intrinsic.
#[inline(always)]
pub(super) fn function(vm: &mut Vm, function: Gc<FunctionCell>, argument: Value) -> Option<Value> {
    match function.shortcut() {
        Shortcut::Floor => floor(argument.number_or_nan()).map(Value::arithmetic),
        Shortcut::Character => {
            let number = argument.number_or_nan();
            let code = number as u32;
            (f64::from(code) == number)
                .then(|| string::shared_character(vm, code))?
                .map(Value::string)
        }
        Shortcut::Length | Shortcut::Code => property(function, argument),
        _ => None,
    }
}

/// The greatest whole number that is not above `number`, if that is easily found. (Processors that round in one
/// instruction are not the baseline.)
#[inline(always)]
fn floor(number: f64) -> Option<f64> {
    let whole = f64::from(to_i32(number));
    if whole == number {
        // The number itself, which may be a zero with a sign.
        return Some(number);
    }
    let below = if whole > number { whole - 1.0 } else { whole };
    (number.abs() < f64::from(i32::MAX)).then_some(below)
}
