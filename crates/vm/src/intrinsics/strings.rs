//! Strings: the intrinsics of their own, and how those for all collections work on them.

use std::borrow::Cow;

use memchr::memmem::Finder;

use super::{Arguments, Intrinsic, check_text_size, fail, number, parameter, text};
use crate::error::Fallible;
use crate::heap::Gc;
use crate::object::list::ListCell;
use crate::object::string::{self, StringCell};
use crate::text::case;
use crate::text::number::parse_number;
use crate::value::Value;
use crate::vm::Vm;

/// The table of the family.
pub static TABLE: &[Intrinsic] = &[
    Intrinsic {
        name: "char",
        parameters: &[number("codePoint", 65.0)],
        help: "the character with this code point, as a string",
        run: char,
    },
    Intrinsic {
        name: "code",
        parameters: &[parameter("self")],
        help: "the code point of the first character",
        run: code,
    },
    Intrinsic {
        name: "lower",
        parameters: &[parameter("self")],
        help: "the string in lower case",
        run: lower,
    },
    Intrinsic {
        name: "split",
        parameters: &[
            parameter("self"),
            text("delimiter", " "),
            number("maxCount", -1.0),
        ],
        help: "a list of the parts between delimiters, or of the characters if the delimiter is empty; the last of maxCount parts takes the rest",
        run: split,
    },
    Intrinsic {
        name: "str",
        parameters: &[text("x", "")],
        help: "the text of a value, as print shows it",
        run: str,
    },
    Intrinsic {
        name: "upper",
        parameters: &[parameter("self")],
        help: "the string in upper case",
        run: upper,
    },
    Intrinsic {
        name: "val",
        parameters: &[number("self", 0.0)],
        help: "the number that a string is the text of; 0 if it is none",
        run: val,
    },
];

fn char(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    match u32::try_from(arguments.integer(0))
        .ok()
        .and_then(char::from_u32)
    {
        Some(character) => Ok(Value::string(string::from_char(vm, character)?)),
        None => fail("char: code point out of range"),
    }
}

fn code(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let text = vm.argument_text(arguments.get(0))?;
    let first = string::code_point_at(vm, text, 0)?;
    Ok(Value::number(
        first.map_or(0.0, |character| f64::from(u32::from(character))),
    ))
}

fn lower(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    change_case(vm, arguments.get(0), case::to_lower)
}

fn upper(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    change_case(vm, arguments.get(0), case::to_upper)
}

fn change_case(vm: &mut Vm, value: Value, change: fn(&str) -> Cow<'_, str>) -> Fallible<Value> {
    let Some(text) = value.as_string() else {
        return Ok(value);
    };
    match change(text.flat_str(vm)?) {
        Cow::Borrowed(_) => Ok(value),
        Cow::Owned(changed) => vm.new_string(&changed),
    }
}

fn str(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    Ok(Value::string(vm.argument_text(arguments.get(0))?))
}

fn val(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let value = arguments.get(0);
    match value.as_string() {
        Some(text) => Ok(Value::number(parse_number(text.flat_str(vm)?))),
        None if value.is_number() => Ok(value),
        None => Ok(Value::NULL),
    }
}

fn split(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let string = vm.argument_text(arguments.get(0))?;
    let delimiter = vm.argument_text(arguments.get(1))?;
    let most = match arguments.integer(2) {
        most if most < 1 => usize::MAX,
        most => most as usize,
    };
    let parts = ListCell::allocate(vm, 0)?;
    if string.is_empty() {
        return Ok(Value::list(parts));
    }
    if delimiter.is_empty() {
        split_characters(vm, string, most, parts)?;
    } else {
        split_at_delimiter(vm, string, delimiter, most, parts)?;
    }
    Ok(Value::list(parts))
}

/// The characters up to the last of `most` parts, which is the rest.
fn split_characters(
    vm: &mut Vm,
    string: Gc<StringCell>,
    most: usize,
    parts: Gc<ListCell>,
) -> Fallible<()> {
    let single = if most < string.length() {
        most - 1
    } else {
        string.length()
    };
    for (index, character) in string.flat_str(vm)?.chars().take(single).enumerate() {
        vm.poll_at(index)?;
        let character = string::from_char(vm, character)?;
        parts.push(vm, Value::string(character))?;
    }
    if single < string.length() {
        let rest = string::substring(vm, string, single, string.length())?;
        parts.push(vm, Value::string(rest))?;
    }
    Ok(())
}

fn split_at_delimiter(
    vm: &mut Vm,
    string: Gc<StringCell>,
    delimiter: Gc<StringCell>,
    most: usize,
    parts: Gc<ListCell>,
) -> Fallible<()> {
    let (text, delimiter) = (string.flat_str(vm)?, delimiter.flat_str(vm)?);
    let finder = Finder::new(delimiter);
    let mut recent = RecentParts::new();
    let mut start = 0;
    for end in finder.find_iter(text.as_bytes()).take(most - 1) {
        vm.poll_at(parts.length())?;
        let part = match recent.find(text.get(start..end).unwrap_or_default(), parts) {
            Some(part) => part,
            None => part_of(vm, string, start, end)?,
        };
        parts.push(vm, part)?;
        start = end + delimiter.len();
    }
    let rest = part_of(vm, string, start, text.len())?;
    parts.push(vm, rest)
}

/// Where the last parts with some hash are in the list of parts. Texts have few different words: the same word again is the
/// same string, which saves memory and the computing of its hash.
struct RecentParts {
    /// By hash: the index of a part.
    places: [u32; RecentParts::COUNT],
    tried: usize,
    found: usize,
}

impl RecentParts {
    const COUNT: usize = 2048;
    /// Longer parts are rarely alike, and may share the bytes of the whole.
    const LONGEST: usize = 32;
    /// So many parts are tried before it is decided whether to go on.
    const TRIALS: usize = 1024;

    fn new() -> RecentParts {
        RecentParts {
            places: [0; RecentParts::COUNT],
            tried: 0,
            found: 0,
        }
    }

    /// The part with this text, if it occurred recently. Otherwise the caller appends one to `parts`.
    #[inline]
    fn find(&mut self, text: &str, parts: Gc<ListCell>) -> Option<Value> {
        let is_worthwhile = self.tried < RecentParts::TRIALS || self.found > self.tried / 8;
        if !is_worthwhile || text.len() > RecentParts::LONGEST {
            return None;
        }
        self.tried += 1;
        let place = &mut self.places[string::hash_of(text) as usize % RecentParts::COUNT];
        let part = parts.get(*place as usize);
        if let Some(part) = part
            && (part.as_string()).is_some_and(|part| part.if_flat() == Some(text))
        {
            self.found += 1;
            return Some(part);
        }
        *place = parts.length() as u32;
        None
    }
}

/// The part of a string between two byte offsets.
fn part_of(vm: &mut Vm, string: Gc<StringCell>, start: usize, end: usize) -> Fallible<Value> {
    if string.is_ascii() {
        // A long part shares the bytes of the whole.
        return Ok(Value::string(string::substring(vm, string, start, end)?));
    }
    let part = string.flat_str(vm)?.get(start..end).unwrap_or_default();
    vm.new_string(part)
}

/// The index of the first occurrence of the text of `value` from `start` on.
pub(super) fn index_of(
    vm: &mut Vm,
    string: Gc<StringCell>,
    value: Value,
    start: usize,
) -> Fallible<Value> {
    if value.is_null() {
        return Ok(Value::NULL);
    }
    let part = vm.argument_text(value)?;
    let found = string::find(vm, string, part, start)?;
    Ok(found.map_or(Value::NULL, |index| Value::number(index as f64)))
}

/// The string with the text of `value` before the code point at `place`.
pub(super) fn insert(
    vm: &mut Vm,
    string: Gc<StringCell>,
    place: usize,
    value: Value,
) -> Fallible<Value> {
    let inserted = vm.argument_text(value)?;
    let before = string::substring(vm, string, 0, place)?;
    let behind = string::substring(vm, string, place, string.length())?;
    let start = string::concat(vm, before, inserted)?;
    Ok(Value::string(string::concat(vm, start, behind)?))
}

/// The string without the first occurrence of the text of `value`.
pub(super) fn remove(vm: &mut Vm, string: Gc<StringCell>, value: Value) -> Fallible<Value> {
    let part = vm.argument_text(value)?;
    let Some(start) = string::find(vm, string, part, 0)? else {
        return Ok(Value::string(string));
    };
    let before = string::substring(vm, string, 0, start)?;
    let behind = string::substring(vm, string, start + part.length(), string.length())?;
    Ok(Value::string(string::concat(vm, before, behind)?))
}

/// The string with the first `most` occurrences of the text of `old` replaced.
pub(super) fn replace(
    vm: &mut Vm,
    string: Gc<StringCell>,
    old: Value,
    new: Value,
    most: usize,
) -> Fallible<Value> {
    let (old, new) = (vm.argument_text(old)?, vm.argument_text(new)?);
    if old.is_empty() {
        return fail("replace: oldval argument is empty");
    }
    let (text, old, new) = (string.flat_str(vm)?, old.flat_str(vm)?, new.flat_str(vm)?);
    let mut replaced = String::new();
    let mut start = 0;
    for (step, found) in Finder::new(old)
        .find_iter(text.as_bytes())
        .take(most)
        .enumerate()
    {
        replaced.push_str(text.get(start..found).unwrap_or_default());
        replaced.push_str(new);
        check_text_size(&replaced)?;
        vm.poll_at(step)?;
        start = found + old.len();
    }
    if start == 0 {
        return Ok(Value::string(string));
    }
    replaced.push_str(text.get(start..).unwrap_or_default());
    vm.new_string(&replaced)
}

/// A list of the characters.
pub(super) fn characters(vm: &mut Vm, string: Gc<StringCell>) -> Fallible<Value> {
    let characters = ListCell::allocate(vm, string.length())?;
    split_characters(vm, string, usize::MAX, characters)?;
    Ok(Value::list(characters))
}
