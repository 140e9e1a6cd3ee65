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

use super::{Gc, Header, Heap};

/// The state of a new cell.
pub(super) const WHITE: u8 = 0;
/// The colour of the first epoch; the other one is `FIRST_COLOUR ^ COLOUR`.
pub(super) const FIRST_COLOUR: u8 = 1;
/// The bits of a state that hold the colour.
pub(super) const COLOUR: u8 = 0b011;
/// The bit of a marked cell that is in the list of remembered cells.
pub(super) const REMEMBERED: u8 = 0b100;

impl Header {
    /// Whether the cell is marked with this colour.
    #[inline(always)]
    pub(super) fn has_colour(&self, colour: u8) -> bool {
        self.state.get() & COLOUR == colour
    }
}

impl Heap {
    /// Must be called after a reference is stored in `owner`, before the next allocation.
    ///
    /// A cell that was itself allocated after the last allocation that could collect needs none.
    #[inline(always)]
    pub fn write_barrier(&mut self, owner: &Header) {
        if owner.state.get() == self.black {
            self.remember(owner);
        }
    }

    /// Whether storing a reference in `owner` would take the slow path of the barrier.
    #[inline(always)]
    pub fn needs_barrier(&self, owner: &Header) -> bool {
        owner.state.get() == self.black
    }

    /// The slow path of the barrier: notes that the marked cell `owner` must be traced again.
    #[cold]
    #[inline(never)]
    pub fn remember(&mut self, owner: &Header) {
        owner.state.set(self.black | REMEMBERED);
        // SAFETY: the header of a live cell stands at the cell's address.
        self.remembered
            .push(unsafe { Gc::from_address(std::ptr::from_ref(owner) as usize) });
    }
}
