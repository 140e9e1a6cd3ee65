//! Which parts of the arena are free: first fit, neighbours join. It deals in offsets and never touches the memory.

use std::collections::BTreeMap;

/// Everything is handed out in multiples of this many bytes, and begins at one: processors fetch and predict code in
/// blocks of this size.
pub const GRANULE: usize = 32;

/// A range of the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Where it begins, in bytes from the start of the arena.
    pub offset: usize,
    /// Its length in bytes.
    pub size: usize,
}

impl Block {
    /// The first offset behind it.
    pub fn end(self) -> usize {
        self.offset + self.size
    }
}

/// The free ranges of an arena.
#[derive(Debug)]
pub struct FreeList {
    /// Length by offset; no two ranges touch.
    holes: BTreeMap<usize, usize>,
}

impl FreeList {
    /// An arena of which all is free. Bytes behind the last whole granule are not used.
    pub fn new(size: usize) -> FreeList {
        let mut holes = BTreeMap::new();
        let size = size - size % GRANULE;
        if size > 0 {
            holes.insert(0, size);
        }
        FreeList { holes }
    }

    /// How many bytes a request for `size` bytes takes; none if that is more than can be counted.
    pub fn rounded(size: usize) -> Option<usize> {
        size.max(1).checked_next_multiple_of(GRANULE)
    }

    /// Takes a block of at least `size` bytes that begins at a multiple of `alignment`, a power of two. None if no hole is
    /// large enough.
    pub fn allocate(&mut self, size: usize, alignment: usize) -> Option<Block> {
        let size = FreeList::rounded(size)?;
        let alignment = alignment.max(GRANULE);
        let (hole, offset) = self.holes.iter().find_map(|(&start, &length)| {
            let hole = Block {
                offset: start,
                size: length,
            };
            let offset = start.checked_next_multiple_of(alignment)?;
            let fits = offset.checked_add(size)? <= hole.end();
            fits.then_some((hole, offset))
        })?;
        let block = Block { offset, size };
        self.holes.remove(&hole.offset);
        self.add_hole(hole.offset, offset);
        self.add_hole(block.end(), hole.end());
        Some(block)
    }

    fn add_hole(&mut self, start: usize, end: usize) {
        if start < end {
            self.holes.insert(start, end - start);
        }
    }

    /// Gives back a block that [`allocate`](FreeList::allocate) returned.
    pub fn free(&mut self, block: Block) {
        let (mut start, mut end) = (block.offset, block.end());
        if let Some((&before, &length)) = self.holes.range(..start).next_back() {
            debug_assert!(before + length <= start, "a block is freed twice");
            if before + length == start {
                self.holes.remove(&before);
                start = before;
            }
        }
        if let Some(length) = self.holes.remove(&end) {
            end += length;
        }
        self.add_hole(start, end);
    }

    /// The free bytes, in however many pieces.
    #[cfg(test)]
    pub fn free_bytes(&self) -> usize {
        self.holes.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_hole_that_fits_is_taken() {
        let mut list = FreeList::new(10 * GRANULE);
        let first = list.allocate(1, 1).unwrap();
        let second = list.allocate(3 * GRANULE, 1).unwrap();
        let third = list.allocate(GRANULE, 1).unwrap();
        assert_eq!([first.offset, second.offset, third.offset], [0, 32, 128]);
        list.free(second);
        assert_eq!(list.allocate(GRANULE + 1, 1).unwrap().offset, 32);
        assert_eq!(list.allocate(2 * GRANULE, 1).unwrap().offset, 160);
        assert_eq!(list.allocate(1, 1).unwrap().offset, 96);
    }

    #[test]
    fn freed_neighbours_join() {
        let mut list = FreeList::new(4 * GRANULE);
        let blocks: Vec<Block> = (0..4).map(|_| list.allocate(1, 1).unwrap()).collect();
        assert_eq!(list.allocate(1, 1), None);
        for at in [0, 2, 1, 3] {
            list.free(blocks[at]);
        }
        assert_eq!(list.holes, BTreeMap::from([(0, 4 * GRANULE)]));
    }

    #[test]
    fn an_aligned_block_leaves_what_lies_before_it_free() {
        let mut list = FreeList::new(1024);
        list.allocate(1, 1).unwrap();
        let block = list.allocate(64, 256).unwrap();
        assert_eq!(block.offset, 256);
        assert_eq!(list.allocate(1, 1).unwrap().offset, 32);
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        let mut list = FreeList::new(1024);
        assert_eq!(list.allocate(1025, 1), None);
        assert_eq!(list.allocate(usize::MAX, 1), None);
        assert_eq!(FreeList::new(GRANULE - 1).allocate(1, 1), None);
    }

    /// Any sequence of requests: blocks are aligned and disjoint, and nothing gets lost.
    #[test]
    fn blocks_never_overlap_and_all_memory_comes_back() {
        const SIZE: usize = 64 << 10;
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut list = FreeList::new(SIZE);
            let mut taken: Vec<Block> = Vec::new();
            for _ in 0..400 {
                if random.u8(..) < 110 && !taken.is_empty() {
                    list.free(taken.swap_remove(random.usize(..taken.len())));
                } else {
                    let largest = 1 << random.u32(1..13);
                    let size = random.usize(1..=largest);
                    let alignment = 1 << random.u32(0..9);
                    let Some(block) = list.allocate(size, alignment) else {
                        continue;
                    };
                    assert!(block.size >= size && block.end() <= SIZE, "seed {seed}");
                    assert_eq!(block.offset % alignment.max(GRANULE), 0, "seed {seed}");
                    for other in &taken {
                        let apart = block.end() <= other.offset || other.end() <= block.offset;
                        assert!(apart, "seed {seed}: {block:?} overlaps {other:?}");
                    }
                    taken.push(block);
                }
                let used: usize = taken.iter().map(|block| block.size).sum();
                assert_eq!(list.free_bytes() + used, SIZE, "seed {seed}");
            }
            taken.drain(..).for_each(|block| list.free(block));
            assert_eq!(list.holes, BTreeMap::from([(0, SIZE)]), "seed {seed}");
        }
    }
}
