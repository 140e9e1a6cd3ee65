//! Single keys: the map `key`.

use super::super::{Arguments, Intrinsic, fail, parameter, text};
use crate::error::Fallible;
use crate::heap::Gc;
use crate::object::map::{EntryCursor, MapCell};
use crate::stack::Suspension;
use crate::value::Value;
use crate::vm::Vm;

/// The table of the family.
pub static TABLE: &[Intrinsic] = &[Intrinsic {
    name: "key",
    parameters: &[],
    help: "the map of functions for single keys",
    run: key,
}];

/// The functions in the map `key`.
pub static MEMBERS: &[Intrinsic] = &[
    Intrinsic {
        name: "available",
        parameters: &[],
        help: "whether a key is waiting",
        run: available,
    },
    Intrinsic {
        name: "get",
        parameters: &[],
        help: "takes the next key, waiting for one if need be",
        run: get,
    },
    Intrinsic {
        name: "put",
        parameters: &[parameter("keyChar")],
        help: "queues a code point or every character of a text as keys",
        run: put,
    },
    Intrinsic {
        name: "clear",
        parameters: &[],
        help: "forgets all waiting keys",
        run: clear,
    },
    Intrinsic {
        name: "pressed",
        parameters: &[text("keyName", "space")],
        help: "not available at the command line",
        run: pressed,
    },
    Intrinsic {
        name: "keyNames",
        parameters: &[],
        help: "not available at the command line",
        run: key_names,
    },
    Intrinsic {
        name: "axis",
        parameters: &[text("axis", "Horizontal")],
        help: "not available at the command line",
        run: axis,
    },
    Intrinsic {
        name: "_putInFront",
        parameters: &[parameter("keyChar")],
        help: "as put, but before all waiting keys",
        run: put_in_front,
    },
    Intrinsic {
        name: "_echo",
        parameters: &[],
        help: "whether the terminal shows what is typed; may be assigned",
        run: echo,
    },
];

/// What terminals send for keys, and the characters that scripts get for them.
const SCAN_MAP: &[(&str, char)] = &[
    ("\x7F", '\x08'),
    ("\x1B[3~", '\x7F'),
    ("\x1B[A", '\x13'),
    ("\x1B[B", '\x14'),
    ("\x1B[C", '\x12'),
    ("\x1B[D", '\x11'),
    ("\x1B[H", '\x01'),
    ("\x1B[F", '\x05'),
];

/// Seconds between two looks at the keyboard.
const POLL_INTERVAL: f64 = 0.01;

fn module(vm: &mut Vm) -> Fallible<Gc<MapCell>> {
    if let Some(map) = vm.shell.keys {
        return Ok(map);
    }
    let map = vm.map_of_intrinsics(MEMBERS)?;
    let scan_map = vm.new_dictionary_map(SCAN_MAP.len())?;
    for (sequence, character) in SCAN_MAP {
        let character = vm.new_string(character.encode_utf8(&mut [0; 4]))?;
        vm.set_named(scan_map, sequence, character)?;
    }
    vm.set_named(map, "_scanMap", Value::map(scan_map))?;
    vm.protect_map(map)?;
    vm.shell.keys = Some(map);
    Ok(map)
}

fn key(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    module(vm).map(Value::map)
}

/// An assignment to an entry of the map `key`.
pub(super) fn assign(vm: &mut Vm, map: Gc<MapCell>, name: Value, value: Value) -> Fallible<()> {
    let text = vm.argument_string(name)?;
    match text.as_str() {
        "_echo" => {
            let echo = vm.is_true(value);
            vm.ask_host("key", |host| {
                if let Some(keyboard) = host.keyboard() {
                    keyboard.set_echo(echo);
                }
            })
        }
        "_scanMap" if value.as_map().is_none() => Ok(()),
        _ => vm.map_set(map, name, value),
    }
}

/// Takes over what was typed. False if there is no keyboard.
fn listen(vm: &mut Vm) -> Fallible<bool> {
    let typed = vm.ask_host("key", |host| {
        host.flush();
        host.keyboard().map(|keyboard| keyboard.typed())
    })?;
    let Some(typed) = typed else {
        return Ok(false);
    };
    vm.shell.typed.extend(typed.chars());
    Ok(true)
}

fn available(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    listen(vm)?;
    Ok(Value::truth(!vm.shell.typed.is_empty()))
}

fn get(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    loop {
        let has_keyboard = listen(vm)?;
        if !vm.shell.typed.is_empty() {
            return take(vm);
        }
        if !has_keyboard {
            return fail("key.get: there is no keyboard to wait for");
        }
        vm.poll()?;
        vm.suspend(Suspension::Wait(POLL_INTERVAL))?;
    }
}

/// Takes the next key: the longest sequence that the scan map knows, or a character.
fn take(vm: &mut Vm) -> Fallible<Value> {
    let module = module(vm)?;
    let name = vm.intern("_scanMap")?;
    let scan_map = vm.map_get_interned(module, name).and_then(Value::as_map);
    let mut best = (0, Value::NULL);
    let mut cursor = EntryCursor::default();
    while let Some(scan_map) = scan_map
        && let Some((sequence, value)) = vm.map_next(scan_map, &mut cursor)
    {
        let Some(sequence) = sequence.as_string() else {
            continue;
        };
        let length = sequence.length();
        let sequence = sequence.flat_str(vm)?;
        if value.as_string().is_some()
            && length > best.0
            && sequence
                .chars()
                .eq(vm.shell.typed.iter().copied().take(length))
        {
            best = (length, value);
        }
    }
    if best.0 > 0 {
        vm.shell.typed.drain(..best.0);
        return Ok(best.1);
    }
    let character = vm.shell.typed.pop_front().unwrap_or_default();
    vm.new_string(character.encode_utf8(&mut [0; 4]))
}

/// The characters that an argument of `put` stands for.
fn characters(vm: &mut Vm, argument: Value) -> Fallible<String> {
    if let Some(number) = argument.as_number() {
        return Ok(char::from_u32(number as u32)
            .unwrap_or(char::REPLACEMENT_CHARACTER)
            .into());
    }
    if argument.as_string().is_some() {
        return vm.argument_string(argument);
    }
    fail("string or number required for keyChar")
}

fn put(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let characters = characters(vm, arguments.get(0))?;
    vm.shell.typed.extend(characters.chars());
    Ok(Value::NULL)
}

fn put_in_front(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let characters = characters(vm, arguments.get(0))?;
    for character in characters.chars().rev() {
        vm.shell.typed.push_front(character);
    }
    Ok(Value::NULL)
}

fn clear(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    listen(vm)?;
    vm.shell.typed.clear();
    Ok(Value::NULL)
}

fn echo(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    let echo = vm.ask_host("key", |host| {
        host.keyboard().is_some_and(|keyboard| keyboard.echo())
    })?;
    Ok(Value::truth(echo))
}

fn pressed(_vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    fail("`key.pressed` is not implemented")
}

fn key_names(_vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    fail("`key.keyNames` is not implemented")
}

fn axis(_vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    fail("`key.axis` is not implemented")
}
