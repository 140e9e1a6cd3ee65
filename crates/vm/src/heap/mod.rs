//! The heap of one interpreter: cells that never move.
//!
//! Every cell starts with an 8-byte [`Header`]. [`Gc`] is a plain pointer to a cell.
//!
//! # Where references may live
//!
//! The collector finds references in three places: in cells (traced precisely), on the script stack and the
//! value stack (conservatively: any word that looks like a live cell's address or a value referring to one keeps it
//! alive), and in registered roots. A `Gc` or `Value` in a local variable of a function that runs on the
//! script stack is therefore safe. Nowhere else: not in a `Vec`, a `Box` or a struct on the Rust heap.
//!
//! # How it works
//!
//! [Chunks](chunk) of 1 MiB consist of [blocks](block) of 16 KiB, each with cells of one
//! [size class](size_class); [large cells](large) have memory of their own. [Allocation](allocate) cuts cells from runs
//! of free memory. The [collector](collect) [marks](mark) what is reachable; the mark is a colour in the cell's header. It is
//! generational: marks stay, so what is marked is old, and minor collections look at young cells only. Full collections mark in
//! slices. One [write barrier](barrier) serves both. Blocks are swept when allocation needs them.
//!
//! The heap never collects by itself: allocation reports that a collection is due, and the owner, who knows the
//! roots, calls [`Heap::collect`].

mod allocate;
mod barrier;
mod block;
mod cards;
mod cell;
mod chunk;
mod collect;
mod conservative;
mod large;
mod mark;
mod memory;
mod size_class;
mod space;
mod statistics;
#[cfg(test)]
mod tests;
mod verify;

pub use allocate::InlineAllocation;
pub use cell::{CellType, Gc, Header, Kind};
pub use collect::Pause;
pub use conservative::with_spilled_registers;
pub use mark::{Marker, Survivors};
pub use statistics::{Histogram, LoggedPause, Pauses, Population, Statistics};
pub use verify::{Defect, Owner};

use std::ops::Range;

use allocate::CurrentRun;
use block::Block;
use collect::{Pacing, Phase};

/// The rest of the interpreter, as the collector sees it.
pub trait Roots {
    /// Marks everything that is reachable from outside the heap. While a full collection marks in slices, this is
    /// called more than once before it ends.
    fn trace(&mut self, marker: &mut Marker);
    /// Forgets weak references to cells that do not survive.
    fn forget_dead(&mut self, survivors: &Survivors);
}

/// Marks what cells refer to.
#[derive(Clone, Copy)]
pub struct Tracer {
    /// Marks everything to which a cell refers.
    pub whole: fn(Gc<Header>, &mut Marker),
    /// Marks everything to which a part of a cell of the kind `Values` or `Dictionary` refers, given as bytes counted from the start
    /// of the cell. Of what lies in the cell, each value or entry belongs to the part in which it begins.
    pub part: fn(Gc<Header>, Range<usize>, &mut Marker),
}

/// The cells of one interpreter.
///
/// The layout is `repr(C)` because compiled code allocates and tests the write barrier inline: see
/// [`Heap::inline_allocation`] and [`Heap::BLACK_OFFSET`].
#[repr(C)]
pub struct Heap {
    /// By size class, the memory from which the next cells are cut.
    runs: [CurrentRun; size_class::TABLE],
    /// The colour of this epoch: the state of a marked cell that has not been written since.
    black: u8,
    /// Whether every allocation reports that a collection is due.
    stress: bool,
    /// Whether an allocation has failed for want of room since the last full collection.
    out_of_room: bool,
    /// Whether the last pause was a minor collection.
    minor_is_last: bool,
    /// The ends of the runs. Under stress, the limits are lower.
    ends: [usize; size_class::TABLE],
    /// The blocks in which the runs lie.
    current: [Option<Block>; size_class::TABLE],
    marker: Marker,
    tracer: Tracer,
    phase: Phase,
    pacing: Pacing,
    /// The most bytes that may be in use.
    limit: usize,
    /// Bytes outside the heap that count as if they were in it.
    external: usize,
    /// The bytes allocated in all, current runs included.
    allocated: u64,
    /// The cells allocated while they were counted.
    counted: Population,
    /// Whether every allocation is counted, for which it takes the slow path.
    counting: bool,
    statistics: Statistics,
    /// The pauses, if somebody wants to know when they were.
    pause_log: Option<Vec<LoggedPause>>,
}

// SAFETY: all memory a heap refers to belongs to it alone, so it may change threads as a whole. `Gc` and `Value`
// cannot, so references outside the heap stay behind, or move with the interpreter that owns both.
unsafe impl Send for Heap {}

impl Heap {
    /// An empty heap that may grow to `limit` bytes. It takes no memory before the first allocation.
    pub fn new(tracer: Tracer, limit: usize) -> Heap {
        Heap {
            runs: [CurrentRun::EMPTY; size_class::TABLE],
            black: barrier::FIRST_COLOUR,
            stress: false,
            out_of_room: false,
            minor_is_last: false,
            ends: [0; size_class::TABLE],
            current: [None; size_class::TABLE],
            marker: Marker::new(barrier::FIRST_COLOUR),
            tracer,
            phase: Phase::Idle,
            pacing: Pacing::new(limit),
            limit,
            external: 0,
            allocated: 0,
            counted: Population::default(),
            counting: false,
            statistics: Statistics::default(),
            pause_log: None,
        }
    }

    /// The most bytes that may be in use.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Changes the limit. A lower one than what is in use makes the next allocations fail.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// For tests: every allocation reports that a collection is due, minor and full ones in turn; freed memory is
    /// overwritten; and every collection ends with [`verify`](Self::verify), which panics if it finds a defect.
    pub fn set_stress(&mut self, stress: bool) {
        self.end_runs();
        self.stress = stress;
        self.marker.space.poison = stress;
    }
}
