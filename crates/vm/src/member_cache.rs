//! The cache of accesses that see objects of many shapes: one for the whole interpreter, direct-mapped by shape and key.
//!
//! An entry says the same as one of an inline cache and holds as long: own members as long as the shape is in use, inherited ones in
//! their prototype epoch. When numbers of shapes are given out anew the cache is cleared. Keys are interned strings of feedback
//! cells, which live as long as the interpreter, so their addresses name them.

use crate::feedback::{Access, CacheEntry};
use crate::heap::Gc;
use crate::object::map::shape::ShapeId;
use crate::object::string::StringCell;

/// A power of two. Programs with more pairs of shape and name than this at their busiest accesses are rare; as many take 20 KB.
const ENTRIES: usize = 512;

/// See the [module](self).
#[derive(Default)]
pub(crate) struct MemberCache {
    /// The address of the key, and how to reach the member. Empty until there is an access that sees many shapes.
    entries: Vec<(usize, CacheEntry)>,
}

impl MemberCache {
    fn position(shape: ShapeId, key: Gc<StringCell>) -> usize {
        // Strings stand at multiples of 16 bytes; shapes are numbered in sequence.
        let mixed = (key.address() >> 4) ^ (shape.0 as usize).wrapping_mul(0x9E37_79B1);
        (mixed ^ (mixed >> 9)) % ENTRIES
    }

    /// How objects of this shape reach the member, if that is known.
    pub fn find(&self, shape: ShapeId, key: Gc<StringCell>) -> Option<CacheEntry> {
        let (address, entry) = self.entries.get(MemberCache::position(shape, key))?;
        let is_hit = *address == key.address() && entry.shape == shape;
        (is_hit && entry.access != Access::Empty).then_some(*entry)
    }

    /// Enters what a look-up has found.
    pub fn insert(&mut self, key: Gc<StringCell>, entry: CacheEntry) {
        if self.entries.is_empty() {
            self.entries = vec![(0, CacheEntry::EMPTY); ENTRIES];
        }
        self.entries[MemberCache::position(entry.shape, key)] = (key.address(), entry);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.fill((0, CacheEntry::EMPTY));
    }
}
