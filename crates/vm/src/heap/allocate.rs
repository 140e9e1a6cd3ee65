//! Allocation.
//!
//! For each size class the heap holds a [`CurrentRun`], free memory from which cells are cut: advancing
//! the cursor and writing the header is all there is to it as long as the run lasts. Compiled code does the same
//! inline, see [`Heap::inline_allocation`].

use std::mem::offset_of;

use super::block::{BLOCK_BYTES, Run};
use super::size_class::{self, LARGEST, TABLE};
use super::{Gc, Header, Heap, Kind, Roots};
use crate::error::{Fallible, RuntimeError};

/// Free memory from which the next cells of a size class are cut.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct CurrentRun {
    /// Where the next cell will lie.
    pub(super) cursor: usize,
    /// Where the cells that may be allocated without asking the heap end.
    pub(super) limit: usize,
}

impl CurrentRun {
    pub(super) const EMPTY: CurrentRun = CurrentRun {
        cursor: 0,
        limit: 0,
    };
}

/// How compiled code allocates a cell inline.
///
/// All offsets count from the start of the [`Heap`]. The cell lies at the address in `cursor`. If the
/// address plus `bytes` is at most the word in `limit`, it becomes the new cursor, and the header (the kind
/// in the lowest byte of a word that is otherwise zero, or the kind's own flags, small byte and word) is written, then the rest
/// of the cell. Otherwise the runtime allocates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InlineAllocation {
    /// The offset of the cursor.
    pub cursor: usize,
    /// The offset of the limit.
    pub limit: usize,
    /// The size of the cell, rounded up.
    pub bytes: usize,
}

impl Heap {
    /// The offset of the byte with which the write barrier compares the byte [`Heap::STATE_OFFSET`] of the
    /// owner; if they are equal, [`Heap::remember`] must be called.
    pub const BLACK_OFFSET: usize = offset_of!(Heap, black);

    /// The offset of the collector's state in a cell.
    pub const STATE_OFFSET: usize = offset_of!(Header, state);

    /// How to allocate a cell of `bytes` bytes inline; none if it is too large for that.
    pub const fn inline_allocation(bytes: usize) -> Option<InlineAllocation> {
        if bytes > LARGEST {
            return None;
        }
        let class = size_class::class_of(bytes);
        let run = offset_of!(Heap, runs) + class * size_of::<CurrentRun>();
        Some(InlineAllocation {
            cursor: run + offset_of!(CurrentRun, cursor),
            limit: run + offset_of!(CurrentRun, limit),
            bytes: size_class::bytes_of(class),
        })
    }

    /// The bytes that a cell of `bytes` bytes really gets.
    #[inline]
    pub const fn cell_bytes(bytes: usize) -> usize {
        if bytes > LARGEST {
            bytes.next_multiple_of(8)
        } else {
            size_class::bytes_of(size_class::class_of(bytes))
        }
    }

    /// Memory for a cell of `bytes` bytes, header included; none if a collection is due or there is no room.
    ///
    /// The header is written; the rest holds anything and must be initialised before the next allocation.
    #[inline(always)]
    pub fn try_allocate(&mut self, kind: Kind, bytes: usize) -> Option<Gc<Header>> {
        match self.allocate_fast(kind, bytes) {
            None => self.allocate_unless_due(kind, bytes),
            cell => cell,
        }
    }

    /// Like [`try_allocate`](Self::try_allocate), but heeds only the heap limit, not whether a collection is due: for
    /// the retry after [`collect`](Self::collect), and where no collection can happen.
    #[inline]
    pub fn allocate_without_collecting(&mut self, kind: Kind, bytes: usize) -> Option<Gc<Header>> {
        match self.allocate_fast(kind, bytes) {
            None => self.allocate_slow(kind, bytes),
            cell => cell,
        }
    }

    /// Like [`allocate_without_collecting`](Self::allocate_without_collecting), but heeds no limit.
    pub fn allocate_beyond_limit(&mut self, kind: Kind, bytes: usize) -> Gc<Header> {
        let limit = std::mem::replace(&mut self.limit, usize::MAX);
        let cell = self.allocate_without_collecting(kind, bytes);
        self.limit = limit;
        match cell {
            Some(cell) => cell,
            // As Rust does when there is no memory.
            None => std::alloc::handle_alloc_error(
                std::alloc::Layout::from_size_align(bytes, 8)
                    .unwrap_or(std::alloc::Layout::new::<u64>()),
            ),
        }
    }

    /// What to do after [`try_allocate`](Self::try_allocate) has returned none: collects and tries again.
    ///
    /// # Errors
    /// There is no room even after a full collection.
    #[cold]
    #[inline(never)]
    pub fn collect_and_allocate(
        &mut self,
        kind: Kind,
        bytes: usize,
        roots: &mut dyn Roots,
    ) -> Fallible<Gc<Header>> {
        let everything = self.out_of_room;
        self.collect_for(bytes, roots);
        if let Some(cell) = self.allocate_slow(kind, bytes) {
            return Ok(cell);
        }
        if !everything {
            self.collect_full(roots);
        }
        match self.allocate_slow(kind, bytes) {
            Some(cell) => Ok(cell),
            None => self.exhausted(),
        }
    }

    /// The error of an allocation that stays impossible.
    #[cold]
    pub fn exhausted<T>(&self) -> Fallible<T> {
        Err(RuntimeError::OutOfMemory(self.limit >> 20).into())
    }

    /// Counts bytes outside the heap that live as long as some cell, towards the limit and the next collection.
    pub fn add_external(&mut self, bytes: usize) {
        self.external += bytes;
        self.allocated += bytes as u64;
    }

    /// Takes back what [`add_external`](Self::add_external) has counted.
    pub fn remove_external(&mut self, bytes: usize) {
        self.external = self.external.saturating_sub(bytes);
    }

    #[inline(always)]
    fn allocate_fast(&mut self, kind: Kind, bytes: usize) -> Option<Gc<Header>> {
        if bytes > LARGEST {
            return None;
        }
        let class = size_class::class_of(bytes);
        let run = &mut self.runs[class % TABLE];
        let cell = run.cursor;
        let next = cell + size_class::bytes_of(class);
        if next > run.limit {
            return None;
        }
        run.cursor = next;
        // SAFETY: a non-empty run is free memory of a block, divided into cells of its class.
        unsafe {
            (cell as *mut Header).write(Header::new(kind));
            Some(Gc::from_address(cell))
        }
    }

    #[cold]
    #[inline(never)]
    fn allocate_unless_due(&mut self, kind: Kind, bytes: usize) -> Option<Gc<Header>> {
        if self.is_collection_due() {
            None
        } else {
            self.allocate_slow(kind, bytes)
        }
    }

    #[cold]
    #[inline(never)]
    fn allocate_slow(&mut self, kind: Kind, bytes: usize) -> Option<Gc<Header>> {
        if bytes > LARGEST {
            return self.allocate_large(kind, bytes);
        }
        let class = size_class::class_of(bytes);
        if self.runs[class].cursor == self.ends[class] && !self.next_run(class) {
            self.out_of_room = true;
            return None;
        }
        // Under stress, or if they are counted, the slow path allocates every cell.
        let run = &mut self.runs[class];
        run.limit = self.ends[class];
        let cell = self.allocate_fast(kind, bytes);
        if self.stress || self.counting {
            self.runs[class].limit = self.runs[class].cursor;
            self.counted.add(size_class::bytes_of(class));
        }
        cell
    }

    fn allocate_large(&mut self, kind: Kind, bytes: usize) -> Option<Gc<Header>> {
        let bytes = bytes.checked_next_multiple_of(8)?;
        let cell = match self.has_room_for(bytes) {
            true => self.marker.space.large.allocate(kind, bytes),
            false => None,
        };
        match cell {
            Some(_) => {
                self.allocated += bytes as u64;
                self.counted.add(bytes);
            }
            None => self.out_of_room = true,
        }
        cell
    }

    fn has_room_for(&self, bytes: usize) -> bool {
        let used = self.marker.space.used_bytes() + self.external;
        self.limit
            .checked_sub(used)
            .is_some_and(|room| bytes <= room)
    }

    /// Replaces the used-up run of a size class. Returns whether there is another one.
    fn next_run(&mut self, class: usize) -> bool {
        if let Some(block) = self.current[class].take() {
            block.note_use(self.runs[class].cursor);
            if let Some(run) = block.take_run() {
                self.current[class] = Some(block);
                self.set_run(class, run);
                return true;
            }
        }
        let may_grow = self.has_room_for(BLOCK_BYTES);
        while let Some(block) = self.marker.space.block_with_room(class, may_grow) {
            if let Some(run) = block.take_run() {
                self.current[class] = Some(block);
                self.set_run(class, run);
                return true;
            }
        }
        self.runs[class] = CurrentRun::EMPTY;
        self.ends[class] = 0;
        false
    }

    fn set_run(&mut self, class: usize, run: Run) {
        self.runs[class] = CurrentRun {
            cursor: run.start,
            limit: run.end,
        };
        self.ends[class] = run.end;
        self.allocated += (run.end - run.start) as u64;
    }

    /// Makes known to the blocks how far their runs are used, so that cells can be looked up.
    pub(super) fn note_use_of_runs(&mut self) {
        for (run, block) in self.runs.iter().zip(&self.current) {
            if let Some(block) = block {
                block.note_use(run.cursor);
            }
        }
    }

    /// Ends all runs. What is left of them is found again when their blocks are swept.
    pub(super) fn end_runs(&mut self) {
        self.note_use_of_runs();
        for (run, end) in self.runs.iter().zip(&self.ends) {
            self.allocated -= (end - run.cursor) as u64;
        }
        self.runs.fill(CurrentRun::EMPTY);
        self.ends.fill(0);
        self.current.fill(None);
    }
}
