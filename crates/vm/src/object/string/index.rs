//! Finding the n-th code point.
//!
//! In ASCII text code points are bytes. Other text gets, when it is first indexed, an index: a cell
//! of bytes with the offset of every [`STRIDE`]-th code point as a `u32`, filled in as far as it
//! was needed. The cell's header counts the entries that are filled in. The index belongs to the
//! cell that holds the text; views share it, and the index of a buffer grows with the buffer.

use super::cell::IndexBody;
use super::{StringCell, from_char};
use crate::error::Fallible;
use crate::heap::{Gc, Header, Kind};
use crate::object::allocator::Allocator;

/// The distance of index entries in code points. An entry costs a quarter of a byte per code point
/// or less, and a look-up steps over 15 code points at most.
const STRIDE: usize = 16;

/// Up to this many code points from the start of a string are stepped over without an index.
const WALK: usize = 2 * STRIDE;

/// The code point at `index`, none if the string is not that long.
///
/// # Errors
/// Fails if the heap is full.
#[inline]
pub fn code_point_at(
    alloc: &mut impl Allocator,
    string: Gc<StringCell>,
    index: usize,
) -> Fallible<Option<char>> {
    if index >= string.length() {
        return Ok(None);
    }
    let offset = byte_offset(alloc, string, index)?;
    Ok(string
        .flat_str(alloc)?
        .get(offset..)
        .and_then(|rest| rest.chars().next()))
}

/// The string that consists of the code point at `index`, none if the string is not that long.
///
/// # Errors
/// Fails if the heap is full.
#[inline]
pub fn char_at(
    alloc: &mut impl Allocator,
    string: Gc<StringCell>,
    index: usize,
) -> Fallible<Option<Gc<StringCell>>> {
    match code_point_at(alloc, string, index)? {
        Some(character) => from_char(alloc, character).map(Some),
        None => Ok(None),
    }
}

/// Where the code point at `index`, which is the length at most, starts in the bytes of the string.
///
/// # Errors
/// Fails if the heap is full.
#[inline]
pub(super) fn byte_offset(
    alloc: &mut impl Allocator,
    string: Gc<StringCell>,
    index: usize,
) -> Fallible<usize> {
    debug_assert!(index <= string.length());
    if string.is_ascii() {
        Ok(index)
    } else if index == string.length() {
        Ok(string.byte_length())
    } else {
        wide_byte_offset(alloc, string, index)
    }
}

fn wide_byte_offset(
    alloc: &mut impl Allocator,
    string: Gc<StringCell>,
    index: usize,
) -> Fallible<usize> {
    let text = string.flat_str(alloc)?;
    if index <= WALK {
        return Ok(skip(text.as_bytes(), 0, index));
    }
    if !string.is_view() {
        return offset_in_owner(alloc, string, index);
    }
    // SAFETY: it is a view.
    let view = unsafe { string.view() };
    let start = view.start();
    Ok(offset_in_owner(alloc, view.owner.get(), start.length + index)? - start.bytes)
}

/// As [`byte_offset`], for a buffer or inline string that is not ASCII.
fn offset_in_owner(
    alloc: &mut impl Allocator,
    owner: Gc<StringCell>,
    index: usize,
) -> Fallible<usize> {
    // SAFETY: a view that is not ASCII has an owner that is not.
    let body = unsafe { owner.indexed() };
    let entries = match body.index.get() {
        Some(entries) => entries,
        None => new_index(alloc, owner, body)?,
    };
    // SAFETY: an owner is no rope.
    let bytes = unsafe { owner.text() }.as_bytes();
    let filled = entries.word.get() as usize;
    let wanted = index / STRIDE;
    // SAFETY: the index has room for an entry per `STRIDE` bytes its owner can hold, and entries up
    // to `filled` are initialized.
    unsafe {
        let first = entries.as_ptr().add(1).cast::<u32>();
        let entry = |number: usize| match number {
            0 => 0,
            _ => *first.add(number - 1) as usize,
        };
        if filled < wanted {
            let mut offset = entry(filled);
            for number in filled..wanted {
                offset = skip(bytes, offset, STRIDE);
                first.add(number).write(offset as u32);
            }
            entries.word.set(wanted as u32);
        }
        Ok(skip(bytes, entry(wanted), index % STRIDE))
    }
}

fn new_index(
    alloc: &mut impl Allocator,
    owner: Gc<StringCell>,
    body: &IndexBody,
) -> Fallible<Gc<Header>> {
    let most_characters = if owner.is_buffer() {
        owner.capacity()
    } else {
        owner.length()
    };
    let entries = most_characters / STRIDE;
    let index = alloc.allocate(
        Kind::Bytes,
        size_of::<Header>() + entries * size_of::<u32>(),
    )?;
    index.word.set(0);
    body.index.set(Some(index));
    alloc.write_barrier(owner.header());
    Ok(index)
}

/// The offset `count` code points behind `offset`.
fn skip(bytes: &[u8], mut offset: usize, count: usize) -> usize {
    for _ in 0..count {
        offset += match bytes.get(offset) {
            Some(0xF0..) => 4,
            Some(0xE0..) => 3,
            Some(0xC0..) => 2,
            _ => 1,
        };
    }
    offset
}
