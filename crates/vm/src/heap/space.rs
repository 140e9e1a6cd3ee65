//! The memory of a heap: which chunks and blocks it has, which are in use, and where there is room.

use super::block::{BLOCK_BYTES, Block};
use super::chunk::{Chunk, ChunkTable, Status, USABLE_BLOCKS};
use super::large::{self, LargeCells};
use super::{Gc, Header, size_class};

/// The memory of a heap.
pub(super) struct Space {
    chunks: Vec<Chunk>,
    table: ChunkTable,
    /// The blocks without cells, the ones freed most recently last.
    free: Vec<Block>,
    /// By size class, the blocks with cells of which at least three quarters are free.
    sparse: [Vec<Block>; size_class::TABLE],
    /// By size class, the blocks of which less is free, but enough to be worth sweeping.
    dense: [Vec<Block>; size_class::TABLE],
    /// The blocks that got new cells since the last collection.
    touched: Vec<Block>,
    /// The large cells.
    pub(super) large: LargeCells,
    /// The colour of live cells in unswept blocks. While a full collection marks, that is still the colour
    /// of the epoch before: a block is swept before the first of its cells is marked.
    pub(super) live_colour: u8,
    /// Whether freed memory is overwritten.
    pub(super) poison: bool,
}

impl Space {
    /// A space without memory.
    pub(super) fn new(live_colour: u8) -> Space {
        Space {
            chunks: Vec::new(),
            table: ChunkTable::default(),
            free: Vec::new(),
            sparse: std::array::from_fn(|_| Vec::new()),
            dense: std::array::from_fn(|_| Vec::new()),
            touched: Vec::new(),
            large: LargeCells::default(),
            live_colour,
            poison: false,
        }
    }

    /// The number of chunks.
    pub(super) fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// The number of blocks without cells.
    pub(super) fn free_blocks(&self) -> usize {
        self.free.len()
    }

    /// The number of blocks with cells.
    pub(super) fn used_blocks(&self) -> usize {
        self.chunks.len() * USABLE_BLOCKS - self.free.len()
    }

    /// The bytes of blocks with cells and of large cells.
    pub(super) fn used_bytes(&self) -> usize {
        self.used_blocks() * BLOCK_BYTES + self.large.bytes()
    }

    /// All blocks that have cells.
    pub(super) fn blocks(&self) -> impl Iterator<Item = Block> {
        let blocks = self.chunks.iter().flat_map(Chunk::blocks);
        blocks.filter(|block| block.info().status.get() != Status::Free)
    }

    /// A swept block with room for cells of this class.
    ///
    /// Blocks with few cells come first: if wholly free ones did, the survivors of each collection would spread over new
    /// blocks, until every block holds a few. Of two alike, the one freed later is likelier to be in the
    /// processor's caches. `may_grow` allows one more block to be used, for which new memory from the system is
    /// the last resort.
    pub(super) fn block_with_room(&mut self, class: usize, may_grow: bool) -> Option<Block> {
        let block = if let Some(block) = self.sparse[class].pop() {
            self.sweep(block);
            block
        } else if may_grow && let Some(block) = self.free.pop() {
            block.assign(class);
            block
        } else if let Some(block) = self.dense[class].pop() {
            self.sweep(block);
            block
        } else if may_grow {
            self.add_chunk()?;
            let block = self.free.pop()?;
            block.assign(class);
            block
        } else {
            return None;
        };
        self.touched.push(block);
        Some(block)
    }

    /// Sweeps a block unless that was done.
    #[inline]
    pub(super) fn sweep(&self, block: Block) {
        if block.info().status.get() == Status::Unswept {
            block.sweep(self.live_colour, self.poison);
        }
    }

    fn add_chunk(&mut self) -> Option<()> {
        let chunk = Chunk::new()?;
        // The lowest block is taken first.
        self.free.extend(chunk.blocks().rev());
        self.chunks.push(chunk);
        if self.table.is_crowded() {
            self.table = ChunkTable::new(&self.chunks);
        } else if let Some(chunk) = self.chunks.last() {
            self.table.add(chunk.address());
        }
        Some(())
    }

    /// The live cell that contains the address, which may be any number. [`LargeCells::sort`] must have
    /// been called and the use of current runs noted.
    #[inline]
    pub(super) fn find(&self, address: usize) -> Option<Gc<Header>> {
        if self.table.contains(address) {
            // SAFETY: the address lies in a chunk; its first block is never in use and so has no cells.
            let block = unsafe { Block::containing(address) };
            block.live_cell_at(address, self.live_colour)
        } else {
            self.large.find(address)
        }
    }

    /// All live cells. The use of current runs must have been noted.
    pub(super) fn live_cells(&self) -> impl Iterator<Item = Gc<Header>> {
        let in_blocks = self
            .blocks()
            .flat_map(|block| block.live_cells(self.live_colour));
        in_blocks.chain(self.large.cells())
    }

    /// Resets the counts of marked cells.
    pub(super) fn forget_marks(&self) {
        for block in self.blocks() {
            block.info().marked.set(0);
        }
    }

    /// After marking in a minor collection: frees what is not marked of the cells allocated since the last
    /// collection.
    pub(super) fn reclaim_young(&mut self) {
        let mut touched = std::mem::take(&mut self.touched);
        for block in touched.drain(..) {
            self.reclaim(block);
        }
        self.touched = touched;
        self.large.sweep_young(self.live_colour);
    }

    /// After marking in a full collection: frees all that is not marked. Of the chunks that are then
    /// wholly free, `reserve` are kept.
    pub(super) fn reclaim_all(&mut self, reserve: usize) {
        self.touched.clear();
        self.free.clear();
        self.sparse.iter_mut().for_each(Vec::clear);
        self.dense.iter_mut().for_each(Vec::clear);
        let mut chunks = std::mem::take(&mut self.chunks);
        let before = chunks.len();
        let mut reserved = 0;
        chunks.retain(|chunk| {
            let free = self.free.len();
            for block in chunk.blocks().rev() {
                if block.info().status.get() == Status::Free {
                    self.free.push(block);
                } else {
                    self.reclaim(block);
                }
            }
            if !chunk.is_free() {
                return true;
            }
            reserved += 1;
            if reserved > reserve {
                self.free.truncate(free);
            }
            reserved <= reserve
        });
        self.chunks = chunks;
        if self.chunks.len() < before {
            self.table = ChunkTable::new(&self.chunks);
        }
        self.large.sweep(self.live_colour);
    }

    /// Decides what becomes of a block whose live cells are now the marked ones.
    fn reclaim(&mut self, block: Block) {
        let info = block.info();
        let marked = info.marked.get();
        let capacity = block.class().capacity;
        if marked == 0 {
            block.release(self.poison);
            self.free.push(block);
            return;
        }
        // Where there is nothing to sweep, marks need not be told apart later.
        let status = if marked == capacity {
            Status::Swept
        } else {
            Status::Unswept
        };
        info.status.set(status);
        let class = usize::from(info.class.get());
        let free = capacity - marked;
        if free * 4 >= capacity * 3 {
            self.sparse[class].push(block);
        } else if free * 16 >= capacity {
            self.dense[class].push(block);
        }
    }
}

/// Counts a cell of the heap as marked, after sweeping its block if need be, and before it gets the colour.
/// Returns its size in bytes.
///
/// # Safety
/// `cell` must be live.
#[inline(always)]
pub(super) unsafe fn note_marked(space: &Space, cell: Gc<Header>) -> usize {
    if large::is_large(cell.address()) {
        // SAFETY: it is a large cell, by its address.
        return unsafe { large::bytes_of(cell) };
    }
    // SAFETY: a live cell that is not large lies in a block.
    let block = unsafe { Block::containing(cell.address()) };
    space.sweep(block);
    let info = block.info();
    info.marked.set(info.marked.get() + 1);
    block.class().bytes as usize
}

/// The size of a cell in bytes, rounded up to its size class.
///
/// # Safety
/// `cell` must be live.
#[inline]
pub(super) unsafe fn bytes_of(cell: Gc<Header>) -> usize {
    if large::is_large(cell.address()) {
        // SAFETY: it is a large cell, by its address.
        unsafe { large::bytes_of(cell) }
    } else {
        // SAFETY: a live cell that is not large lies in a block.
        unsafe { Block::containing(cell.address()) }.class().bytes as usize
    }
}
