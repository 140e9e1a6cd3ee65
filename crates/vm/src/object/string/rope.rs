//! Making strings: copies, ropes, and their flattening.
//!
//! # Appending
//!
//! `s = s + x` in a loop must take time proportional to the final length, whatever the program does
//! with `s` in between, and should not keep a cell per step alive. Three rules see to it:
//!
//! 1. A string that ends where its buffer ends is extended in the buffer, if there is room.
//! 2. A string that came about by appending to an appended string gets a buffer twice its size when
//!    flattened. So the copying of all flattenings sums up to a constant times the final length.
//! 3. A rope of [`EAGER`] appends is flattened before the next one.
//!
//! The header's `small` byte counts the appends since the string was last flattened.

use super::cell::{Extent, new_buffer, new_copy};
use super::{MAX_LENGTH, StringCell, empty, from_char, hash_of, index, substring};
use crate::error::{Fallible, RuntimeError};
use crate::heap::Gc;
use crate::object::allocator::Allocator;

/// Concatenations of fewer bytes are copied at once: that costs less than a rope and its
/// flattening.
const ROPE_MINIMUM: usize = 49;

/// From this many appends on a flattened string gets room to grow.
const GROWING: u8 = 2;

/// A rope of this many appends is flattened when something is appended to it.
const EAGER: u8 = 64;

/// A string with this text.
///
/// # Errors
/// Fails if the text is too long or the heap is full.
pub fn new_string(alloc: &mut impl Allocator, text: &str) -> Fallible<Gc<StringCell>> {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (None, _) => empty(alloc),
        (Some(character), None) => from_char(alloc, character),
        _ => new_copy(alloc, text),
    }
}

/// The two strings one after the other.
///
/// # Errors
/// Fails if the result is too long or the heap is full.
pub fn concat(
    alloc: &mut impl Allocator,
    left: Gc<StringCell>,
    right: Gc<StringCell>,
) -> Fallible<Gc<StringCell>> {
    if left.is_empty() {
        return Ok(right);
    }
    if right.is_empty() {
        return Ok(left);
    }
    let whole = Extent {
        bytes: left.byte_length() + right.byte_length(),
        length: left.length() + right.length(),
    };
    if whole.length > MAX_LENGTH {
        return Err(RuntimeError::StringTooLarge.into());
    }
    if whole.bytes < ROPE_MINIMUM {
        return join(alloc, whole, left, right);
    }
    if left.is_rope() && appends(left) >= EAGER {
        flatten(alloc, left)?;
    }
    if let Some(extended) = extend_in_buffer(alloc, whole, left, right)? {
        return Ok(extended);
    }
    let rope = whole.new_rope(alloc, left, right)?;
    // Where the right part is the longer one, copying adds up to little without any room to grow.
    if right.byte_length() < left.byte_length() {
        rope.header().small.set(appends(left).saturating_add(1));
    }
    Ok(rope)
}

/// How often something was appended to this string since it was flattened.
fn appends(string: Gc<StringCell>) -> u8 {
    string.header().small.get()
}

/// Copies two strings that are too short to be ropes.
fn join(
    alloc: &mut impl Allocator,
    whole: Extent,
    left: Gc<StringCell>,
    right: Gc<StringCell>,
) -> Fallible<Gc<StringCell>> {
    debug_assert!(!left.is_rope() && !right.is_rope());
    // SAFETY: ropes have `ROPE_MINIMUM` bytes at least, so the parts are none; every target has room for both.
    let copy_to = |target: *mut u8| unsafe {
        target.copy_from_nonoverlapping(left.bytes(), left.byte_length());
        target
            .add(left.byte_length())
            .copy_from_nonoverlapping(right.bytes(), right.byte_length());
    };
    if !alloc.strings().recent.is_worthwhile(whole.bytes) {
        let joined = whole.new_inline(alloc)?;
        copy_to(joined.own_bytes());
        return Ok(joined);
    }
    let mut buffer = [0; ROPE_MINIMUM];
    copy_to(buffer.as_mut_ptr());
    // SAFETY: two strings one after the other, of which nothing has been left out.
    let text = unsafe { std::str::from_utf8_unchecked(&buffer[..whole.bytes]) };
    let hash = hash_of(text);
    if let Some(known) = alloc.strings().recent.find(text, hash) {
        return Ok(known);
    }
    let joined = whole.new_inline(alloc)?;
    copy_to(joined.own_bytes());
    joined.cache_hash(hash);
    alloc.strings().recent.add(joined, hash);
    Ok(joined)
}

/// The strings with the delimiter between them, each of which is copied once; none if one of the parts is no string, or the result has
/// fewer than two characters. `check` is asked with each part.
///
/// # Errors
/// Fails if the result is too long, the heap is full, or `check` fails.
pub fn join_all<A: Allocator>(
    alloc: &mut A,
    delimiter: Gc<StringCell>,
    count: usize,
    part: impl Fn(usize) -> Option<Gc<StringCell>>,
    mut check: impl FnMut(&mut A, usize) -> Fallible<()>,
) -> Fallible<Option<Gc<StringCell>>> {
    delimiter.flat_str(alloc)?;
    let mut whole = Extent {
        bytes: 0,
        length: 0,
    };
    for index in 0..count {
        check(alloc, index)?;
        let Some(string) = part(index) else {
            return Ok(None);
        };
        string.flat_str(alloc)?;
        let before = if index > 0 {
            delimiter.extent()
        } else {
            Extent {
                bytes: 0,
                length: 0,
            }
        };
        whole.bytes += before.bytes + string.byte_length();
        whole.length += before.length + string.length();
        if whole.length > MAX_LENGTH {
            return Err(RuntimeError::StringTooLarge.into());
        }
    }
    if whole.length < 2 {
        return Ok(None);
    }
    let joined = whole.new_inline(alloc)?;
    let mut written = 0;
    for index in 0..count {
        let delimiter = (index > 0).then_some(delimiter);
        for string in delimiter.into_iter().chain(part(index)) {
            let bytes = string.byte_length();
            assert!(written + bytes <= whole.bytes);
            // SAFETY: the string has been flattened, and the new cell has room for the bytes counted before.
            unsafe {
                let target = joined.own_bytes().add(written);
                target.copy_from_nonoverlapping(string.bytes(), bytes);
            }
            written += bytes;
        }
    }
    assert_eq!(written, whole.bytes);
    Ok(Some(joined))
}

/// Appends `right` in the buffer that `left` is a view of, if `left` ends where the buffer ends and
/// there is room.
fn extend_in_buffer(
    alloc: &mut impl Allocator,
    whole: Extent,
    left: Gc<StringCell>,
    right: Gc<StringCell>,
) -> Fallible<Option<Gc<StringCell>>> {
    if !left.is_view() {
        return Ok(None);
    }
    // SAFETY: it is a view.
    let view = unsafe { left.view() };
    let (buffer, start) = (view.owner.get(), view.start());
    let extensible = buffer.is_buffer()
        && start.bytes + left.byte_length() == buffer.byte_length()
        && buffer.capacity() - buffer.byte_length() >= right.byte_length();
    if !extensible {
        return Ok(None);
    }
    let extended = whole.new_view(alloc, buffer, start)?;
    extended.header().small.set(GROWING);
    move_to_buffer(alloc, right, buffer);
    Ok(Some(extended))
}

/// Turns a rope into a view of a buffer.
///
/// # Errors
/// Fails if the heap is full.
#[inline(never)]
pub(super) fn flatten(alloc: &mut impl Allocator, rope: Gc<StringCell>) -> Fallible<()> {
    let bytes = rope.byte_length();
    let capacity = if appends(rope) >= GROWING {
        bytes * 2
    } else {
        bytes
    };
    let buffer = new_buffer(alloc, capacity)?;
    move_to_buffer(alloc, rope, buffer);
    Ok(())
}

/// Copies the text of `string` to the end of `buffer`, which must have room for it, and makes it
/// and the ropes it consists of views of the buffer.
///
/// Goes through the rope from its end to its start. The ropes whose right part it is in form a
/// chain through their `right` fields, so it needs no stack, however deep and lopsided the rope is.
/// A rope that occurs more than once is a view of finished text when it is met again. Nothing is
/// allocated on the way, so nobody else sees the chain.
fn move_to_buffer(alloc: &mut impl Allocator, string: Gc<StringCell>, buffer: Gc<StringCell>) {
    let mut end = Extent {
        bytes: buffer.byte_length() + string.byte_length(),
        length: buffer.length() + string.length(),
    };
    buffer.extend_buffer(string.extent());

    // The buffer, which is no rope, marks the end of the chain.
    let mut chain = buffer;
    let mut part = string;
    loop {
        while part.is_rope() {
            // SAFETY: it is a rope.
            let body = unsafe { part.rope() };
            let right = body.right.replace(chain);
            chain = part;
            part = right;
        }
        end.bytes -= part.byte_length();
        end.length -= part.length();
        // SAFETY: the part is no rope. The buffer was extended by the length of all parts together,
        // and if the part itself lies in the buffer, then before the end or behind this
        // place.
        unsafe {
            let target = buffer.own_bytes().add(end.bytes);
            target.copy_from_nonoverlapping(part.bytes(), part.byte_length());
        }
        if chain == buffer {
            return;
        }
        // SAFETY: the chain consists of ropes. When the left part of this one is copied too, the
        // text of all of it starts where the left part starts.
        unsafe {
            let rope = chain;
            let body = rope.rope();
            chain = body.right.get();
            part = body.left.get();
            let start = Extent {
                bytes: end.bytes - part.byte_length(),
                length: end.length - part.length(),
            };
            rope.become_view(alloc, buffer, start);
            let header = rope.header();
            header.small.set(header.small.get().min(GROWING));
        }
    }
}

/// The string `factor` times: as many full copies as fit, then as many code points of another as
/// the fraction says.
///
/// A factor that is not positive gives the empty string.
///
/// # Errors
/// Fails if the result is too long or the heap is full.
pub fn replicate(
    alloc: &mut impl Allocator,
    string: Gc<StringCell>,
    factor: f64,
) -> Fallible<Gc<StringCell>> {
    if string.is_empty() || factor.is_nan() || factor <= 0.0 {
        return empty(alloc);
    }
    let copies = factor.floor();
    if copies * string.length() as f64 > MAX_LENGTH as f64 {
        return Err(RuntimeError::StringTooLarge.into());
    }
    let rest = (string.length() as f64 * (factor - copies)) as usize;
    let copies = copies as usize;
    match (copies, rest) {
        (0, _) => return substring(alloc, string, 0, rest),
        (1, 0) => return Ok(string),
        _ => {}
    }
    let length = copies * string.length() + rest;
    if length > MAX_LENGTH {
        return Err(RuntimeError::StringTooLarge.into());
    }
    let rest_bytes = index::byte_offset(alloc, string, rest)?;
    let unit = string.byte_length();
    let bytes = copies * unit + rest_bytes;
    let text = string.flat_str(alloc)?;
    let result = Extent { bytes, length }.new_inline(alloc)?;
    let target = result.own_bytes();
    // SAFETY: the new cell has room for `bytes` bytes. What is written so far consists of whole
    // copies, so continuing with its start continues the pattern; source and target never
    // overlap.
    unsafe {
        target.copy_from_nonoverlapping(text.as_ptr(), unit);
        let mut written = unit;
        while written < bytes {
            let piece = written.min(bytes - written);
            target.add(written).copy_from_nonoverlapping(target, piece);
            written += piece;
        }
    }
    Ok(result)
}
