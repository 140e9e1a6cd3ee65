//! What the heap tells about itself.

use std::time::Duration;

use super::collect::Pause;
use super::space;
use super::{Gc, Header, Heap, Kind};

/// The pauses of one kind.
#[derive(Clone, Debug, Default)]
pub struct Pauses {
    /// How many there were.
    pub count: u64,
    /// Their durations added up.
    pub total: Duration,
    /// The longest one.
    pub longest: Duration,
    /// How many took less than 1 µs, less than 2 µs, less than 4 µs and so on; each is counted once, and
    /// the last number includes all longer ones.
    pub histogram: [u64; 20],
}

impl Pauses {
    fn record(&mut self, duration: Duration) {
        self.count += 1;
        self.total += duration;
        self.longest = self.longest.max(duration);
        let doublings = duration
            .as_micros()
            .checked_ilog2()
            .map_or(0, |log| log as usize + 1);
        self.histogram[doublings.min(self.histogram.len() - 1)] += 1;
    }
}

/// Counts of a heap since it was made, and its present size.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// Minor collections.
    pub minor: Pauses,
    /// Slices of full collections, the last ones included.
    pub slices: Pauses,
    /// Full collections in one pause: requested, or for want of room.
    pub full: Pauses,
    /// The full collections that have ended, in slices or not.
    pub full_collections: u64,
    /// The bytes allocated.
    pub allocated_bytes: u64,
    /// The bytes of cells that survived their last collection.
    pub live_bytes: usize,
    /// The bytes that count towards the limit: blocks in use, large cells, external bytes.
    pub used_bytes: usize,
    /// The most that `used_bytes` was before a collection.
    pub peak_bytes: usize,
    /// The bytes of large cells.
    pub large_bytes: usize,
    /// The bytes counted by [`Heap::add_external`].
    pub external_bytes: usize,
    /// Chunks of 1 MiB.
    pub chunks: usize,
    /// Blocks with cells.
    pub used_blocks: usize,
    /// Blocks without cells.
    pub free_blocks: usize,
}

impl Statistics {
    pub(super) fn record(&mut self, pause: Pause, duration: Duration) {
        match pause {
            Pause::Minor => self.minor.record(duration),
            Pause::Slice => self.slices.record(duration),
            Pause::Full => self.full.record(duration),
        }
    }

    pub(super) fn note_peak(&mut self, used_bytes: usize) {
        self.peak_bytes = self.peak_bytes.max(used_bytes);
    }
}

/// How many cells of a kind there are, and their size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Population {
    /// The number of cells.
    pub cells: usize,
    /// Their bytes, rounded up to size classes.
    pub bytes: usize,
}

impl Population {
    pub(crate) fn add(&mut self, bytes: usize) {
        self.cells += 1;
        self.bytes += bytes;
    }
}

impl Heap {
    /// The counts up to now.
    pub fn statistics(&self) -> Statistics {
        let space = &self.marker.space;
        let used_bytes = space.used_bytes() + self.external;
        let unused: usize = self
            .runs
            .iter()
            .zip(&self.ends)
            .map(|(run, end)| end - run.cursor)
            .sum();
        Statistics {
            allocated_bytes: self.allocated - unused as u64,
            live_bytes: self.marker.marked_bytes,
            used_bytes,
            peak_bytes: self.statistics.peak_bytes.max(used_bytes),
            large_bytes: space.large.bytes(),
            external_bytes: self.external,
            chunks: space.chunks(),
            used_blocks: space.used_blocks(),
            free_blocks: space.free_blocks(),
            ..self.statistics.clone()
        }
    }

    /// Counts every cell from now on, or no longer.
    pub fn set_counting(&mut self, counting: bool) {
        self.end_runs();
        self.counting = counting;
    }

    /// The cells allocated while they were counted.
    #[inline]
    pub fn counted(&self) -> Population {
        self.counted
    }

    /// The time taken by all collections.
    pub fn pause_time(&self) -> Duration {
        let Statistics {
            minor,
            slices,
            full,
            ..
        } = &self.statistics;
        minor.total + slices.total + full.total
    }

    /// The bytes of cells that survived their last collection.
    pub fn live_bytes(&self) -> usize {
        self.marker.marked_bytes
    }

    /// The cells by kind, indexed by [`Kind`]: those that survived the last collection or are newer.
    ///
    /// This walks the whole heap.
    pub fn census(&mut self) -> [Population; Kind::COUNT] {
        let mut census = [Population::default(); Kind::COUNT];
        self.for_each_cell(|cell, bytes| census[cell.header().kind() as usize].add(bytes));
        census
    }

    /// Shows every cell that survived the last collection or is newer, with its bytes.
    pub(crate) fn for_each_cell(&mut self, mut visit: impl FnMut(Gc<Header>, usize)) {
        self.note_use_of_runs();
        for cell in self.marker.space.live_cells() {
            // SAFETY: the cell is live.
            visit(cell, unsafe { space::bytes_of(cell) });
        }
    }
}
