//! Open files as objects: maps with a handle.

use super::super::{Arguments, Intrinsic, number, parameter};
use super::open_file::OpenFile;
use crate::error::Fallible;
use crate::heap::Gc;
use crate::object::handle::HandleCell;
use crate::object::map::MapCell;
use crate::semantics::to_integer;
use crate::value::Value;
use crate::vm::Vm;

/// The methods of open files.
pub static MEMBERS: &[Intrinsic] = &[
    Intrinsic {
        name: "isOpen",
        parameters: &[],
        help: "whether the file is still open",
        run: is_open,
    },
    Intrinsic {
        name: "close",
        parameters: &[],
        help: "closes the file",
        run: close,
    },
    Intrinsic {
        name: "write",
        parameters: &[parameter("data")],
        help: "writes a value as text; the number of bytes",
        run: write,
    },
    Intrinsic {
        name: "writeLine",
        parameters: &[parameter("data")],
        help: "writes a value as text and a line feed; the number of bytes",
        run: write_line,
    },
    Intrinsic {
        name: "read",
        parameters: &[number("byteCount", -1.0)],
        help: "reads so many bytes, or the rest of the file",
        run: read,
    },
    Intrinsic {
        name: "readLine",
        parameters: &[],
        help: "reads a line; null at the end of the file",
        run: read_line,
    },
    Intrinsic {
        name: "position",
        parameters: &[],
        help: "the offset of the next byte",
        run: position,
    },
    Intrinsic {
        name: "atEnd",
        parameters: &[],
        help: "whether a read has met the end of the file",
        run: at_end,
    },
];

/// The host object of an open file: none once it is closed.
type Slot = Option<OpenFile>;

/// The map that all open files inherit from.
fn prototype(vm: &mut Vm) -> Fallible<Gc<MapCell>> {
    if let Some(map) = vm.shell.open_files {
        return Ok(map);
    }
    let map = vm.map_of_intrinsics(MEMBERS)?;
    vm.shell.open_files = Some(map);
    Ok(map)
}

/// The object of an open file.
pub(super) fn new_object(vm: &mut Vm, file: OpenFile) -> Fallible<Value> {
    let handle = vm.new_handle(Some(file))?;
    let prototype = prototype(vm)?;
    let object = vm.new_instance(prototype)?;
    vm.set_named(object, "_handle", Value::other(handle))?;
    Ok(Value::map(object))
}

/// What a method is called on.
enum Receiver<'a> {
    /// No file at all.
    Other,
    Closed,
    Open(&'a mut OpenFile),
}

fn handle(vm: &mut Vm, arguments: Arguments) -> Fallible<Option<Gc<HandleCell>>> {
    vm.handle_of(arguments.self_value())
}

fn receiver(vm: &mut Vm, handle: Option<Gc<HandleCell>>) -> Receiver<'_> {
    match handle.and_then(|handle| vm.handles.get::<Slot>(handle)) {
        None => Receiver::Other,
        Some(None) => Receiver::Closed,
        Some(Some(file)) => Receiver::Open(file),
    }
}

fn is_open(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let handle = handle(vm, arguments)?;
    Ok(match receiver(vm, handle) {
        Receiver::Other => Value::NULL,
        Receiver::Closed => Value::ZERO,
        Receiver::Open(_) => Value::ONE,
    })
}

fn close(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let handle = handle(vm, arguments)?;
    vm.call_host("file", |vm| {
        let slot = handle.and_then(|handle| vm.handles.get::<Slot>(handle));
        Ok(slot.map_or(Value::NULL, |slot| Value::truth(slot.take().is_some())))
    })
}

fn write(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    write_text(vm, arguments, "")
}

fn write_line(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    write_text(vm, arguments, "\n")
}

fn write_text(vm: &mut Vm, arguments: Arguments, line_end: &str) -> Fallible<Value> {
    let mut text = vm.argument_string(arguments.get(0))?;
    text.push_str(line_end);
    let handle = handle(vm, arguments)?;
    vm.call_host("file", |vm| {
        Ok(match receiver(vm, handle) {
            Receiver::Other => Value::NULL,
            Receiver::Closed => Value::ZERO,
            Receiver::Open(file) => Value::number(file.write(text.as_bytes()) as f64),
        })
    })
}

fn read(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let count = to_integer(arguments.get(0));
    if count == 0 {
        return vm.new_string("");
    }
    let limit = vm.limits.heap_bytes;
    let handle = handle(vm, arguments)?;
    let bytes = vm.call_host("file", |vm| {
        Ok(match receiver(vm, handle) {
            Receiver::Other => Err(Value::NULL),
            Receiver::Closed => Err(Value::ZERO),
            Receiver::Open(file) => Ok(file.read(usize::try_from(count).ok(), limit)),
        })
    })?;
    match bytes {
        Ok(bytes) => {
            let bytes = vm.room(bytes)?;
            vm.text_from_outside(&bytes)
        }
        Err(value) => Ok(value),
    }
}

fn read_line(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let handle = handle(vm, arguments)?;
    let line = vm.call_host("file", |vm| {
        Ok(match receiver(vm, handle) {
            Receiver::Open(file) => file.read_line(),
            _ => None,
        })
    })?;
    match line {
        Some(line) => vm.text_from_outside(&line),
        None => Ok(Value::NULL),
    }
}

fn position(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let handle = handle(vm, arguments)?;
    vm.call_host("file", |vm| {
        Ok(match receiver(vm, handle) {
            Receiver::Open(file) => file
                .position()
                .map_or(Value::NULL, |position| Value::number(position as f64)),
            _ => Value::NULL,
        })
    })
}

fn at_end(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let handle = handle(vm, arguments)?;
    Ok(match receiver(vm, handle) {
        Receiver::Open(file) => Value::truth(file.at_end()),
        _ => Value::NULL,
    })
}
