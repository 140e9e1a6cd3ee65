//! Putting elements in order, and out of it.
//!
//! The order of all values, as `sort` understands it: numbers by value; NaN; strings by code points; everything else, all
//! of it equal; null. Descending is the exact reverse, and both are stable.

use std::cmp::Ordering;

use super::containers::Collection;
use super::{Arguments, Intrinsic, maps, number, parameter};
use crate::error::{Fallible, RuntimeError};
use crate::heap::Gc;
use crate::object::list::ListCell;
use crate::safepoint::POLL_INTERVAL;
use crate::semantics::to_integer;
use crate::value::Value;
use crate::vm::Vm;

/// The table of the family.
pub static TABLE: &[Intrinsic] = &[
    Intrinsic {
        name: "shuffle",
        parameters: &[parameter("self")],
        help: "puts the elements of a list, or the values of a map, in random order",
        run: shuffle,
    },
    Intrinsic {
        name: "sort",
        parameters: &[
            parameter("self"),
            parameter("byKey"),
            number("ascending", 1.0),
        ],
        help: "sorts a list, by a key or index of its elements if byKey is given, and returns it",
        run: sort,
    },
];

fn shuffle(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    match Collection::of(arguments.get(0)) {
        Collection::List(list) => shuffle_list(vm, list)?,
        Collection::Map(map) => {
            maps::check_writable(map)?;
            let values = maps::values(vm, map)?;
            shuffle_list(vm, values)?;
            maps::replace_values(vm, map, values)?;
        }
        Collection::Text(_) | Collection::Other => {}
    }
    Ok(Value::NULL)
}

/// Puts the elements in random order (Fisher and Yates).
fn shuffle_list(vm: &mut Vm, list: Gc<ListCell>) -> Fallible<()> {
    let mut left = list.length();
    while left > 1 {
        let next = left.saturating_sub(POLL_INTERVAL).max(1);
        // SAFETY: nothing else refers to the elements in this pass, they only change places, and nothing is allocated.
        let elements = unsafe { list.as_mut_slice(vm) };
        for last in (next..left).rev() {
            elements.swap(last, vm.random.below(last + 1));
        }
        left = next;
        vm.poll()?;
    }
    Ok(())
}

fn sort(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let Some(list) = arguments.get(0).as_list() else {
        return Ok(arguments.get(0));
    };
    let key = arguments.get(1);
    let direction = if vm.is_true(arguments.get(2)) {
        Direction::Ascending
    } else {
        Direction::Descending
    };
    if !key.is_null() {
        let keys = keys_of_elements(vm, list, key)?;
        sort_by_keys(vm, list, keys, direction)?;
    } else if has_ordinary_numbers_only(list) {
        sort_numbers(vm, list, direction)?;
    } else {
        sort_by_keys(vm, list, list, direction)?;
    }
    Ok(Value::list(list))
}

#[derive(Clone, Copy)]
enum Direction {
    Ascending,
    Descending,
}

impl Direction {
    fn apply(self, ordering: Ordering) -> Ordering {
        match self {
            Direction::Ascending => ordering,
            Direction::Descending => ordering.reverse(),
        }
    }
}

fn has_ordinary_numbers_only(list: Gc<ListCell>) -> bool {
    match list.as_numbers() {
        Some(numbers) => !numbers.iter().any(|number| number.is_nan()),
        None => !(list.as_slice().iter()).any(|element| element.number_or_nan().is_nan()),
    }
}

fn sort_numbers(vm: &mut Vm, list: Gc<ListCell>, direction: Direction) -> Fallible<()> {
    // SAFETY: nothing else refers to the elements meanwhile, they only change places, and nothing is allocated.
    let elements = unsafe { list.as_mut_slice(vm) };
    // There is no NaN among them, so every comparison has a result.
    let compare = |a: &Value, b: &Value| {
        a.number_or_nan()
            .partial_cmp(&b.number_or_nan())
            .unwrap_or(Ordering::Equal)
    };
    match direction {
        Direction::Ascending => sort_in_runs(vm, elements, compare),
        Direction::Descending => sort_in_runs(vm, elements, |a, b| compare(b, a)),
    }
}

/// What the elements are sorted by: the value that each has under `key`, null if it has none.
fn keys_of_elements(vm: &mut Vm, list: Gc<ListCell>, key: Value) -> Fallible<Gc<ListCell>> {
    let index = i64::from(to_integer(key));
    let key = match key.as_string() {
        Some(name) => Value::string(vm.intern_cell(name)?),
        None => key,
    };
    let keys = ListCell::allocate(vm, list.length())?;
    for position in 0..list.length() {
        vm.poll_at(position)?;
        let found = match Collection::of(list.get(position).unwrap_or(Value::NULL)) {
            Collection::Map(map) => vm.find_indexed(map, key)?,
            Collection::List(element) => {
                let length = element.length() as i64;
                // The first element is not reached from the end.
                let index = if -length < index && index < 0 {
                    index + length
                } else {
                    index
                };
                usize::try_from(index)
                    .ok()
                    .and_then(|index| element.get(index))
            }
            Collection::Text(_) | Collection::Other => None,
        };
        keys.push(vm, found.unwrap_or(Value::NULL))?;
    }
    Ok(keys)
}

/// The kinds of values in their order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Number,
    NotANumber,
    Text,
    Other,
    Null,
}

/// A key to sort by, in a form in which most comparisons need not look at the value.
#[derive(Clone, Copy)]
struct SortKey {
    /// Among values of one rank: if two images differ, their order is that of the values. Equal images decide unless the
    /// values are strings.
    image: u64,
    /// The index of key and element in their lists.
    index: u32,
    rank: Rank,
}

impl SortKey {
    fn new(vm: &mut Vm, key: Value, index: usize) -> Fallible<SortKey> {
        let (rank, image) = if let Some(number) = key.as_number() {
            if number.is_nan() {
                (Rank::NotANumber, 0)
            } else {
                (Rank::Number, image_of_number(number))
            }
        } else if let Some(text) = key.as_string() {
            // Flattening now keeps comparisons from allocating.
            (Rank::Text, image_of_text(text.flat_str(vm)?))
        } else if key.is_null() {
            (Rank::Null, 0)
        } else {
            (Rank::Other, 0)
        };
        Ok(SortKey {
            image,
            index: index as u32,
            rank,
        })
    }
}

/// Bits that compare like the numbers: the sign is flipped, and of negative numbers everything else too.
fn image_of_number(number: f64) -> u64 {
    // Adding zero makes both zeros the same.
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 0 {
        bits | 1 << 63
    } else {
        !bits
    }
}

/// The first bytes as a big-endian number.
fn image_of_text(text: &str) -> u64 {
    let mut bytes = [0; 8];
    let length = text.len().min(8);
    bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
    u64::from_be_bytes(bytes)
}

/// Sorts the elements of `list` by the elements of `keys`, which may be the same list.
fn sort_by_keys(
    vm: &mut Vm,
    list: Gc<ListCell>,
    keys: Gc<ListCell>,
    direction: Direction,
) -> Fallible<()> {
    let length = list.length();
    let mut order = Vec::new();
    if order.try_reserve_exact(length).is_err() {
        return Err(RuntimeError::ListTooLarge.into());
    }
    for index in 0..length {
        vm.poll_at(index)?;
        order.push(SortKey::new(
            vm,
            keys.get(index).unwrap_or(Value::NULL),
            index,
        )?);
    }
    sort_in_runs(vm, &mut order, |a, b| direction.apply(compare(keys, a, b)))?;
    // No collection happens from here to the end, so the copy needs no place where the collector sees it.
    let before = list.as_slice().to_vec();
    // SAFETY: nothing else refers to the elements, they only change places, and nothing is allocated in the heap.
    let elements = unsafe { list.as_mut_slice(vm) };
    for (element, key) in elements.iter_mut().zip(&order) {
        *element = before[key.index as usize];
    }
    Ok(())
}

fn compare(keys: Gc<ListCell>, a: &SortKey, b: &SortKey) -> Ordering {
    (a.rank, a.image)
        .cmp(&(b.rank, b.image))
        .then_with(|| match a.rank {
            Rank::Text => compare_texts(keys, a, b),
            _ => Ordering::Equal,
        })
}

/// Compares two strings, which were flattened before.
fn compare_texts(keys: Gc<ListCell>, a: &SortKey, b: &SortKey) -> Ordering {
    let text = |key: &SortKey| keys.get(key.index as usize).and_then(Value::as_string);
    match (text(a), text(b)) {
        (Some(a), Some(b)) if a != b => a.if_flat().cmp(&b.if_flat()),
        _ => Ordering::Equal,
    }
}

/// Elements that are sorted in one go, without a look for interrupts: about a millisecond.
const RUN: usize = 1 << 14;

/// Sorts stably, looking for interrupts now and then.
fn sort_in_runs<T>(
    vm: &mut Vm,
    items: &mut [T],
    compare: impl Fn(&T, &T) -> Ordering,
) -> Fallible<()> {
    let mut run = RUN;
    loop {
        // From the second pass on each run consists of two sorted halves, which the standard sort finds and merges.
        for items in items.chunks_mut(run) {
            items.sort_by(&compare);
            vm.poll()?;
        }
        if run >= items.len() {
            return Ok(());
        }
        run *= 2;
    }
}
