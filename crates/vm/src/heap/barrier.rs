//! Colours and the write barrier.
//!
//! | `Header::state` | meaning |
//! |---|---|
//! | `WHITE` | allocated since the last collection, not marked |
//! | the colour of this epoch | black: marked, nothing written since |
//! | the same with `REMEMBERED` | marked, written since, listed |
//! | the other colour | in a full collection: not marked yet; otherwise: dead |
//!
//! A full collection begins a new epoch by exchanging the two colours, so no mark is ever cleared.
//! Marks stay between minor collections ("sticky"): black is old, white is young.
//!
//! One barrier serves both uses of it. Between collections it finds old cells that may refer to young
//! ones; while a full collection marks in slices it finds cells that changed after they were traced.
//!
//! # The two halves of the barrier
//!
//! The fast half compares the owner's state with [`Heap::black`](super::Heap); compiled code inlines it. Only if they are equal
//! is the slow half called, and what it does depends on the owner:
//!
//! - A cell that is traced as a whole gets the bit `REMEMBERED`, so that its next stores stay on the fast half, and is put on
//!   the list of remembered cells.
//! - A large row ([cards](super::cards)) stays black. The card of the place that was written becomes dirty, and the row is put on
//!   the list unless it is there already. If the caller does not know the place, all cards become dirty and the row gets `REMEMBERED`
//!   like any other cell.

use super::cards::Cards;
use super::{Gc, Header, Heap};
use crate::value::Value;

/// The state of a new cell.
pub(super) const WHITE: u8 = 0;
/// The colour of the first epoch; the other one is `FIRST_COLOUR ^ COLOUR`.
pub(super) const FIRST_COLOUR: u8 = 1;
/// The bits of a state that hold the colour.
pub(super) const COLOUR: u8 = 0b011;
/// The bit of a marked cell that is in the list of remembered cells as a whole.
pub(super) const REMEMBERED: u8 = 0b100;

impl Header {
    /// Whether the cell is marked with this colour.
    #[inline(always)]
    pub(super) fn has_colour(&self, colour: u8) -> bool {
        self.state.get() & COLOUR == colour
    }
}

impl Heap {
    /// Must be called after references are stored in `owner`, before the next allocation. If `owner` may be large and it is known
    /// where the reference was stored, [`write_barrier_at`](Self::write_barrier_at) saves the collector work.
    ///
    /// A cell that was itself allocated after the last allocation that could collect needs none.
    #[inline(always)]
    pub fn write_barrier(&mut self, owner: &Header) {
        if owner.state.get() == self.black {
            self.remember(owner);
        }
    }

    /// Must be called after a reference is stored at `place` in `owner`, before the next allocation. In a table, `place` is where
    /// the entry that was changed begins.
    #[inline(always)]
    pub fn write_barrier_at(&mut self, owner: &Header, place: *const Value) {
        if owner.state.get() == self.black {
            self.remember_at(owner, place);
        }
    }

    /// Whether storing a reference in `owner` would take the slow half of the barrier.
    #[inline(always)]
    pub fn needs_barrier(&self, owner: &Header) -> bool {
        owner.state.get() == self.black
    }

    /// The slow half of the barrier: notes that the marked cell `owner` must be traced again, all of it.
    #[cold]
    #[inline(never)]
    pub fn remember(&mut self, owner: &Header) {
        owner.state.set(self.black | REMEMBERED);
        // SAFETY: the header of a live cell stands at the cell's address.
        let cell = unsafe { Gc::from_address(std::ptr::from_ref(owner) as usize) };
        if let Some(cards) = Cards::of(cell) {
            cards.soil_all();
            if cards.enlist() {
                return;
            }
        }
        self.marker.remembered.push(cell);
    }

    /// The slow half of the barrier where it is known which place in the marked cell `owner` was written.
    #[cold]
    #[inline(never)]
    pub fn remember_at(&mut self, owner: &Header, place: *const Value) {
        // SAFETY: the header of a live cell stands at the cell's address.
        let cell = unsafe { Gc::from_address(std::ptr::from_ref(owner) as usize) };
        let Some(cards) = Cards::of(cell) else {
            return self.remember(owner);
        };
        cards.soil((place as usize).wrapping_sub(cell.address()));
        if !cards.enlist() {
            self.marker.remembered.push(cell);
        }
    }
}
