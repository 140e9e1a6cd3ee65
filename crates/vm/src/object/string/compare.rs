//! Hash, equality, order, search.

use std::cmp::Ordering;
use std::hash::Hasher;

use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;
use memchr::memmem;

use super::StringCell;
use super::index::byte_offset;
use crate::error::Fallible;
use crate::heap::Gc;
use crate::object::allocator::Allocator;

/// The hash of a string. It is kept in the cell.
///
/// # Errors
/// Fails if flattening finds no memory.
#[inline]
pub fn hash(alloc: &mut impl Allocator, string: Gc<StringCell>) -> Fallible<u32> {
    if let Some(hash) = string.cached_hash() {
        return Ok(hash);
    }
    let hash = hash_of(string.flat_str(alloc)?);
    string.cache_hash(hash);
    Ok(hash)
}

/// The hash of the string with this text: never 0, the same in every process.
pub fn hash_of(text: &str) -> u32 {
    // Seeded alike everywhere: compiled code contains hashes of constants.
    let mut hasher = FoldHasher::with_seed(0x6b69_6c6e, SharedSeed::global_fixed());
    hasher.write(text.as_bytes());
    let hash = hasher.finish();
    ((hash >> 32) as u32 ^ hash as u32).max(1)
}

impl Gc<StringCell> {
    /// The hash of an interned string.
    #[inline(always)]
    pub fn interned_hash(self) -> u32 {
        debug_assert!(self.is_interned());
        self.cached_hash().unwrap_or_default()
    }

    /// Whether two strings of which neither is an outstanding concatenation have the same contents.
    /// Interned strings are none, nor are those whose hash was asked for.
    #[inline]
    pub fn equals_flat(self, other: Gc<StringCell>) -> bool {
        debug_assert!(!self.is_rope() && !other.is_rope());
        self == other || (may_be_equal(self, other) && self.if_flat() == other.if_flat())
    }
}

/// What can be said about the equality of different cells without looking at the bytes.
#[inline]
fn may_be_equal(a: Gc<StringCell>, b: Gc<StringCell>) -> bool {
    if a.extent() != b.extent() || (a.is_interned() && b.is_interned()) {
        return false;
    }
    match (a.cached_hash(), b.cached_hash()) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

/// Whether two strings have the same contents.
///
/// # Errors
/// Fails if flattening finds no memory.
#[inline]
pub fn equals(alloc: &mut impl Allocator, a: Gc<StringCell>, b: Gc<StringCell>) -> Fallible<bool> {
    if a == b {
        return Ok(true);
    }
    if !may_be_equal(a, b) {
        return Ok(false);
    }
    Ok(a.flat_str(alloc)? == b.flat_str(alloc)?)
}

/// The order of two strings: that of their code points, which in UTF-8 is that of the bytes.
///
/// # Errors
/// Fails if flattening finds no memory.
pub fn compare(
    alloc: &mut impl Allocator,
    a: Gc<StringCell>,
    b: Gc<StringCell>,
) -> Fallible<Ordering> {
    if a == b {
        return Ok(Ordering::Equal);
    }
    Ok(a.flat_str(alloc)?.cmp(b.flat_str(alloc)?))
}

/// The index of the first occurrence of `needle` in `string` that starts at `from` or later. An
/// empty needle occurs everywhere, also at the end.
///
/// # Errors
/// Fails if the heap is full.
pub fn find(
    alloc: &mut impl Allocator,
    string: Gc<StringCell>,
    needle: Gc<StringCell>,
    from: usize,
) -> Fallible<Option<usize>> {
    if from > string.length() || needle.length() > string.length() - from {
        return Ok(None);
    }
    let text = string.flat_str(alloc)?;
    let needle = needle.flat_str(alloc)?;
    let start = byte_offset(alloc, string, from)?;
    let rest = text.get(start..).unwrap_or_default();
    let Some(hit) = memmem::find(rest.as_bytes(), needle.as_bytes()) else {
        return Ok(None);
    };
    let skipped = if string.is_ascii() {
        hit
    } else {
        rest.get(..hit).map_or(0, |skipped| skipped.chars().count())
    };
    Ok(Some(from + skipped))
}
