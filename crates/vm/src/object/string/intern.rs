//! The strings an interpreter shares.

use hashbrown::HashTable;

use super::cell::{flags, new_copy};
use super::recent::RecentStrings;
use super::{StringCell, hash_of};
use crate::error::Fallible;
use crate::heap::{Gc, Marker, Survivors};
use crate::object::allocator::Allocator;

/// Code points below this have one string each: ASCII and the rest of Latin-1.
pub const SHARED_CHARACTERS: usize = 256;

/// The shared strings of one interpreter: the empty string, the strings of one character, and the
/// interned strings.
///
/// The first two kinds are made on demand and stay; the interned ones, and some recent concatenations, are held weakly.
pub struct Strings {
    empty: Option<Gc<StringCell>>,
    characters: Box<[Option<Gc<StringCell>>; SHARED_CHARACTERS]>,
    /// Strings of two code points and more, and of one from `SHARED_CHARACTERS` on.
    interned: HashTable<Gc<StringCell>>,
    /// Short concatenations.
    pub(super) recent: RecentStrings,
}

impl Default for Strings {
    fn default() -> Strings {
        Strings::new()
    }
}

impl Strings {
    /// Where the strings of one character are, as long as these live.
    pub(crate) fn characters_address(&self) -> usize {
        self.characters.as_ptr() as usize
    }

    /// No strings.
    pub fn new() -> Strings {
        Strings {
            empty: None,
            characters: Box::new([None; SHARED_CHARACTERS]),
            interned: HashTable::new(),
            recent: RecentStrings::new(),
        }
    }

    /// The interned string with this text, if there is one.
    pub fn lookup_interned(&self, text: &str) -> Option<Gc<StringCell>> {
        match self.shared_slot(text) {
            Some(slot) => *slot,
            None => self.lookup_hashed(text, hash_of(text)),
        }
    }

    fn lookup_hashed(&self, text: &str, hash: u32) -> Option<Gc<StringCell>> {
        self.interned
            .find(spread(hash), |cell| cell.if_flat() == Some(text))
            .copied()
    }

    /// The number of interned strings, not counting those of fewer than two characters.
    pub fn interned_count(&self) -> usize {
        self.interned.len()
    }

    /// Marks the strings that stay for good.
    pub fn trace(&mut self, marker: &mut Marker) {
        for cell in self.empty.iter().chain(self.characters.iter().flatten()) {
            marker.cell(*cell);
        }
    }

    /// Forgets interned and recent strings that nobody else refers to.
    pub fn forget_dead(&mut self, survivors: &Survivors) {
        self.recent.forget_dead(survivors);
        self.interned.retain(|cell| survivors.contains(*cell));
    }

    /// The place of a string that has one of its own.
    fn shared_slot(&self, text: &str) -> Option<&Option<Gc<StringCell>>> {
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (None, _) => Some(&self.empty),
            (Some(character), None) => self.characters.get(character as usize),
            _ => None,
        }
    }

    /// Adds an inline string whose contents are not in the table.
    fn insert(&mut self, cell: Gc<StringCell>, hash: u32) {
        mark_interned(cell, hash);
        let hash_of_cell = |cell: &Gc<StringCell>| spread(cell.cached_hash().unwrap_or_default());
        self.interned
            .insert_unique(spread(hash), cell, hash_of_cell);
    }
}

/// An interned string always has its hash.
fn mark_interned(cell: Gc<StringCell>, hash: u32) {
    cell.cache_hash(hash);
    cell.header().set_flag(flags::INTERNED);
}

/// The table takes its control bits from the top, where a 32-bit hash has none.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// The empty string.
///
/// # Errors
/// Fails if the heap is full.
pub fn empty(alloc: &mut impl Allocator) -> Fallible<Gc<StringCell>> {
    if let Some(cell) = alloc.strings().empty {
        return Ok(cell);
    }
    let cell = new_copy(alloc, "")?;
    mark_interned(cell, hash_of(""));
    alloc.strings().empty = Some(cell);
    Ok(cell)
}

/// The string of one character.
///
/// # Errors
/// Fails if the heap is full.
#[inline]
pub fn from_char(alloc: &mut impl Allocator, character: char) -> Fallible<Gc<StringCell>> {
    if let Some(Some(cell)) = alloc.strings().characters.get(character as usize) {
        return Ok(*cell);
    }
    new_character(alloc, character)
}

/// The string of one character, if it is shared and has been made.
#[inline(always)]
pub fn shared_character(alloc: &mut impl Allocator, code: u32) -> Option<Gc<StringCell>> {
    *alloc.strings().characters.get(code as usize)?
}

#[cold]
fn new_character(alloc: &mut impl Allocator, character: char) -> Fallible<Gc<StringCell>> {
    let mut buffer = [0; 4];
    let text = &*character.encode_utf8(&mut buffer);
    let cell = new_copy(alloc, text)?;
    if let Some(slot) = alloc.strings().characters.get_mut(character as usize) {
        mark_interned(cell, hash_of(text));
        *slot = Some(cell);
    }
    Ok(cell)
}

/// The one interned string with this text.
///
/// # Errors
/// Fails if the text is too long or the heap is full.
pub fn intern(alloc: &mut impl Allocator, text: &str) -> Fallible<Gc<StringCell>> {
    if let Some(cell) = alloc.strings().lookup_interned(text) {
        return Ok(cell);
    }
    let cell = super::new_string(alloc, text)?;
    // The strings of one character come interned, as far as the table shares them.
    if !cell.is_interned() {
        alloc.strings().insert(cell, hash_of(text));
    }
    Ok(cell)
}

/// The interned string with the contents of this one, if there is one. Uses the hash that the cell
/// keeps.
///
/// # Errors
/// Fails if flattening finds no memory.
pub fn lookup_interned_cell(
    alloc: &mut impl Allocator,
    string: Gc<StringCell>,
) -> Fallible<Option<Gc<StringCell>>> {
    if string.is_interned() {
        return Ok(Some(string));
    }
    let hash = super::hash(alloc, string)?;
    let text = string.flat_str(alloc)?;
    let strings = alloc.strings();
    Ok(match strings.shared_slot(text) {
        Some(slot) => *slot,
        None => strings.lookup_hashed(text, hash),
    })
}

/// The one interned string with the contents of this one; this one itself, if there was none and it
/// holds its bytes.
///
/// # Errors
/// Fails if the heap is full.
pub fn intern_cell(alloc: &mut impl Allocator, string: Gc<StringCell>) -> Fallible<Gc<StringCell>> {
    if let Some(cell) = lookup_interned_cell(alloc, string)? {
        return Ok(cell);
    }
    if string.is_inline() && string.length() > 1 {
        let hash = super::hash(alloc, string)?;
        alloc.strings().insert(string, hash);
        return Ok(string);
    }
    let text = string.flat_str(alloc)?;
    intern(alloc, text)
}
