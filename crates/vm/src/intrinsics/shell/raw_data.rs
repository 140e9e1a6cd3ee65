//! Binary data: buffers of bytes that hold numbers and text.

use super::super::{Arguments, Intrinsic, fail, number, parameter, text};
use crate::error::Fallible;
use crate::heap::Gc;
use crate::object::handle::HandleCell;
use crate::object::map::MapCell;
use crate::semantics::to_integer;
use crate::value::Value;
use crate::vm::Vm;

/// The table of the family.
pub static TABLE: &[Intrinsic] = &[Intrinsic {
    name: "RawData",
    parameters: &[],
    help: "the class of byte buffers: new RawData",
    run: raw_data,
}];

/// The parameters of a method that reads a number, and of one that writes it.
macro_rules! parameters {
    (get) => {
        &[parameter("self"), number("offset", 0.0)]
    };
    (set) => {
        &[
            parameter("self"),
            number("offset", 0.0),
            number("value", 0.0),
        ]
    };
}

/// The methods of RawData.
pub static MEMBERS: &[Intrinsic] = &[
    Intrinsic {
        name: "len",
        parameters: &[],
        help: "the number of bytes",
        run: len,
    },
    Intrinsic {
        name: "resize",
        parameters: &[number("bytes", 32.0)],
        help: "changes the number of bytes",
        run: resize,
    },
    Intrinsic {
        name: "byte",
        parameters: parameters!(get),
        help: "the unsigned 8-bit number at an offset",
        run: get::<u8>,
    },
    Intrinsic {
        name: "setByte",
        parameters: parameters!(set),
        help: "stores an unsigned 8-bit number",
        run: set::<u8>,
    },
    Intrinsic {
        name: "sbyte",
        parameters: parameters!(get),
        help: "the signed 8-bit number at an offset",
        run: get::<i8>,
    },
    Intrinsic {
        name: "setSbyte",
        parameters: parameters!(set),
        help: "stores a signed 8-bit number",
        run: set::<i8>,
    },
    Intrinsic {
        name: "ushort",
        parameters: parameters!(get),
        help: "the unsigned 16-bit number at an offset",
        run: get::<u16>,
    },
    Intrinsic {
        name: "setUshort",
        parameters: parameters!(set),
        help: "stores an unsigned 16-bit number",
        run: set::<u16>,
    },
    Intrinsic {
        name: "short",
        parameters: parameters!(get),
        help: "the signed 16-bit number at an offset",
        run: get::<i16>,
    },
    Intrinsic {
        name: "setShort",
        parameters: parameters!(set),
        help: "stores a signed 16-bit number",
        run: set::<i16>,
    },
    Intrinsic {
        name: "uint",
        parameters: parameters!(get),
        help: "the unsigned 32-bit number at an offset",
        run: get::<u32>,
    },
    Intrinsic {
        name: "setUint",
        parameters: parameters!(set),
        help: "stores an unsigned 32-bit number",
        run: set::<u32>,
    },
    Intrinsic {
        name: "int",
        parameters: parameters!(get),
        help: "the signed 32-bit number at an offset",
        run: get::<i32>,
    },
    Intrinsic {
        name: "setInt",
        parameters: parameters!(set),
        help: "stores a signed 32-bit number",
        run: set::<i32>,
    },
    Intrinsic {
        name: "float",
        parameters: parameters!(get),
        help: "the 32-bit floating-point number at an offset",
        run: get::<f32>,
    },
    Intrinsic {
        name: "setFloat",
        parameters: parameters!(set),
        help: "stores a 32-bit floating-point number",
        run: set::<f32>,
    },
    Intrinsic {
        name: "double",
        parameters: parameters!(get),
        help: "the 64-bit floating-point number at an offset",
        run: get::<f64>,
    },
    Intrinsic {
        name: "setDouble",
        parameters: parameters!(set),
        help: "stores a 64-bit floating-point number",
        run: set::<f64>,
    },
    Intrinsic {
        name: "utf8",
        parameters: &[
            parameter("self"),
            number("offset", 0.0),
            number("bytes", -1.0),
        ],
        help: "the text in so many bytes, or in all that follow",
        run: utf8,
    },
    Intrinsic {
        name: "setUtf8",
        parameters: &[parameter("self"), number("offset", 0.0), text("value", "")],
        help: "stores as much of a text as fits; the number of bytes",
        run: set_utf8,
    },
];

/// A number as it stands in a buffer.
trait Number: Sized {
    /// From the bytes, the least significant first.
    fn from_little_endian(bytes: &[u8]) -> Option<f64>;
    /// As bytes, the least significant first.
    fn to_little_endian(value: Value) -> impl AsRef<[u8]> + AsMut<[u8]>;
    /// The number of bytes.
    const SIZE: usize = size_of::<Self>();
}

macro_rules! numbers {
    ($($type:ty: $value:ident => $convert:expr;)*) => {
        $(impl Number for $type {
            fn from_little_endian(bytes: &[u8]) -> Option<f64> {
                Some(<$type>::from_le_bytes(bytes.try_into().ok()?) as f64)
            }

            fn to_little_endian($value: Value) -> impl AsRef<[u8]> + AsMut<[u8]> {
                ($convert as $type).to_le_bytes()
            }
        })*
    };
}

// Numbers that do not fit lose their upper bits, as casts in C do.
numbers! {
    u8: value => value.as_number().unwrap_or(0.0) as i64;
    i8: value => to_integer(value);
    u16: value => value.as_number().unwrap_or(0.0) as i64;
    i16: value => to_integer(value);
    u32: value => value.as_number().unwrap_or(0.0) as i64;
    i32: value => to_integer(value);
    f32: value => value.as_number().unwrap_or(0.0);
    f64: value => value.as_number().unwrap_or(0.0);
}

/// The class.
fn prototype(vm: &mut Vm) -> Fallible<Gc<MapCell>> {
    if let Some(map) = vm.shell.raw_data {
        return Ok(map);
    }
    let map = vm.map_of_intrinsics(MEMBERS)?;
    vm.set_named(map, "littleEndian", Value::ONE)?;
    vm.shell.raw_data = Some(map);
    Ok(map)
}

fn raw_data(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    prototype(vm).map(Value::map)
}

/// A new object with these bytes.
pub(super) fn new_object(vm: &mut Vm, bytes: &[u8]) -> Fallible<Value> {
    let buffer = HandleCell::buffer(vm)?;
    buffer.resize(vm, bytes.len() as u32)?;
    buffer.bytes().copy_from_slice(bytes);
    let prototype = prototype(vm)?;
    let object = vm.new_instance(prototype)?;
    vm.set_named(object, "_handle", Value::other(buffer))?;
    Ok(Value::map(object))
}

/// The buffer of an object, if it has one yet.
pub(super) fn handle(vm: &mut Vm, object: Value) -> Fallible<Option<Gc<HandleCell>>> {
    Ok(vm.handle_of(object)?.filter(|handle| handle.is_buffer()))
}

fn out_of_range<T>() -> Fallible<T> {
    fail("Index Error (index out of range)")
}

/// The buffer and a place in it, which may be its end. Offsets below 0 count from there.
fn place(vm: &mut Vm, object: Value, offset: Value) -> Fallible<(Gc<HandleCell>, usize)> {
    let Some(handle) = handle(vm, object)? else {
        return out_of_range();
    };
    let (offset, length) = (i64::from(to_integer(offset)), handle.bytes().len());
    let offset = if offset < 0 {
        offset + length as i64
    } else {
        offset
    };
    match usize::try_from(offset) {
        Ok(offset) if offset <= length => Ok((handle, offset)),
        _ => out_of_range(),
    }
}

/// Whether numbers stand with their least significant byte first.
fn is_little_endian(vm: &mut Vm, object: Value) -> Fallible<bool> {
    let Some(map) = object.as_map() else {
        return Ok(false);
    };
    let name = Value::string(vm.intern("littleEndian")?);
    let value = vm.find_indexed(map, name)?.unwrap_or(Value::NULL);
    Ok(vm.is_true(value))
}

fn len(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let handle = handle(vm, arguments.self_value())?;
    Ok(Value::number(
        handle.map_or(0, |handle| handle.bytes().len()) as f64,
    ))
}

fn resize(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let Ok(length) = u32::try_from(to_integer(arguments.get(0))) else {
        return fail("bytes parameter must be >= 0");
    };
    let object = arguments.self_value();
    let Some(map) = object.as_map() else {
        return fail("resize must be called on a RawData");
    };
    let buffer = match handle(vm, object)? {
        Some(buffer) => buffer,
        None => {
            let buffer = HandleCell::buffer(vm)?;
            vm.set_named(map, "_handle", Value::other(buffer))?;
            buffer
        }
    };
    buffer.resize(vm, length)?;
    Ok(Value::NULL)
}

fn get<N: Number>(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let object = arguments.get(0);
    let (buffer, offset) = place(vm, object, arguments.get(1))?;
    let little_endian = is_little_endian(vm, object)?;
    let Some(bytes) = buffer.bytes().get(offset..offset + N::SIZE) else {
        return out_of_range();
    };
    let mut copy = [0; 8];
    let copy = &mut copy[..N::SIZE];
    copy.copy_from_slice(bytes);
    if !little_endian {
        copy.reverse();
    }
    Ok(N::from_little_endian(copy).map_or(Value::NULL, Value::number))
}

fn set<N: Number>(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let object = arguments.get(0);
    let (buffer, offset) = place(vm, object, arguments.get(1))?;
    let little_endian = is_little_endian(vm, object)?;
    let Some(bytes) = buffer.bytes().get_mut(offset..offset + N::SIZE) else {
        return out_of_range();
    };
    let mut value = N::to_little_endian(arguments.get(2));
    if !little_endian {
        value.as_mut().reverse();
    }
    bytes.copy_from_slice(value.as_ref());
    Ok(Value::NULL)
}

fn utf8(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let object = arguments.get(0);
    if handle(vm, object)?.is_none() {
        return Ok(Value::NULL);
    }
    let (buffer, offset) = place(vm, object, arguments.get(1))?;
    let bytes = match usize::try_from(to_integer(arguments.get(2))) {
        Ok(count) => buffer.bytes().get(offset..offset + count),
        Err(_) => buffer.bytes().get(offset..),
    };
    match bytes {
        Some(bytes) => vm.text_from_outside(bytes),
        None => Ok(Value::NULL),
    }
}

fn set_utf8(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let text = vm.argument_string(arguments.get(2))?;
    let (buffer, offset) = place(vm, arguments.get(0), arguments.get(1))?;
    let target = &mut buffer.bytes()[offset..];
    let count = text.len().min(target.len());
    target[..count].copy_from_slice(&text.as_bytes()[..count]);
    Ok(Value::number(count as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<N: Number>(number: f64) -> Vec<u8> {
        N::to_little_endian(Value::number(number)).as_ref().to_vec()
    }

    #[test]
    fn numbers_that_do_not_fit_lose_their_upper_bits() {
        assert_eq!(bytes::<u8>(300.9), [44]);
        assert_eq!(bytes::<u8>(-1.0), [255]);
        assert_eq!(bytes::<i16>(40000.0), bytes::<u16>(40000.0));
        assert_eq!(bytes::<u32>(4e9), 4_000_000_000_u32.to_le_bytes());
        assert_eq!(bytes::<i32>(f64::NAN), i32::MIN.to_le_bytes());
        assert_eq!(bytes::<f32>(0.5), 0.5_f32.to_le_bytes());
    }

    #[test]
    fn signs_are_read_as_written() {
        assert_eq!(i8::from_little_endian(&[0xFE]), Some(-2.0));
        assert_eq!(u8::from_little_endian(&[0xFE]), Some(254.0));
        assert_eq!(i16::from_little_endian(&[0xFD, 0xFF]), Some(-3.0));
        assert_eq!(f64::from_little_endian(&0.1_f64.to_le_bytes()), Some(0.1));
    }
}
