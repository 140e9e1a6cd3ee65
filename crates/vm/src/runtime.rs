//! What optimized code has done for it without the interpreter: one thing each, with operands in machine registers.
//!
//! These functions run no script code, answer no requests and look at no frames; they may allocate. Each does what the
//! interpreter does, or, where that would fail, takes longer or concerns variables, nothing that could be noticed: then it says so, and
//! the code leaves for the interpreter in front of the instruction.

use crate::heap::Gc;
use crate::object::map::MapCell;
use crate::object::string::{self, StringCell};
use crate::semantics::access::position;
use crate::tier::THROWN;
use crate::value::Value;
use crate::vm::Vm;

/// What functions return instead of a value, or of a whole number, if they leave it to the interpreter.
pub const DECLINED: u64 = THROWN;

/// The longest chain of `__isa` that is followed.
const MAX_ISA_DEPTH: usize = 257;

/// The words of a result.
fn word(value: Option<Value>) -> u64 {
    value.map_or(DECLINED, Value::bits)
}

/// # Safety
/// It must be the word of a string that is alive.
unsafe fn string_of(word: u64) -> Option<Gc<StringCell>> {
    // SAFETY: as said.
    unsafe { Value::from_bits(word) }.as_string()
}

/// # Safety
/// It must be the word of a map that is alive.
unsafe fn map_of(word: u64) -> Option<Gc<MapCell>> {
    // SAFETY: as said.
    unsafe { Value::from_bits(word) }.as_map()
}

/// The character at an index of a string, as a string.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code, `text` the word of a string.
pub unsafe extern "C" fn character_at(vm: *mut Vm, text: u64, index: i64) -> u64 {
    // SAFETY: as said.
    let (vm, text) = unsafe { (&mut *vm, string_of(text)) };
    let character = text.and_then(|text| {
        let position = position(index as f64, text.length())?;
        string::char_at(vm, text, position).ok()?
    });
    word(character.map(Value::string))
}

/// The code point of a string's first character.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code, `text` the word of a string.
pub unsafe extern "C" fn character_code(vm: *mut Vm, text: u64) -> u64 {
    // SAFETY: as said.
    let (vm, text) = unsafe { (&mut *vm, string_of(text)) };
    let first = text.and_then(|text| text.flat_str(vm).ok()?.chars().next());
    first.map_or(DECLINED, |first| u64::from(u32::from(first)))
}

/// The string of the character with this code point.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code.
pub unsafe extern "C" fn character_of(vm: *mut Vm, code: u64) -> u64 {
    // SAFETY: as said.
    let vm = unsafe { &mut *vm };
    let character = u32::try_from(code).ok().and_then(char::from_u32);
    let made = character.and_then(|character| string::from_char(vm, character).ok());
    word(made.map(Value::string))
}

/// Whether two strings have the same contents: 1 or 0.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code, the others words of strings.
pub unsafe extern "C" fn equal_strings(vm: *mut Vm, lhs: u64, rhs: u64) -> u64 {
    // SAFETY: as said.
    let (vm, lhs, rhs) = unsafe { (&mut *vm, string_of(lhs), string_of(rhs)) };
    match (lhs, rhs) {
        (Some(lhs), Some(rhs)) => string::equals(vm, lhs, rhs).map_or(DECLINED, u64::from),
        _ => DECLINED,
    }
}

/// The order of two strings: -1, 0 or 1.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code, the others words of strings.
pub unsafe extern "C" fn compare_strings(vm: *mut Vm, lhs: u64, rhs: u64) -> u64 {
    // SAFETY: as said.
    let (vm, lhs, rhs) = unsafe { (&mut *vm, string_of(lhs), string_of(rhs)) };
    match (lhs, rhs) {
        (Some(lhs), Some(rhs)) => {
            string::compare(vm, lhs, rhs).map_or(DECLINED, |order| order as i64 as u64)
        }
        _ => DECLINED,
    }
}

/// `lhs + rhs`, one of which is a string, and the other one a string or a number.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code, the others words of such values.
pub unsafe extern "C" fn concatenate(vm: *mut Vm, lhs: u64, rhs: u64) -> u64 {
    // SAFETY: as said.
    let (vm, lhs, rhs) = unsafe { (&mut *vm, Value::from_bits(lhs), Value::from_bits(rhs)) };
    word(vm.add(lhs, rhs).ok())
}

/// `map[key]`, as an expression, for a number or string as key.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code, `map` the word of a map, `key` that of a number or string.
pub unsafe extern "C" fn find_element(vm: *mut Vm, map: u64, key: u64) -> u64 {
    // SAFETY: as said.
    let (vm, map, key) = unsafe { (&mut *vm, map_of(map), Value::from_bits(key)) };
    let Some(map) = map else { return DECLINED };
    if let Some(value) = vm.map_get_quick(map, key) {
        return value.bits();
    }
    if reaches_globals(vm, map) {
        return DECLINED;
    }
    word(vm.element(Value::map(map), key).ok())
}

/// Whether a map shows global variables, which optimized code may keep in registers, or inherits from one that does.
fn reaches_globals(vm: &mut Vm, map: Gc<MapCell>) -> bool {
    let mut at = map;
    for _ in 0..=MAX_ISA_DEPTH {
        if at.is_globals() {
            return true;
        }
        match vm.isa_of(at).and_then(Value::as_map) {
            Some(next) => at = next,
            None => return false,
        }
    }
    true
}

/// `map[key] = value`, for a number or string as key: 0.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code, `map` the word of a map, `key` that of a number or string.
pub unsafe extern "C" fn store_key(vm: *mut Vm, map: u64, key: u64, value: u64) -> u64 {
    // SAFETY: as said.
    let (vm, map, key, value) = unsafe {
        let (key, value) = (Value::from_bits(key), Value::from_bits(value));
        (&mut *vm, map_of(map), key, value)
    };
    let Some(map) = map else { return DECLINED };
    if vm.map_replace_quick(map, key, value) {
        return 0;
    }
    if map.is_globals() {
        return DECLINED;
    }
    vm.set_element(Value::map(map), key, value)
        .map_or(DECLINED, |()| 0)
}

/// Whether a map has a key of its own: 1 or 0.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code, `map` the word of a map, `key` that of a number or string.
pub unsafe extern "C" fn has_key(vm: *mut Vm, map: u64, key: u64) -> u64 {
    // SAFETY: as said.
    let (vm, map, key) = unsafe { (&mut *vm, map_of(map), Value::from_bits(key)) };
    match map {
        Some(map) if !map.is_globals() => vm.map_has(map, key).map_or(DECLINED, u64::from),
        _ => DECLINED,
    }
}

/// `map.name(key)`, where the name means `hasIndex` among the members of all maps: 1 or 0. Leaves maps to the interpreter in which the
/// name means something else.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code, `map` the word of a map, `key` that of a number or string, `name` that of an
/// interned string.
pub unsafe extern "C" fn has_index(vm: *mut Vm, map: u64, key: u64, name: u64) -> u64 {
    // SAFETY: as said.
    unsafe {
        match is_plain_dictionary(vm, map, name) {
            1 => has_key(vm, map, key),
            _ => DECLINED,
        }
    }
}

/// Whether a map is a dictionary in which a name is looked up among the members of all maps: 1 or 0.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code, `map` the word of a map, `name` that of an interned string.
pub unsafe extern "C" fn is_plain_dictionary(vm: *mut Vm, map: u64, name: u64) -> u64 {
    // SAFETY: as said.
    let (vm, map, name) = unsafe { (&mut *vm, map_of(map), string_of(name)) };
    match (map, name) {
        (Some(map), Some(name)) => u64::from(vm.dictionary_inherits(map, name)),
        _ => 0,
    }
}
