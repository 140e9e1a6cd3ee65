//! Marking: from roots through all references, with an explicit stack.

use super::barrier::REMEMBERED;
use super::space::{self, Space};
use super::{Gc, Header, Heap, Tracer};
use crate::value::Value;

/// More values in a row than this are traced in pieces, so that marking can pause between them.
const PIECE: usize = 1024;

/// How many cells are on their way into the cache while one is traced.
const PREFETCHED: usize = 16;

/// Values in a row that are still to be traced.
#[derive(Clone, Copy)]
struct Piece {
    first: *const Value,
    count: usize,
}

/// Receives the references of a cell or a root while marking.
///
/// It lives as long as the heap: between the slices of a full collection, references wait here.
pub struct Marker {
    /// The colour of marked cells.
    pub(super) black: u8,
    /// Whether only cells allocated since the last collection are being marked.
    minor: bool,
    /// References found and not yet followed. Whether their targets are marked already is only looked at
    /// when they have passed through `coming`: reading a header is what takes the time.
    grey: Vec<Gc<Header>>,
    /// The next references to follow, whose targets are being prefetched (Cher, Hosking and Vitek,
    /// "Software prefetching for mark-sweep garbage collection", 2004).
    coming: Queue,
    /// The rest of long rows of values.
    pieces: Vec<Piece>,
    /// The bytes of all cells marked since the epoch began.
    pub(super) marked_bytes: usize,
    /// The bytes of conservative roots looked at since [`take_root_bytes`](Self::take_root_bytes).
    pub(super) root_bytes: usize,
    /// The memory of the heap. It is here because marking and allocating need it in turn.
    pub(super) space: Space,
}

impl Marker {
    pub(super) fn new(black: u8) -> Marker {
        Marker {
            black,
            minor: false,
            grey: Vec::new(),
            coming: Queue::default(),
            pieces: Vec::new(),
            marked_bytes: 0,
            root_bytes: 0,
            space: Space::new(black),
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
        // SAFETY: every cell starts with a header.
        self.grey.push(unsafe { Gc::from_address(cell.address()) });
    }

    /// References in a row. Long rows are traced later, in pieces.
    ///
    /// # Safety
    /// There must be `count` initialised values at `first`, either in the cell that is being traced or in a root that
    /// stays as it is until the collection returns.
    #[inline]
    pub unsafe fn values(&mut self, first: *const Value, count: usize) {
        if count > PIECE {
            self.pieces.push(Piece { first, count });
            return;
        }
        for index in 0..count {
            // SAFETY: by this function's contract.
            self.value(unsafe { first.add(index).read() });
        }
    }

    /// Begins marking: a minor collection, or one in a new epoch.
    pub(super) fn begin(&mut self, minor: bool) {
        debug_assert!(self.is_done());
        self.minor = minor;
        self.space.large.sort();
    }

    /// The bytes of roots looked at. To be called when they have been traced and no reference has been followed.
    pub(super) fn take_root_bytes(&mut self) -> usize {
        std::mem::take(&mut self.root_bytes) + self.grey.len() * size_of::<Value>()
    }

    /// Whether every reference found has been followed.
    pub(super) fn is_done(&self) -> bool {
        self.grey.is_empty() && self.coming.is_empty() && self.pieces.is_empty()
    }

    /// Follows references until none is left or about `budget` bytes have been traced. Returns the bytes
    /// traced.
    pub(super) fn drain(&mut self, tracer: Tracer, budget: usize) -> usize {
        let mut traced = 0;
        while traced < budget {
            while !self.coming.is_full()
                && let Some(cell) = self.grey.pop()
            {
                prefetch(cell);
                self.coming.push(cell);
            }
            if let Some(cell) = self.coming.pop() {
                if !cell.header().has_colour(self.black) {
                    traced += self.mark(cell);
                    tracer(cell, self);
                }
            } else if self.take_piece() {
                traced += PIECE * size_of::<Value>();
            } else {
                break;
            }
        }
        traced
    }

    /// Marks a cell. Returns its size, as far as it is traced at once.
    #[inline(always)]
    fn mark(&mut self, cell: Gc<Header>) -> usize {
        // SAFETY: references in cells and roots are to live cells, and conservative words were checked.
        let bytes = unsafe { space::note_marked(&self.space, cell) };
        cell.header().state.set(self.black);
        self.marked_bytes += bytes;
        bytes.min(PIECE * size_of::<Value>())
    }

    /// Takes the references out of a piece of a long row, if there is one.
    fn take_piece(&mut self) -> bool {
        let Some(Piece { first, count }) = self.pieces.pop() else {
            return false;
        };
        let now = count.min(PIECE);
        if count > now {
            // SAFETY: the row is longer than `now`.
            let first = unsafe { first.add(now) };
            self.pieces.push(Piece {
                first,
                count: count - now,
            });
        }
        // SAFETY: the row was valid when it was put aside. Its cell is marked, so it is not freed before the
        // collection ends; nor are cells to which it referred then.
        unsafe { self.values(first, now) };
        true
    }

    /// Everything that waits to be followed: references, and cells of which a piece is still to be traced. For the
    /// verifier.
    pub(super) fn waiting(&self) -> impl Iterator<Item = Gc<Header>> {
        let in_pieces = self
            .pieces
            .iter()
            .filter_map(|p| self.space.find(p.first as usize));
        self.grey
            .iter()
            .copied()
            .chain(self.coming.iter())
            .chain(in_pieces)
    }

    /// Calls `visit` with the references that `trace` reports, without marking anything. For the verifier.
    pub(super) fn inspect(
        &mut self,
        trace: impl FnOnce(&mut Marker),
        mut visit: impl FnMut(&Space, Gc<Header>),
    ) {
        let (grey, pieces) = (self.grey.len(), self.pieces.len());
        trace(self);
        loop {
            for cell in self.grey.drain(grey..) {
                visit(&self.space, cell);
            }
            if self.pieces.len() == pieces {
                break;
            }
            self.take_piece();
        }
    }
}

/// A queue of fixed capacity.
struct Queue {
    cells: [Option<Gc<Header>>; PREFETCHED],
    /// The index of the first one.
    first: usize,
    len: usize,
}

impl Default for Queue {
    fn default() -> Queue {
        Queue {
            cells: [None; PREFETCHED],
            first: 0,
            len: 0,
        }
    }
}

impl Queue {
    #[inline(always)]
    fn is_full(&self) -> bool {
        self.len == PREFETCHED
    }

    #[inline(always)]
    fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline(always)]
    fn push(&mut self, cell: Gc<Header>) {
        self.cells[(self.first + self.len) % PREFETCHED] = Some(cell);
        self.len += 1;
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<Gc<Header>> {
        self.len = self.len.checked_sub(1)?;
        let cell = self.cells[self.first];
        self.first = (self.first + 1) % PREFETCHED;
        cell
    }

    fn iter(&self) -> impl Iterator<Item = Gc<Header>> {
        (0..self.len).filter_map(|index| self.cells[(self.first + index) % PREFETCHED])
    }
}

/// Asks the processor to load a cell into the cache.
#[inline(always)]
fn prefetch(cell: Gc<Header>) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a prefetch has no effect that can be observed, whatever the address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(cell.as_ptr().cast());
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: a prefetch has no effect that can be observed, whatever the address.
    unsafe {
        std::arch::asm!(
            "prfm pldl1keep, [{}]",
            in(reg) cell.as_ptr(),
            options(nostack, preserves_flags, readonly),
        );
    }
    #[cfg(miri)]
    let _ = cell;
}

impl Heap {
    /// Traces the remembered cells again. Returns their bytes.
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
