//! Pieces of strings.

use super::cell::Extent;
use super::index::byte_offset;
use super::{StringCell, empty, new_string};
use crate::error::Fallible;
use crate::heap::Gc;
use crate::object::allocator::Allocator;

/// Pieces of fewer bytes are copied.
const VIEW_MINIMUM: usize = 96;

/// A view may keep alive this many times its own bytes. What is a smaller part of its owner is
/// copied.
const VIEW_SHARE: usize = 16;

/// The code points from `from` up to and without `to`; both are cut to the length.
///
/// # Errors
/// Fails if the heap is full.
pub fn substring(
    alloc: &mut impl Allocator,
    string: Gc<StringCell>,
    from: usize,
    to: usize,
) -> Fallible<Gc<StringCell>> {
    let to = to.min(string.length());
    if from >= to {
        return empty(alloc);
    }
    if from == 0 && to == string.length() {
        return Ok(string);
    }
    let text = string.flat_str(alloc)?;
    let (start, end) = (
        byte_offset(alloc, string, from)?,
        byte_offset(alloc, string, to)?,
    );
    let (owner, preceding) = if string.is_view() {
        // SAFETY: it is a view.
        let view = unsafe { string.view() };
        (view.owner.get(), view.start())
    } else {
        (
            string,
            Extent {
                bytes: 0,
                length: 0,
            },
        )
    };
    let piece = Extent {
        bytes: end - start,
        length: to - from,
    };
    let held = if owner.is_buffer() {
        owner.capacity()
    } else {
        owner.byte_length()
    };
    if piece.bytes < VIEW_MINIMUM || piece.bytes < held / VIEW_SHARE {
        return new_string(alloc, text.get(start..end).unwrap_or_default());
    }
    let start = Extent {
        bytes: preceding.bytes + start,
        length: preceding.length + from,
    };
    piece.new_view(alloc, owner, start)
}
