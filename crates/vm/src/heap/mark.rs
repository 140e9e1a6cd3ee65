//! Marking: from roots through all references, with an explicit stack.

use super::barrier::REMEMBERED;
use super::space::{self, Space};
use super::verify::Inspector;
use super::{Gc, Header, Heap, Tracer};
use crate::value::Value;

/// More values in a row than this are traced in pieces, so that marking can pause between them.
const PIECE: usize = 1024;

/// Values in a row that are still to be traced.
struct Piece {
    first: *const Value,
    count: usize,
}

/// Receives the references of a cell or a root while marking.
///
/// It lives as long as the heap: between the slices of a full collection, cells wait here to be traced.
pub struct Marker {
    /// The colour of marked cells. While verifying no cell has it.
    pub(super) black: u8,
    /// Whether only cells allocated since the last collection are being marked.
    minor: bool,
    /// Marked cells that have not been traced.
    grey: Vec<Gc<Header>>,
    /// The rest of long rows of values.
    pieces: Vec<Piece>,
    /// The bytes of all marked cells that have been traced, since the epoch began.
    pub(super) marked_bytes: usize,
    /// The bytes of conservative roots looked at since this was reset.
    pub(super) root_bytes: usize,
    /// The memory of the heap. It is here because marking and allocating need it in turn.
    pub(super) space: Space,
    /// While verifying: what is done with references instead of marking.
    pub(super) inspector: Option<Box<Inspector>>,
}

impl Marker {
    pub(super) fn new(black: u8) -> Marker {
        Marker {
            black,
            minor: false,
            grey: Vec::new(),
            pieces: Vec::new(),
            marked_bytes: 0,
            root_bytes: 0,
            space: Space::new(black),
            inspector: None,
        }
    }

    /// Whether this is a minor collection: all cells that were alive at the end of the last collection count as
    /// marked, so roots that have not changed since then need not be traced.
    #[inline]
    pub fn is_minor(&self) -> bool {
        self.minor
    }

    /// A reference that a cell or root holds.
    #[inline(always)]
    pub fn value(&mut self, value: Value) {
        if let Some(cell) = value.as_cell() {
            self.cell(cell);
        }
    }

    /// A reference to a cell.
    #[inline(always)]
    pub fn cell<T>(&mut self, cell: Gc<T>) {
        if !cell.header().has_colour(self.black) {
            // SAFETY: every cell starts with a header.
            self.mark(unsafe { Gc::from_address(cell.address()) });
        }
    }

    /// References in a row. Long rows are traced later, in pieces.
    ///
    /// # Safety
    /// There must be `count` initialised values at `first`, either in the cell that is being traced or in a root that
    /// stays as it is until the collection returns.
    #[inline]
    pub unsafe fn values(&mut self, first: *const Value, count: usize) {
        if count > PIECE && self.inspector.is_none() {
            self.pieces.push(Piece { first, count });
            return;
        }
        for index in 0..count {
            // SAFETY: by this function's contract.
            self.value(unsafe { first.add(index).read() });
        }
    }

    #[inline]
    fn mark(&mut self, cell: Gc<Header>) {
        if let Some(inspector) = &mut self.inspector {
            return inspector.reference(&self.space, cell);
        }
        // SAFETY: references in cells and roots are to live cells, and conservative words were checked.
        unsafe { space::note_marked(&self.space, cell) };
        cell.header().state.set(self.black);
        self.grey.push(cell);
    }

    /// Begins marking: a minor collection, or one in a new epoch.
    pub(super) fn begin(&mut self, minor: bool) {
        debug_assert!(self.is_done());
        self.minor = minor;
        self.space.large.sort();
    }

    /// Whether every marked cell has been traced.
    pub(super) fn is_done(&self) -> bool {
        self.grey.is_empty() && self.pieces.is_empty()
    }

    /// The marked cells that wait to be traced, wholly or in part. Its use is to verify.
    pub(super) fn grey_cells(&self) -> impl Iterator<Item = Gc<Header>> {
        let in_pieces = self
            .pieces
            .iter()
            .filter_map(|p| self.space.find(p.first as usize));
        self.grey.iter().copied().chain(in_pieces)
    }

    /// Traces marked cells until none is left or about `budget` bytes have been traced. Returns the bytes
    /// traced.
    pub(super) fn drain(&mut self, tracer: Tracer, budget: usize) -> usize {
        let mut traced = 0;
        while traced < budget {
            if let Some(Piece { first, count }) = self.pieces.pop() {
                let now = count.min(PIECE);
                if count > now {
                    // SAFETY: the row is longer than `now`.
                    let first = unsafe { first.add(now) };
                    self.pieces.push(Piece { first, count: count - now });
                }
                // SAFETY: the row was valid when it was put aside. Its cell is marked, so it is not freed
                // before the collection ends; nor are cells to which it referred then.
                unsafe { self.values(first, now) };
                traced += now * size_of::<Value>();
            } else if let Some(cell) = self.grey.pop() {
                // SAFETY: marked cells are live.
                let bytes = unsafe { space::bytes_of(cell) };
                self.marked_bytes += bytes;
                traced += bytes.min(PIECE * size_of::<Value>());
                tracer(cell, self);
            } else {
                break;
            }
        }
        traced
    }
}

impl Heap {
    /// Traces the remembered cells again. Returns the bytes traced.
    pub(super) fn trace_remembered(&mut self) -> usize {
        let mut traced = 0;
        let mut remembered = std::mem::take(&mut self.remembered);
        for cell in remembered.drain(..) {
            let state = &cell.header().state;
            state.set(state.get() & !REMEMBERED);
            (self.tracer)(cell, &mut self.marker);
            // SAFETY: it is a marked, hence live cell.
            traced += unsafe { space::bytes_of(cell) };
        }
        self.remembered = remembered;
        traced
    }
}

/// Tells after marking which cells survive.
pub struct Survivors {
    pub(super) black: u8,
    pub(super) minor: bool,
}

impl Survivors {
    /// Whether the cell stays.
    #[inline]
    pub fn contains<T>(&self, cell: Gc<T>) -> bool {
        cell.header().has_colour(self.black)
    }

    /// Whether all cells that were alive at the end of the last collection survive this one: then only references
    /// made since need to be looked at.
    #[inline]
    pub fn is_minor(&self) -> bool {
        self.minor
    }
}
