//! What a program can find out about itself.

use super::{Arguments, Intrinsic, parameter};
use crate::error::Fallible;
use crate::heap::Gc;
use crate::object::list::ListCell;
use crate::object::map::MapCell;
use crate::object::string;
use crate::value::Value;
use crate::vm::Vm;

/// The table of the family.
pub static TABLE: &[Intrinsic] = &[
    Intrinsic {
        name: "hash",
        parameters: &[parameter("obj")],
        help: "a whole number that is the same for equal values",
        run: hash,
    },
    Intrinsic {
        name: "intrinsics",
        parameters: &[],
        help: "a map of all these functions by name",
        run: intrinsics,
    },
    Intrinsic {
        name: "refEquals",
        parameters: &[parameter("a"), parameter("b")],
        help: "1 if both are the very same list, map or function, or equal numbers or strings; else 0",
        run: ref_equals,
    },
    Intrinsic {
        name: "stackTrace",
        parameters: &[],
        help: "a list of the statements being executed, the innermost call first",
        run: stack_trace,
    },
    Intrinsic {
        name: "version",
        parameters: &[],
        help: "a map that tells the versions of the language and the host",
        run: version,
    },
];

/// The version of the language.
const LANGUAGE_VERSION: &str = "1.6.2";
/// When this version of the intrinsics was completed.
const BUILD_DATE: &str = "2026-11-20";
/// The global variable that replaces the stack trace while a debugger has stopped the program.
const STACK_AT_BREAK: &str = "_stackAtBreak";

fn hash(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    Ok(Value::number(f64::from(vm.hash_key(arguments.get(0))?)))
}

fn intrinsics(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    if let Some(map) = vm.intrinsics.listing {
        return Ok(Value::map(map));
    }
    let functions: Vec<_> = vm.intrinsics.listed().collect();
    let map = vm.new_map(functions.len())?;
    // The table of intrinsics keeps the functions alive.
    for (name, function) in functions {
        vm.map_set_interned(map, name, Value::function(function))?;
    }
    vm.protect_map(map)?;
    vm.intrinsics.listing = Some(map);
    Ok(Value::map(map))
}

fn ref_equals(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let (a, b) = (arguments.get(0), arguments.get(1));
    let same = if let (Some(a), Some(b)) = (a.as_number(), b.as_number()) {
        a == b
    } else if let (Some(a), Some(b)) = (a.as_string(), b.as_string()) {
        string::equals(vm, a, b)?
    } else {
        a == b
    };
    Ok(Value::truth(same))
}

fn stack_trace(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    let name = vm.intern(STACK_AT_BREAK)?;
    if let Some(trace) = vm.globals.get_interned(name) {
        return Ok(trace);
    }
    let positions = vm.frames.positions(usize::MAX);
    let trace = ListCell::allocate(vm, positions.len())?;
    for position in positions {
        let entry = vm.new_string(&position.to_string())?;
        trace.push(vm, entry)?;
    }
    Ok(Value::list(trace))
}

fn version(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    if let Some(map) = vm.intrinsics.version {
        return Ok(Value::map(map));
    }
    let host = vm.ask_host("version", |host| host.identity())?;
    let map = vm.new_map(5)?;
    for (name, text) in [("miniscript", LANGUAGE_VERSION), ("buildDate", BUILD_DATE)] {
        set(vm, map, name, text)?;
    }
    let name = vm.intern("host")?;
    vm.map_set_interned(map, name, Value::number(host.version))?;
    for (name, text) in [("hostName", &host.name), ("hostInfo", &host.information)] {
        set(vm, map, name, text)?;
    }
    vm.intrinsics.version = Some(map);
    Ok(Value::map(map))
}

fn set(vm: &mut Vm, map: Gc<MapCell>, name: &str, text: &str) -> Fallible<()> {
    let name = vm.intern(name)?;
    let text = vm.new_string(text)?;
    vm.map_set_interned(map, name, text)
}
