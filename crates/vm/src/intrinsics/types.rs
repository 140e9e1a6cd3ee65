//! The type maps: as intrinsics, and which functions they hold as methods.

use super::{Arguments, Intrinsic};
use crate::error::Fallible;
use crate::value::Value;
use crate::vm::Vm;

/// The table of the family.
pub static TABLE: &[Intrinsic] = &[
    Intrinsic {
        name: "funcRef",
        parameters: &[],
        help: "the map of members that all functions have",
        run: func_ref,
    },
    Intrinsic {
        name: "list",
        parameters: &[],
        help: "the map of members that all lists have",
        run: list,
    },
    Intrinsic {
        name: "map",
        parameters: &[],
        help: "the map of members that all maps have",
        run: map,
    },
    Intrinsic {
        name: "number",
        parameters: &[],
        help: "the map of members that all numbers have",
        run: number,
    },
    Intrinsic {
        name: "string",
        parameters: &[],
        help: "the map of members that all strings have",
        run: string,
    },
];

// Programs see these orders when they print or walk a type map.

const STRING_METHODS: &[&str] = &[
    "hasIndex", "indexes", "indexOf", "insert", "code", "len", "lower", "val", "remove", "replace",
    "split", "upper", "values",
];

const LIST_METHODS: &[&str] = &[
    "hasIndex", "indexes", "indexOf", "insert", "join", "len", "pop", "pull", "push", "shuffle",
    "sort", "sum", "remove", "replace", "values",
];

const MAP_METHODS: &[&str] = &[
    "hasIndex", "indexes", "indexOf", "len", "pop", "push", "pull", "shuffle", "sum", "remove",
    "replace", "values",
];

/// Enters the methods into the type maps. All intrinsics must have been made.
pub(super) fn install_methods(vm: &mut Vm) -> Fallible<()> {
    let types = vm.types;
    for (map, methods) in [
        (types.string, STRING_METHODS),
        (types.list, LIST_METHODS),
        (types.map, MAP_METHODS),
    ] {
        for method in methods {
            let name = vm.intern(method)?;
            if let Some(function) = vm.intrinsics.function(name) {
                vm.map_set_interned(map, name, Value::function(function))?;
            }
        }
    }
    Ok(())
}

fn func_ref(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    Ok(Value::map(vm.types.function))
}

fn list(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    Ok(Value::map(vm.types.list))
}

fn map(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    Ok(Value::map(vm.types.map))
}

fn number(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    Ok(Value::map(vm.types.number))
}

fn string(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    Ok(Value::map(vm.types.string))
}
