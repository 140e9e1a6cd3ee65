//! Large cells: those that do not fit into a block, each with memory of its own.
//!
//! A large cell lies 8 bytes off the 16-byte grid of the cells in blocks, so one bit of its address
//! tells. In front of it stands its size, and behind it, if it is a row of values, the bits of its cards (see `heap::cards`).

use std::alloc::{self, Layout};
use std::cell::Cell;
use std::ptr::NonNull;

use super::{Gc, Header, Kind, cards, memory};

/// The bit that is set in the address of a large cell only.
const MISALIGNMENT: usize = 8;

/// What stands in front of a large cell.
#[repr(C, align(8))]
pub(super) struct Prefix {
    /// The size of the cell in bytes.
    pub(super) bytes: usize,
    /// Whether it is a row of values, which has cards.
    pub(super) is_row: bool,
    /// Whether the row is in the list of remembered cells because of some of its cards.
    pub(super) is_listed: Cell<bool>,
    padding: usize,
}

const _: () = assert!(size_of::<Prefix>() % 16 == MISALIGNMENT);

/// Whether the cell at this address is a large one.
#[inline(always)]
pub(super) fn is_large(address: usize) -> bool {
    address & MISALIGNMENT != 0
}

/// A large cell. Dropping it frees the memory.
struct LargeCell {
    memory: NonNull<Prefix>,
}

impl LargeCell {
    fn new(kind: Kind, bytes: usize) -> Option<LargeCell> {
        let is_row = cards::is_row(kind);
        let layout = LargeCell::layout(bytes, is_row)?;
        let memory = if layout.size() < OWN_PAGES {
            // SAFETY: the size of the layout is not zero.
            NonNull::new(unsafe { alloc::alloc(layout) })?
        } else {
            memory::map_pages(layout.size())?
        };
        let memory = memory.cast::<Prefix>();
        memory.expose_provenance();
        advise_huge_pages(memory.as_ptr().cast(), bytes);
        // SAFETY: the layout covers the prefix, behind it a cell, and behind that the bits of a row's cards, with 8-byte
        // alignment for all, as `bytes` is a multiple of 8.
        unsafe {
            memory.write(Prefix {
                bytes,
                is_row,
                is_listed: Cell::new(false),
                padding: 0,
            });
            let cell = memory.add(1).cast::<Header>();
            cell.write(Header::new(kind));
            if is_row {
                let bits = cell.byte_add(bytes).cast::<u64>();
                bits.write_bytes(0, cards::words(bytes));
            }
        }
        Some(LargeCell { memory })
    }

    fn layout(bytes: usize, is_row: bool) -> Option<Layout> {
        let cards = if is_row { cards::words(bytes) } else { 0 };
        let around = size_of::<Prefix>() + cards * size_of::<u64>();
        Layout::from_size_align(bytes.checked_add(around)?, 16).ok()
    }

    /// The address of the cell.
    #[inline]
    fn address(&self) -> usize {
        self.memory.as_ptr() as usize + size_of::<Prefix>()
    }

    /// The size of the cell in bytes.
    #[inline]
    fn bytes(&self) -> usize {
        // SAFETY: `new` wrote the prefix, and the memory belongs to `self`.
        unsafe { self.memory.as_ref().bytes }
    }

    #[inline]
    fn cell(&self) -> Gc<Header> {
        // SAFETY: a cell starts there, written by `new`.
        unsafe { Gc::from_address(self.address()) }
    }
}

/// From this size on a cell gets pages of its own, which go back to the system as soon as it is dead. A general allocator
/// would keep them, although the next row of a growing list or table will be larger.
const OWN_PAGES: usize = 256 << 10;

/// From this size on a cell is worth huge pages: it fills at least one, wherever it lies.
const HUGE: usize = 4 << 20;

/// Asks for huge pages: walks through large tables at random otherwise miss the processor's address translation
/// buffers at nearly every step.
fn advise_huge_pages(memory: *mut u8, bytes: usize) {
    #[cfg(target_os = "linux")]
    if bytes >= HUGE {
        let page = 4096;
        let start = memory.map_addr(|address| address.next_multiple_of(page));
        let length = (bytes - page) / page * page;
        // SAFETY: the pages lie inside the allocation; the advice does not change their contents. That it may not be
        // taken does not matter.
        unsafe { libc::madvise(start.cast(), length, libc::MADV_HUGEPAGE) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (memory, bytes);
}

impl Drop for LargeCell {
    fn drop(&mut self) {
        // SAFETY: `new` wrote the prefix, and the memory belongs to `self`.
        let is_row = unsafe { self.memory.as_ref() }.is_row;
        if let Some(layout) = LargeCell::layout(self.bytes(), is_row) {
            let memory = self.memory.cast::<u8>();
            // SAFETY: the memory was allocated with this layout, in this way; the cell is dead.
            unsafe {
                if layout.size() < OWN_PAGES {
                    alloc::dealloc(memory.as_ptr(), layout);
                } else {
                    memory::unmap_pages(memory, layout.size());
                }
            }
        }
    }
}

/// What stands in front of a large cell.
///
/// # Safety
/// It must be a large cell.
#[inline]
pub(super) unsafe fn prefix_of(cell: Gc<Header>) -> *const Prefix {
    // SAFETY: a prefix stands in front of every large cell, within the same allocation.
    unsafe { cell.as_ptr().cast::<Prefix>().sub(1) }
}

/// The size of a large cell in bytes.
///
/// # Safety
/// It must be a large cell.
#[inline]
pub(super) unsafe fn bytes_of(cell: Gc<Header>) -> usize {
    // SAFETY: by this function's contract.
    unsafe { (*prefix_of(cell)).bytes }
}

/// The large cells of a heap.
#[derive(Default)]
pub(super) struct LargeCells {
    /// Those that survived a collection, by address.
    old: Vec<LargeCell>,
    /// Those allocated since; by address when [`sort`](Self::sort) was called last.
    young: Vec<LargeCell>,
    /// The bytes of all of them.
    bytes: usize,
}

impl LargeCells {
    /// A new cell of `bytes` bytes; none if the system has no memory.
    pub(super) fn allocate(&mut self, kind: Kind, bytes: usize) -> Option<Gc<Header>> {
        let cell = LargeCell::new(kind, bytes)?;
        let reference = cell.cell();
        self.bytes += bytes;
        self.young.push(cell);
        Some(reference)
    }

    /// The bytes of all large cells.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Counts a cell as allocated since the last collection.
    pub(super) fn rejuvenate(&mut self, cell: Gc<Header>) {
        let by_address = |other: &LargeCell| other.address().cmp(&cell.address());
        if let Ok(index) = self.old.binary_search_by(by_address) {
            self.young.push(self.old.remove(index));
        }
    }

    /// Prepares for [`find`](Self::find). To be called when cells have been allocated since.
    pub(super) fn sort(&mut self) {
        self.young.sort_unstable_by_key(LargeCell::address);
    }

    /// The cell that contains the address.
    pub(super) fn find(&self, address: usize) -> Option<Gc<Header>> {
        [&self.old, &self.young].into_iter().find_map(|cells| {
            let after = cells.partition_point(|cell| cell.address() <= address);
            let cell = &cells[after.checked_sub(1)?];
            (address - cell.address() < cell.bytes()).then(|| cell.cell())
        })
    }

    /// All cells.
    pub(super) fn cells(&self) -> impl Iterator<Item = Gc<Header>> {
        self.old.iter().chain(&self.young).map(LargeCell::cell)
    }

    /// Frees the young cells that do not have this colour.
    pub(super) fn sweep_young(&mut self, colour: u8) {
        let mut survivors = std::mem::take(&mut self.young);
        survivors.retain(|cell| self.keep(cell, colour));
        if !survivors.is_empty() {
            self.old.append(&mut survivors);
            // Two sorted rows: a stable sort merges them.
            self.old.sort_by_key(LargeCell::address);
        }
    }

    /// Frees all cells that do not have this colour.
    pub(super) fn sweep(&mut self, colour: u8) {
        let mut old = std::mem::take(&mut self.old);
        old.retain(|cell| self.keep(cell, colour));
        self.old = old;
        self.sweep_young(colour);
    }

    /// Whether the cell has this colour. If not, its bytes are no longer counted.
    fn keep(&mut self, cell: &LargeCell, colour: u8) -> bool {
        let marked = cell.cell().header().has_colour(colour);
        if !marked {
            self.bytes -= cell.bytes();
        }
        marked
    }
}
