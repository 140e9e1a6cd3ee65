//! Intrinsics that serve lists, maps and strings: what they have in common, and the choice between the three.

use super::{Arguments, Intrinsic, fail, lists, maps, number, parameter, strings};
use crate::error::{Fallible, RuntimeError};
use crate::heap::Gc;
use crate::object::list::ListCell;
use crate::object::map::MapCell;
use crate::object::string::StringCell;
use crate::semantics::access::position;
use crate::semantics::to_integer;
use crate::value::Value;
use crate::vm::Vm;

/// The table of the family.
pub static TABLE: &[Intrinsic] = &[
    Intrinsic {
        name: "hasIndex",
        parameters: &[parameter("self"), parameter("index")],
        help: "1 if a list or string has this index, or a map this key, else 0",
        run: has_index,
    },
    Intrinsic {
        name: "indexes",
        parameters: &[parameter("self")],
        help: "a list of the keys of a map, or of the indexes of a list or string",
        run: indexes,
    },
    Intrinsic {
        name: "indexOf",
        parameters: &[parameter("self"), parameter("value"), parameter("after")],
        help: "the first index or key of the value, searching behind the index or key `after`; null if there is none",
        run: index_of,
    },
    Intrinsic {
        name: "insert",
        parameters: &[parameter("self"), parameter("index"), parameter("value")],
        help: "puts the value before the index (-1: at the end); changes and returns a list, of a string returns a new one",
        run: insert,
    },
    Intrinsic {
        name: "len",
        parameters: &[parameter("self")],
        help: "the number of elements, entries or characters",
        run: len,
    },
    Intrinsic {
        name: "pop",
        parameters: &[parameter("self")],
        help: "removes and returns the last element of a list, or the oldest key of a map",
        run: pop,
    },
    Intrinsic {
        name: "pull",
        parameters: &[parameter("self")],
        help: "removes and returns the first element of a list, or the oldest key of a map",
        run: pull,
    },
    Intrinsic {
        name: "push",
        parameters: &[parameter("self"), parameter("value")],
        help: "appends the value to a list, or adds it to a map as a key with the value 1; returns the list or map",
        run: push,
    },
    Intrinsic {
        name: "remove",
        parameters: &[parameter("self"), parameter("k")],
        help: "removes the element at an index, or the entry with a key; of a string returns one without the first k in it",
        run: remove,
    },
    Intrinsic {
        name: "replace",
        parameters: &[
            parameter("self"),
            parameter("oldval"),
            parameter("newval"),
            parameter("maxCount"),
        ],
        help: "replaces values, or parts of a string, that equal oldval: all, or the first maxCount; returns the result",
        run: replace,
    },
    Intrinsic {
        name: "slice",
        parameters: &[parameter("seq"), number("from", 0.0), parameter("to")],
        help: "the part of a list or string from one index up to but not including another; negative ones count from the end",
        run: slice,
    },
    Intrinsic {
        name: "sum",
        parameters: &[parameter("self")],
        help: "the sum of the numbers in a list, or of those among the values of a map",
        run: sum,
    },
    Intrinsic {
        name: "values",
        parameters: &[parameter("self")],
        help: "a list of the values of a map, or of the characters of a string",
        run: values,
    },
];

/// A value that intrinsics work on, by kind.
pub(super) enum Collection {
    List(Gc<ListCell>),
    Map(Gc<MapCell>),
    Text(Gc<StringCell>),
    Other,
}

impl Collection {
    pub(super) fn of(value: Value) -> Collection {
        if let Some(list) = value.as_list() {
            Collection::List(list)
        } else if let Some(map) = value.as_map() {
            Collection::Map(map)
        } else if let Some(text) = value.as_string() {
            Collection::Text(text)
        } else {
            Collection::Other
        }
    }
}

fn has_index(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let index = arguments.get(1);
    let is_index = |length| {
        index
            .as_number()
            .is_some_and(|number| position(number, length).is_some())
    };
    Ok(match Collection::of(arguments.get(0)) {
        Collection::List(list) => Value::truth(is_index(list.length())),
        Collection::Text(text) => Value::truth(is_index(text.length())),
        Collection::Map(map) => Value::truth(vm.map_get(map, index)?.is_some()),
        Collection::Other => Value::NULL,
    })
}

fn indexes(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    match Collection::of(arguments.get(0)) {
        Collection::List(list) => lists::count_up(vm, list.length()),
        Collection::Text(text) => lists::count_up(vm, text.length()),
        Collection::Map(map) => maps::keys(vm, map),
        Collection::Other => Ok(Value::NULL),
    }
}

fn index_of(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let (value, after) = (arguments.get(1), arguments.get(2));
    match Collection::of(arguments.get(0)) {
        Collection::List(list) => match start_of_search(after, list.length()) {
            Some(start) => lists::index_of(vm, list, value, start),
            None => Ok(Value::NULL),
        },
        Collection::Text(text) => match start_of_search(after, text.length()) {
            Some(start) => strings::index_of(vm, text, value, start),
            None => Ok(Value::NULL),
        },
        Collection::Map(map) => maps::index_of(vm, map, value, after),
        Collection::Other => Ok(Value::NULL),
    }
}

/// Where a search begins that goes on behind the index `after`; none if nothing can be there. -1 means before the first
/// element, anything below counts from the end.
fn start_of_search(after: Value, length: usize) -> Option<usize> {
    if after.is_null() {
        return Some(0);
    }
    let (after, length) = (i64::from(to_integer(after)), length as i64);
    let after = if after < -1 { after + length } else { after };
    (-1..length - 1)
        .contains(&after)
        .then_some((after + 1) as usize)
}

fn insert(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let (index, value) = (arguments.get(1), arguments.get(2));
    if index.is_null() {
        return fail("insert: index argument required");
    }
    if !index.is_number() {
        return fail("insert: number required for index argument");
    }
    match Collection::of(arguments.get(0)) {
        Collection::List(list) => {
            let place = place_to_insert(index, list.length())?;
            list.insert(vm, place, value)?;
            Ok(Value::list(list))
        }
        Collection::Text(text) => {
            let place = place_to_insert(index, text.length())?;
            strings::insert(vm, text, place, value)
        }
        Collection::Map(_) | Collection::Other => fail("insert called on invalid type"),
    }
}

/// The position an index means to `insert`: negative ones count from behind the last element.
fn place_to_insert(index: Value, length: usize) -> Fallible<usize> {
    let (index, length) = (i64::from(to_integer(index)), length as i64);
    let index = if index < 0 { index + length + 1 } else { index };
    if (0..=length).contains(&index) {
        Ok(index as usize)
    } else {
        Err(RuntimeError::IndexOutOfRange {
            index,
            low: 0,
            high: length,
        }
        .into())
    }
}

fn len(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let length = match Collection::of(arguments.get(0)) {
        Collection::List(list) => list.length(),
        Collection::Text(text) => text.length(),
        Collection::Map(map) => vm.map_length(map),
        Collection::Other => return Ok(Value::NULL),
    };
    Ok(Value::number(length as f64))
}

fn pop(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    match Collection::of(arguments.get(0)) {
        Collection::List(list) => Ok(list.pop().unwrap_or(Value::NULL)),
        Collection::Map(map) => maps::take_oldest(vm, map),
        Collection::Text(_) | Collection::Other => Ok(Value::NULL),
    }
}

fn pull(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    match Collection::of(arguments.get(0)) {
        Collection::List(list) => Ok(list.pull().unwrap_or(Value::NULL)),
        Collection::Map(map) => maps::take_oldest(vm, map),
        Collection::Text(_) | Collection::Other => Ok(Value::NULL),
    }
}

fn push(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let (target, value) = (arguments.get(0), arguments.get(1));
    match Collection::of(target) {
        Collection::List(list) => list.push(vm, value)?,
        Collection::Map(map) => {
            maps::check_writable(map)?;
            vm.map_set(map, value, Value::ONE)?;
        }
        Collection::Text(_) | Collection::Other => return Ok(Value::NULL),
    }
    Ok(target)
}

fn remove(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let key = arguments.get(1);
    match Collection::of(arguments.get(0)) {
        Collection::Map(map) => {
            maps::check_writable(map)?;
            Ok(Value::truth(vm.map_remove(map, key)?))
        }
        Collection::List(_) | Collection::Text(_) if key.is_null() => {
            fail("argument to 'remove' must not be null")
        }
        Collection::List(list) => lists::remove(vm, list, key),
        Collection::Text(text) => strings::remove(vm, text, key),
        Collection::Other => fail("Type Error: 'remove' requires map, list, or string"),
    }
}

fn replace(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let (target, old, new) = (arguments.get(0), arguments.get(1), arguments.get(2));
    if target.is_null() {
        return fail("argument to 'replace' must not be null");
    }
    let most = match arguments.get(3) {
        most if most.is_null() => usize::MAX,
        most => match to_integer(most) {
            most if most < 1 => return Ok(target),
            most => most as usize,
        },
    };
    match Collection::of(target) {
        Collection::List(list) => lists::replace(vm, list, old, new, most)?,
        Collection::Map(map) => maps::replace(vm, map, old, new, most)?,
        Collection::Text(text) => return strings::replace(vm, text, old, new, most),
        Collection::Other => return fail("Type Error: 'replace' requires map, list, or string"),
    }
    Ok(target)
}

fn slice(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    vm.slice_value(arguments.get(0), arguments.get(1), arguments.get(2))
}

fn sum(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let sum = match Collection::of(arguments.get(0)) {
        Collection::List(list) => lists::sum(vm, list)?,
        Collection::Map(map) => maps::sum(vm, map)?,
        Collection::Text(_) | Collection::Other => 0.0,
    };
    Ok(Value::number(sum))
}

fn values(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    match Collection::of(arguments.get(0)) {
        Collection::Map(map) => Ok(Value::list(maps::values(vm, map)?)),
        Collection::Text(text) => strings::characters(vm, text),
        Collection::List(_) | Collection::Other => Ok(arguments.get(0)),
    }
}
