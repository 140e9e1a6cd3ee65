//! Lists: the intrinsics of their own, and how those for all collections work on them.

use super::{Arguments, Intrinsic, check_text_size, fail, number, parameter, text};
use crate::error::{Fallible, RuntimeError};
use crate::heap::Gc;
use crate::object::list::{ListCell, MAX_COMPUTED_LENGTH};
use crate::object::string;
use crate::safepoint::POLL_INTERVAL;
use crate::semantics::to_integer;
use crate::value::Value;
use crate::vm::Vm;

/// The table of the family.
pub static TABLE: &[Intrinsic] = &[
    Intrinsic {
        name: "join",
        parameters: &[parameter("self"), text("delimiter", " ")],
        help: "the texts of a list's elements in one string, with the delimiter between them",
        run: join,
    },
    Intrinsic {
        name: "range",
        parameters: &[number("from", 0.0), number("to", 0.0), parameter("step")],
        help: "a list of the numbers from one to another, both included; the step is 1 or -1 unless given",
        run: range,
    },
];

fn join(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let Some(list) = arguments.get(0).as_list() else {
        return Ok(arguments.get(0));
    };
    let delimiter = vm.argument_text(arguments.get(1))?;
    let part = |index| element(list, index).as_string();
    let poll = |vm: &mut Vm, index| vm.poll_at(index);
    if let Some(joined) = string::join_all(vm, delimiter, list.length(), part, poll)? {
        return Ok(Value::string(joined));
    }
    let mut joined = String::new();
    for index in 0..list.length() {
        if index > 0 {
            joined.push_str(delimiter.flat_str(vm)?);
        }
        vm.append_text(element(list, index), &mut joined)?;
        check_text_size(&joined)?;
        vm.poll_at(index)?;
    }
    vm.new_string(&joined)
}

fn range(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let (from, to) = (arguments.number(0), arguments.number(1));
    let step = match arguments.get(2).as_number() {
        Some(step) => step,
        None if to >= from => 1.0,
        None => -1.0,
    };
    if step == 0.0 {
        return fail("range() error (step==0)");
    }
    let count = i64::from(to_integer(Value::number((to - from) / step))) + 1;
    if !(0..=i64::from(i32::MAX)).contains(&count) {
        return fail("range() error");
    }
    if count > MAX_COMPUTED_LENGTH as i64 {
        return Err(RuntimeError::ListTooLarge.into());
    }
    let list = ListCell::allocate(vm, count as usize)?;
    let mut value = from;
    while if step > 0.0 { value <= to } else { value >= to } {
        let next = value + step;
        // Next to a large number a small step is lost, and such a range would never end.
        if next == value || list.length() == MAX_COMPUTED_LENGTH {
            return Err(RuntimeError::ListTooLarge.into());
        }
        vm.poll_at(list.length())?;
        list.push(vm, Value::number(value))?;
        value = next;
    }
    Ok(Value::list(list))
}

/// The list of the whole numbers from 0 up to and without `length`.
pub(super) fn count_up(vm: &mut Vm, length: usize) -> Fallible<Value> {
    let list = ListCell::allocate(vm, length)?;
    for index in 0..length {
        vm.poll_at(index)?;
        list.push(vm, Value::number(index as f64))?;
    }
    Ok(Value::list(list))
}

/// The index of the first element from `start` on that equals `value`.
pub(super) fn index_of(
    vm: &mut Vm,
    list: Gc<ListCell>,
    value: Value,
    start: usize,
) -> Fallible<Value> {
    let found = match (list.as_numbers(), value.as_number()) {
        (Some(numbers), Some(number)) => {
            let rest = numbers.get(start..).unwrap_or_default();
            rest.iter()
                .position(|element| *element == number)
                .map(|offset| start + offset)
        }
        // Nothing else equals a number.
        (Some(_), None) => None,
        (None, Some(number)) => {
            let rest = list.as_slice().get(start..).unwrap_or_default();
            rest.iter()
                .position(|element| element.as_number() == Some(number))
                .map(|offset| start + offset)
        }
        (None, None) => find(vm, list, value, start)?,
    };
    Ok(found.map_or(Value::NULL, |index| Value::number(index as f64)))
}

fn find(vm: &mut Vm, list: Gc<ListCell>, value: Value, start: usize) -> Fallible<Option<usize>> {
    for index in start..list.length() {
        vm.poll_at(index)?;
        if vm.deep_equal(element(list, index), value)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// Removes the element that `index` means.
pub(super) fn remove(vm: &mut Vm, list: Gc<ListCell>, index: Value) -> Fallible<Value> {
    let length = list.length() as i64;
    let index = match i64::from(to_integer(index)) {
        index if index < 0 => index + length,
        index => index,
    };
    if !(0..length).contains(&index) {
        return Err(RuntimeError::IndexOutOfRange {
            index,
            low: 0,
            high: length - 1,
        }
        .into());
    }
    list.remove(vm, index as usize);
    Ok(Value::NULL)
}

/// Replaces the first `most` elements that equal `old`.
pub(super) fn replace(
    vm: &mut Vm,
    list: Gc<ListCell>,
    old: Value,
    new: Value,
    most: usize,
) -> Fallible<()> {
    let (mut replaced, mut start) = (0, 0);
    while replaced < most
        && let Some(index) = find(vm, list, old, start)?
    {
        list.set(vm, index, new);
        replaced += 1;
        start = index + 1;
    }
    Ok(())
}

/// The sum of the elements that are numbers, from the first to the last.
pub(super) fn sum(vm: &mut Vm, list: Gc<ListCell>) -> Fallible<f64> {
    if let Some(numbers) = list.as_numbers() {
        return sum_of_numbers(vm, numbers);
    }
    let mut sum = 0.0;
    for (index, element) in list.as_slice().iter().enumerate() {
        vm.poll_at(index)?;
        sum += element.as_number().unwrap_or(0.0);
    }
    Ok(sum)
}

fn sum_of_numbers(vm: &mut Vm, numbers: &[f64]) -> Fallible<f64> {
    let mut sum = 0.0;
    for numbers in numbers.chunks(POLL_INTERVAL) {
        for number in numbers {
            sum += number;
        }
        vm.poll()?;
    }
    Ok(sum)
}

fn element(list: Gc<ListCell>, index: usize) -> Value {
    list.get(index).unwrap_or(Value::NULL)
}
