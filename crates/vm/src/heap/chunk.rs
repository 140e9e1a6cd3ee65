//! Chunks: what the heap takes from the operating system at a time.
//!
//! A chunk is aligned to its size and divided into blocks. Its first block holds no cells but the
//! descriptions of the others, so masking the address of a cell leads to everything about it.

use std::cell::Cell;
use std::ptr::NonNull;

use super::block::{BLOCK_BYTES, Block};
use super::memory;

/// The size and alignment of a chunk.
pub(super) const CHUNK_BYTES: usize = 1 << 20;

/// The blocks of a chunk, the first one included.
pub(super) const BLOCKS: usize = CHUNK_BYTES / BLOCK_BYTES;

/// The blocks of a chunk that hold cells.
pub(super) const USABLE_BLOCKS: usize = BLOCKS - 1;

/// What a block is used for. A new chunk is zeroed, so 0 is [`Status::Free`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Status {
    /// Without cells.
    Free = 0,
    /// Every cell is live or has the kind `Free`.
    Swept,
    /// Cells without the colour of the last collection are dead.
    Unswept,
}

/// The description of a block.
#[repr(C)]
pub(super) struct BlockInfo {
    /// How many of its cells have the colour of this epoch.
    pub(super) marked: Cell<u16>,
    pub(super) class: Cell<u8>,
    pub(super) status: Cell<Status>,
    /// The cells from this index on have never been used since the block was free: their memory
    /// holds anything.
    pub(super) frontier: Cell<u16>,
    /// The index of the first free run before the frontier, or `NO_RUN`.
    pub(super) first_run: Cell<u16>,
}

/// The head of a chunk.
#[repr(C)]
pub(super) struct ChunkHead {
    pub(super) blocks: [BlockInfo; BLOCKS],
}

const _: () = assert!(size_of::<ChunkHead>() <= BLOCK_BYTES);

/// A chunk of this heap. Dropping it gives the memory back.
pub(super) struct Chunk {
    start: NonNull<u8>,
}

impl Chunk {
    /// A new chunk, all blocks free; none if the system has no memory.
    pub(super) fn new() -> Option<Chunk> {
        let start = memory::map()?;
        // Cells are reached through addresses that stand in values.
        start.expose_provenance();
        Some(Chunk { start })
    }

    /// The address of the chunk.
    pub(super) fn address(&self) -> usize {
        self.start.as_ptr() as usize
    }

    /// The start of the chunk that contains an address, if any does.
    #[inline(always)]
    pub(super) fn start_of(address: usize) -> usize {
        address & !(CHUNK_BYTES - 1)
    }

    /// The blocks that hold cells.
    pub(super) fn blocks(&self) -> impl DoubleEndedIterator<Item = Block> + use<> {
        let start = self.address();
        // SAFETY: the addresses lie in this chunk, behind its first block.
        (1..BLOCKS).map(move |index| unsafe { Block::containing(start + index * BLOCK_BYTES) })
    }

    /// Whether no block is in use.
    pub(super) fn is_free(&self) -> bool {
        self.blocks()
            .all(|block| block.info().status.get() == Status::Free)
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: `new` mapped it. The heap drops a chunk when all its cells are dead, or when the heap
        // itself ends, after which no reference to a cell may be used.
        unsafe { memory::unmap(self.start) }
    }
}

/// The set of this heap's chunks, for addresses of unknown origin: a hash table with open addressing.
#[derive(Default)]
pub(super) struct ChunkTable {
    /// Addresses of chunks; 0 is an empty slot. The length is a power of two or zero.
    slots: Vec<usize>,
    len: usize,
    /// The lowest address in any chunk.
    low: usize,
    /// The address after the last chunk.
    high: usize,
}

impl ChunkTable {
    /// A table of these chunks.
    pub(super) fn new(chunks: &[Chunk]) -> ChunkTable {
        let mut table = ChunkTable {
            slots: vec![0; (4 * chunks.len()).next_power_of_two()],
            low: usize::MAX,
            ..ChunkTable::default()
        };
        for chunk in chunks {
            table.add(chunk.address());
        }
        table
    }

    /// Whether a table of one more chunk would be too full to be fast.
    pub(super) fn is_crowded(&self) -> bool {
        2 * (self.len + 1) > self.slots.len()
    }

    /// Adds a chunk that is not in the table, which must not be crowded.
    pub(super) fn add(&mut self, address: usize) {
        let mut slot = self.slot(address);
        while self.slots[slot] != 0 {
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.slots[slot] = address;
        self.len += 1;
        self.low = self.low.min(address);
        self.high = self.high.max(address + CHUNK_BYTES);
    }

    /// Whether the address lies in a chunk.
    #[inline]
    pub(super) fn contains(&self, address: usize) -> bool {
        if address < self.low || address >= self.high {
            return false;
        }
        let chunk = Chunk::start_of(address);
        let mut slot = self.slot(chunk);
        loop {
            match self.slots[slot] {
                0 => return false,
                found if found == chunk => return true,
                _ => slot = (slot + 1) & (self.slots.len() - 1),
            }
        }
    }

    /// Where to look for a chunk first.
    fn slot(&self, chunk: usize) -> usize {
        // Fibonacci hashing; neighbouring chunks, the usual case, scatter evenly.
        let hash = ((chunk / CHUNK_BYTES) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (hash >> 32) as usize & (self.slots.len() - 1)
    }
}
