//! Cards: which parts of a large row have been written.
//!
//! A large cell with values in a row, the elements of a long list or the table of a big map, would take long to trace
//! again for every reference stored in it. It is divided into *cards* of [`CARD_BYTES`]; the write barrier marks the card of the
//! place that was written as dirty, and only dirty cards are traced again. The bits stand behind the cell, one for each card.

use std::cell::Cell;
use std::ops::Range;

use super::large::{self, Prefix};
use super::{Gc, Header, Kind};

/// The size of a card. Small, because scattered writes are the usual case in hash tables; the bits take a four-thousandth
/// of the memory.
pub(super) const CARD_BYTES: usize = 512;

/// The cards of a word of the bit map.
const WORD: usize = u64::BITS as usize;

/// Whether cells of a kind consist of so many values that, when large, they are traced in parts.
pub(super) fn is_row(kind: Kind) -> bool {
    matches!(kind, Kind::Values | Kind::Dictionary)
}

/// The words of the bit map of a row.
pub(super) fn words(bytes: usize) -> usize {
    bytes.div_ceil(CARD_BYTES).div_ceil(WORD)
}

/// The cards of a large row.
#[derive(Clone, Copy)]
pub(super) struct Cards<'a> {
    prefix: &'a Prefix,
    bits: &'a [Cell<u64>],
}

impl<'a> Cards<'a> {
    /// The cards of a cell, if it is a large row.
    #[inline]
    pub(super) fn of(cell: Gc<Header>) -> Option<Cards<'a>> {
        if !large::is_large(cell.address()) {
            return None;
        }
        // SAFETY: it is a large cell, by its address.
        let prefix: &Prefix = unsafe { &*large::prefix_of(cell) };
        if !prefix.is_row {
            return None;
        }
        // SAFETY: the memory of a large row was made with so many words behind the cell, whose size is a multiple of 8,
        // and they were zeroed then. They are only accessed through `Cell`s.
        let bits = unsafe {
            let first = cell.as_ptr().byte_add(prefix.bytes).cast::<Cell<u64>>();
            std::slice::from_raw_parts(first, words(prefix.bytes))
        };
        Some(Cards { prefix, bits })
    }

    /// Marks the card of a byte of the cell as dirty. Bytes outside the cell have none.
    #[inline]
    pub(super) fn soil(self, offset: usize) {
        let card = offset / CARD_BYTES;
        if let Some(word) = self.bits.get(card / WORD) {
            word.set(word.get() | 1 << (card % WORD));
        }
    }

    /// Marks all cards as dirty.
    pub(super) fn soil_all(self) {
        for word in self.bits {
            word.set(u64::MAX);
        }
    }

    /// Whether the card of a byte of the cell is dirty.
    pub(super) fn is_dirty(self, offset: usize) -> bool {
        let card = offset / CARD_BYTES;
        self.bits
            .get(card / WORD)
            .is_some_and(|word| word.get() >> (card % WORD) & 1 != 0)
    }

    /// Notes that the cell is in the list of remembered cells. Returns whether it was already.
    #[inline]
    pub(super) fn enlist(self) -> bool {
        self.prefix.is_listed.replace(true)
    }

    /// Makes all cards clean, and passes each row of neighbouring dirty ones to `visit`, as bytes of the cell. The cell
    /// counts as no longer listed.
    pub(super) fn clean(self, mut visit: impl FnMut(Range<usize>)) {
        self.prefix.is_listed.set(false);
        let end = self.prefix.bytes;
        let mut dirty: Option<Range<usize>> = None;
        for (index, word) in self.bits.iter().enumerate() {
            let mut bits = word.replace(0);
            while bits != 0 {
                let skipped = bits.trailing_zeros() as usize;
                let count = (bits >> skipped).trailing_ones() as usize;
                let start = (index * WORD + skipped) * CARD_BYTES;
                let stop = start + count * CARD_BYTES;
                match &mut dirty {
                    Some(range) if range.end == start => range.end = stop,
                    _ => {
                        if let Some(range) = dirty.replace(start..stop) {
                            visit(range);
                        }
                    }
                }
                bits = match skipped + count {
                    WORD => 0,
                    done => bits >> done << done,
                };
            }
        }
        if let Some(range) = dirty
            && range.start < end
        {
            visit(range.start..range.end.min(end));
        }
    }
}
