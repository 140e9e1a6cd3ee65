//! Short concatenations made not long ago. Programs put the same words together again and again: the same word again is the same
//! string, which saves its memory, the collector's work, and the computing of its hash.

use super::StringCell;
use crate::heap::{Gc, Survivors};

/// How many there are at most; a hash chooses the place.
const COUNT: usize = 2048;

/// Longer ones are rarely alike.
const LONGEST: usize = 32;

/// So many are looked for before it is decided whether to go on.
const TRIALS: u32 = 1024;

/// How many are not looked for when too few have been found.
const PAUSE: u32 = 32 << 10;

/// Strings by hash, held weakly.
pub(super) struct RecentStrings {
    /// Made with the first of them.
    strings: Vec<Option<Gc<StringCell>>>,
    tried: u32,
    found: u32,
    pause: u32,
}

impl RecentStrings {
    pub const fn new() -> RecentStrings {
        RecentStrings {
            strings: Vec::new(),
            tried: 0,
            found: 0,
            pause: 0,
        }
    }

    /// Whether it is worth looking for a string of so many bytes.
    #[inline]
    pub fn is_worthwhile(&mut self, bytes: usize) -> bool {
        if bytes > LONGEST {
            return false;
        }
        if self.pause > 0 {
            self.pause -= 1;
            return false;
        }
        if self.tried == TRIALS {
            if self.found < TRIALS / 4 {
                self.pause = PAUSE;
            }
            (self.tried, self.found) = (0, 0);
        }
        self.tried += 1;
        true
    }

    /// The string with this text, if it is there.
    #[inline]
    pub fn find(&mut self, text: &str, hash: u32) -> Option<Gc<StringCell>> {
        let string = (*self.strings.get(hash as usize % COUNT)?)?;
        if string.cached_hash() != Some(hash) || string.if_flat() != Some(text) {
            return None;
        }
        self.found += 1;
        Some(string)
    }

    /// Adds a string in the place of another one.
    #[inline]
    pub fn add(&mut self, string: Gc<StringCell>, hash: u32) {
        if self.strings.is_empty() {
            self.strings.resize(COUNT, None);
        }
        self.strings[hash as usize % COUNT] = Some(string);
    }

    /// Forgets strings that nobody else refers to.
    pub fn forget_dead(&mut self, survivors: &Survivors) {
        for place in &mut self.strings {
            if place.is_some_and(|string| !survivors.contains(string)) {
                *place = None;
            }
        }
    }
}
