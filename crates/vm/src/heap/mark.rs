//! Marking: from roots through all references, with an explicit stack.

use std::ops::Range;

use super::barrier::REMEMBERED;
use super::cards::{CARD_BYTES, Cards};
use super::space::{self, Space};
use super::{Gc, Header, Tracer};
use crate::value::Value;

/// Large rows are traced in pieces of this many bytes, so that marking can pause between them.
const PIECE: usize = 8 << 10;

/// How many cells are on their way into the cache while one is traced.
const PREFETCHED: usize = 16;

/// Bytes of a large row that are still to be traced.
struct Piece {
    row: Gc<Header>,
    bytes: Range<usize>,
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
    /// Parts of large rows to be traced.
    pieces: Vec<Piece>,
    /// Marked cells that were written since: to be traced again, wholly or their dirty cards.
    pub(super) remembered: Vec<Gc<Header>>,
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
            remembered: Vec::new(),
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
        self.grey.push(cell.untyped());
    }

    /// References in a row.
    ///
    /// # Safety
    /// There must be `count` initialised values at `first`.
    #[inline]
    pub unsafe fn values(&mut self, first: *const Value, count: usize) {
        for index in 0..count {
            // SAFETY: by this function's contract.
            self.value(unsafe { first.add(index).read() });
        }
    }

    /// Begins marking: a minor collection, or one in a new epoch.
    pub(super) fn begin(&mut self, minor: bool) {
        debug_assert!(self.grey.is_empty() && self.coming.is_empty() && self.pieces.is_empty());
        self.minor = minor;
        self.space.large.sort();
    }

    /// The bytes of roots looked at. To be called when they have been traced and no reference has been followed.
    pub(super) fn take_root_bytes(&mut self) -> usize {
        std::mem::take(&mut self.root_bytes) + self.grey.len() * size_of::<Value>()
    }

    /// Whether every reference found has been followed, and every remembered cell been traced again.
    pub(super) fn is_done(&self) -> bool {
        self.grey.is_empty()
            && self.coming.is_empty()
            && self.pieces.is_empty()
            && self.remembered.is_empty()
    }

    /// Follows references until none is left or about `budget` bytes have been traced.
    pub(super) fn drain(&mut self, tracer: Tracer, budget: usize) -> Traced {
        let mut traced = Traced::default();
        while traced.bytes < budget {
            while !self.coming.is_full()
                && let Some(cell) = self.grey.pop()
            {
                prefetch(cell);
                self.coming.push(cell);
            }
            if let Some(cell) = self.coming.pop() {
                if !cell.header().has_colour(self.black) {
                    traced.bytes += self.mark(cell, tracer);
                }
            } else if let Some(bytes) = self.trace_piece(tracer) {
                traced.bytes += bytes;
            } else if let Some(cell) = self.remembered.pop() {
                let again = self.revisit(cell, tracer);
                traced.bytes += again.bytes;
                traced.again += again.again;
            } else {
                break;
            }
        }
        traced
    }

    /// Marks a cell and traces it or, if it is a large row, puts it aside. Returns the bytes traced.
    #[inline(always)]
    fn mark(&mut self, cell: Gc<Header>, tracer: Tracer) -> usize {
        // SAFETY: references in cells and roots are to live cells, and conservative words were checked.
        let bytes = unsafe { space::note_marked(&self.space, cell) };
        cell.header().state.set(self.black);
        self.marked_bytes += bytes;
        if Cards::of(cell).is_some() {
            self.pieces.push(Piece {
                row: cell,
                bytes: 0..bytes,
            });
            return 0;
        }
        (tracer.whole)(cell, self);
        bytes.min(PIECE)
    }

    /// Traces a piece of a large row, if one waits. Returns its bytes.
    fn trace_piece(&mut self, tracer: Tracer) -> Option<usize> {
        let Piece { row, bytes } = self.pieces.pop()?;
        let now = bytes.start..bytes.end.min(bytes.start + PIECE);
        if now.end < bytes.end {
            self.pieces.push(Piece {
                row,
                bytes: now.end..bytes.end,
            });
        }
        // The row is marked, so it is not freed before the collection ends.
        (tracer.part)(row, now.clone(), self);
        Some(now.len())
    }

    /// Traces again what was written of a remembered cell, if need be later.
    fn revisit(&mut self, cell: Gc<Header>, tracer: Tracer) -> Traced {
        let state = &cell.header().state;
        state.set(state.get() & !REMEMBERED);
        let Some(cards) = Cards::of(cell) else {
            (tracer.whole)(cell, self);
            // SAFETY: it is a marked, hence live cell.
            let bytes = unsafe { space::bytes_of(cell) }.min(PIECE);
            return Traced {
                bytes,
                again: bytes,
            };
        };
        let mut dirty = 0;
        cards.clean(|bytes| {
            dirty += bytes.len();
            self.pieces.push(Piece { row: cell, bytes });
        });
        // The pieces count as traced when they are; until then it took a look at the bits.
        Traced {
            bytes: CARD_BYTES,
            again: dirty,
        }
    }

    /// Forgets what was remembered: a new epoch begins.
    pub(super) fn forget_remembered(&mut self) {
        for cell in self.remembered.drain(..) {
            if let Some(cards) = Cards::of(cell) {
                cards.clean(|_| {});
            }
        }
    }

    /// The cells that wait to be marked. For the verifier.
    pub(super) fn waiting(&self) -> impl Iterator<Item = Gc<Header>> {
        self.grey.iter().copied().chain(self.coming.iter())
    }

    /// The addresses of the cards that wait to be traced. For the verifier.
    pub(super) fn waiting_cards(&self) -> impl Iterator<Item = usize> {
        self.pieces.iter().flat_map(|piece| {
            let starts = piece.bytes.clone().step_by(CARD_BYTES);
            starts.map(|start| piece.row.address() + start)
        })
    }

    /// Calls `visit` with the references that `trace` reports, without marking anything. For the verifier.
    pub(super) fn inspect(
        &mut self,
        trace: impl FnOnce(&mut Marker),
        mut visit: impl FnMut(&Space, Gc<Header>),
    ) {
        let grey = self.grey.len();
        trace(self);
        for cell in self.grey.drain(grey..) {
            visit(&self.space, cell);
        }
    }
}

/// How much a call of [`Marker::drain`] has traced.
#[derive(Clone, Copy, Default)]
pub(super) struct Traced {
    /// The bytes traced.
    pub(super) bytes: usize,
    /// Those of them in cells traced again.
    pub(super) again: usize,
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
