//! Blocks: rows of cells of one size.
//!
//! Within a block, free memory is found in two forms. Behind the *frontier* lies memory that has not been
//! used since the block was last wholly free: it holds anything. Before it, sweeping chains neighbouring
//! dead cells to *runs*: each of their cells gets the kind `Free`, and the first one's `word` holds the
//! index of the next run and the length of this one.

use super::chunk::{BLOCKS, BlockInfo, Chunk, ChunkHead, Status};
use super::size_class::{self, SizeClass};
use super::{Gc, Header, Kind};

/// The size and alignment of a block.
pub(super) const BLOCK_BYTES: usize = 16 << 10;

/// Not the index of a cell.
const NO_RUN: u16 = u16::MAX;

/// What freed memory is overwritten with under stress: as a value a small number, as a header no kind.
const POISON: u8 = 0x5A;

/// A block of this heap, known by its address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    start: usize,
}

/// Memory for cells, bump-allocated.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Block {
    /// The block that contains the address.
    ///
    /// # Safety
    /// The address must lie in a chunk of the heap, not in its first block. The `Block` must not be used
    /// after the chunk is given back.
    #[inline(always)]
    pub(super) unsafe fn containing(address: usize) -> Block {
        Block {
            start: address & !(BLOCK_BYTES - 1),
        }
    }

    /// The address of the first cell.
    pub(super) fn address(self) -> usize {
        self.start
    }

    /// The description of the block.
    #[inline(always)]
    pub(super) fn info<'a>(self) -> &'a BlockInfo {
        let head = Chunk::start_of(self.start) as *const ChunkHead;
        let index = self.start / BLOCK_BYTES % BLOCKS;
        // SAFETY: by the contract of `containing` the block lies in a chunk, which starts with a
        // `ChunkHead`. Its fields are only accessed through shared references.
        unsafe { &(&(*head).blocks)[index] }
    }

    /// The size class of the cells.
    #[inline(always)]
    pub(super) fn class(self) -> SizeClass {
        size_class::describe(usize::from(self.info().class.get()))
    }

    /// The address of the cell with this index.
    #[inline(always)]
    fn address_of(self, index: usize) -> usize {
        self.start + index * self.class().bytes as usize
    }

    /// The header of the cell with this index, which must lie before the frontier.
    #[inline(always)]
    fn header<'a>(self, index: usize) -> &'a Header {
        debug_assert!(index < usize::from(self.info().frontier.get()));
        // SAFETY: before the frontier every cell has a header, `Free` ones included; the memory stays
        // mapped while blocks are used.
        unsafe { &*(self.address_of(index) as *const Header) }
    }

    /// Makes a free block one of empty cells of this class.
    pub(super) fn assign(self, class: usize) {
        let info = self.info();
        debug_assert_eq!(info.status.get(), Status::Free);
        info.class.set(class as u8);
        info.status.set(Status::Swept);
        info.marked.set(0);
        info.frontier.set(0);
        info.first_run.set(NO_RUN);
    }

    /// Makes this a free block; all its cells must be dead.
    pub(super) fn release(self, poison: bool) {
        if poison {
            // SAFETY: the block is mapped, and its cells are dead.
            unsafe { (self.start as *mut u8).write_bytes(POISON, BLOCK_BYTES) };
        }
        self.info().status.set(Status::Free);
    }

    /// Takes memory for cells out of a swept block.
    ///
    /// The frontier stays where it is until [`note_use`](Self::note_use).
    pub(super) fn take_run(self) -> Option<Run> {
        let info = self.info();
        debug_assert_eq!(info.status.get(), Status::Swept);
        let first = info.first_run.get();
        if first != NO_RUN {
            let link = self.header(usize::from(first)).word.get();
            info.first_run.set(link as u16);
            let start = usize::from(first);
            let length = (link >> 16) as usize;
            return Some(Run {
                start: self.address_of(start),
                end: self.address_of(start + length),
            });
        }
        let frontier = usize::from(info.frontier.get());
        let capacity = usize::from(self.class().capacity);
        (frontier < capacity).then(|| Run {
            start: self.address_of(frontier),
            end: self.address_of(capacity),
        })
    }

    /// Notes that the run taken last is used up to this address.
    pub(super) fn note_use(self, cursor: usize) {
        // The end of a full block is the start of the next one.
        let offset = cursor - self.start;
        let index = if offset == BLOCK_BYTES {
            usize::from(self.class().capacity)
        } else {
            self.class().index(offset)
        };
        let frontier = &self.info().frontier;
        if index > usize::from(frontier.get()) {
            frontier.set(index as u16);
        }
    }

    /// Writes the header of a run.
    fn write_run(self, index: usize, length: usize, next: u16) {
        let header = self.header(index);
        debug_assert_eq!(header.kind(), Kind::Free);
        header.word.set(u32::from(next) | (length as u32) << 16);
    }

    /// Turns the cells without this colour into free runs. The block must be unswept.
    #[inline(never)]
    pub(super) fn sweep(self, colour: u8, poison: bool) {
        let info = self.info();
        debug_assert_eq!(info.status.get(), Status::Unswept);
        let bytes = self.class().bytes as usize;
        let frontier = usize::from(info.frontier.get());
        // SAFETY: before the frontier every cell has a header.
        let is_marked = |cell: usize| unsafe { &*(cell as *const Header) }.has_colour(colour);
        info.first_run.set(NO_RUN);
        let mut last_run: Option<(usize, usize)> = None;
        let (mut index, mut cell) = (0, self.start);
        while index < frontier {
            if is_marked(cell) {
                index += 1;
                cell += bytes;
                continue;
            }
            let start = index;
            while index < frontier && !is_marked(cell) {
                // SAFETY: the cell is dead or free, `bytes` long, and lies in this mapped block.
                unsafe {
                    if poison {
                        (cell as *mut u8).write_bytes(POISON, bytes);
                    }
                    (cell as *mut Header).write(Header::new(Kind::Free));
                }
                index += 1;
                cell += bytes;
            }
            match last_run {
                None => info.first_run.set(start as u16),
                Some((run, length)) => self.write_run(run, length, start as u16),
            }
            last_run = Some((start, index - start));
        }
        if let Some((run, length)) = last_run {
            self.write_run(run, length, NO_RUN);
        }
        info.status.set(Status::Swept);
    }

    /// The live cell that contains the address. `colour` is that of the live cells of unswept blocks.
    #[inline]
    pub(super) fn live_cell_at(self, address: usize, colour: u8) -> Option<Gc<Header>> {
        let info = self.info();
        if info.status.get() == Status::Free {
            return None;
        }
        let index = self.class().index(address % BLOCK_BYTES);
        if index >= usize::from(info.frontier.get()) {
            return None;
        }
        self.live_cell(index, colour)
    }

    /// The cell with this index before the frontier, if it is live.
    #[inline]
    fn live_cell(self, index: usize, colour: u8) -> Option<Gc<Header>> {
        let header = self.header(index);
        let live = match self.info().status.get() {
            Status::Free => false,
            Status::Swept => header.kind() != Kind::Free,
            Status::Unswept => header.has_colour(colour),
        };
        // SAFETY: a live cell starts there.
        live.then(|| unsafe { Gc::from_address(self.address_of(index)) })
    }

    /// The live cells. `colour` is that of the live cells of unswept blocks.
    pub(super) fn live_cells(self, colour: u8) -> impl Iterator<Item = Gc<Header>> {
        let frontier = match self.info().status.get() {
            Status::Free => 0,
            Status::Swept | Status::Unswept => usize::from(self.info().frontier.get()),
        };
        (0..frontier).filter_map(move |index| self.live_cell(index, colour))
    }
}
