//! What the heap tells about itself.

use std::time::{Duration, Instant};

use super::collect::Pause;
use super::space;
use super::{Gc, Header, Heap, Kind};

/// How often durations occurred: in whole microseconds below 8, above that in eight equal steps for each doubling, up to a second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; STEPS * DOUBLINGS],
}

/// The steps of a doubling.
const STEPS: usize = 8;
const DOUBLINGS: usize = 19;

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram {
            counts: [0; STEPS * DOUBLINGS],
        }
    }
}

impl Histogram {
    fn record(&mut self, duration: Duration) {
        let step = Histogram::step(duration.as_micros());
        self.counts[step.min(self.counts.len() - 1)] += 1;
    }

    /// The number of the step to which a duration belongs.
    fn step(microseconds: u128) -> usize {
        let octave = microseconds.checked_ilog2().unwrap_or(0).saturating_sub(3);
        // From the second doubling on, the leading bit is part of the quotient.
        octave as usize * STEPS + (microseconds >> octave) as usize
    }

    /// How many durations there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// A duration than which this share of all, between 0 and 1, was shorter, and at most an eighth too long. Zero if there are none.
    pub fn percentile(&self, share: f64) -> Duration {
        let wanted = (self.count() as f64 * share).ceil() as u64;
        let mut seen = 0;
        let step = self.counts.iter().position(|count| {
            seen += count;
            wanted > 0 && seen >= wanted
        });
        let Some(step) = step else {
            return Duration::ZERO;
        };
        let end = step + 1;
        let octave = (end / STEPS).saturating_sub(1);
        Duration::from_micros(((end - octave * STEPS) << octave) as u64)
    }

    /// Adds the durations of another histogram.
    pub fn add(&mut self, other: &Histogram) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }
}

/// The pauses of one kind.
#[derive(Clone, Debug, Default)]
pub struct Pauses {
    /// How many there were.
    pub count: u64,
    /// Their durations added up.
    pub total: Duration,
    /// The longest one.
    pub longest: Duration,
    /// How long they were.
    pub histogram: Histogram,
}

impl Pauses {
    fn record(&mut self, duration: Duration) {
        self.count += 1;
        self.total += duration;
        self.longest = self.longest.max(duration);
        self.histogram.record(duration);
    }

    /// Adds the pauses of another kind.
    pub fn add(&mut self, other: &Pauses) {
        self.count += other.count;
        self.total += other.total;
        self.longest = self.longest.max(other.longest);
        self.histogram.add(&other.histogram);
    }
}

/// Counts of a heap since it was made, and its present size.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// Minor collections, or slices of them.
    pub minor: Pauses,
    /// Slices of full collections, the last ones included.
    pub slices: Pauses,
    /// Full collections in one pause: requested, or for want of room.
    pub full: Pauses,
    /// The full collections that have ended, in slices or not.
    pub full_collections: u64,
    /// The bytes allocated.
    pub allocated_bytes: u64,
    /// The bytes of cells that minor collections have looked at.
    pub young_bytes: u64,
    /// The bytes of those that survived.
    pub survived_bytes: u64,
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
    /// All pauses.
    pub fn pauses(&self) -> Pauses {
        let mut pauses = self.minor.clone();
        pauses.add(&self.slices);
        pauses.add(&self.full);
        pauses
    }

    /// The share of young bytes that survive minor collections, between 0 and 1.
    pub fn survival_rate(&self) -> f64 {
        self.survived_bytes as f64 / (self.young_bytes as f64).max(1.0)
    }

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

/// A pause of the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedPause {
    /// What the collector did.
    pub kind: Pause,
    /// When the script went on.
    pub ended: Instant,
    /// How long the script waited.
    pub duration: Duration,
}

/// More pauses are counted, but not logged.
const MAX_LOGGED_PAUSES: usize = 50_000;

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
    /// Notes every pause from now on, until [`Heap::take_pause_log`].
    pub fn log_pauses(&mut self) {
        self.pause_log = Some(Vec::new());
    }

    /// The pauses since [`Heap::log_pauses`], in order, which are not logged any more; the later ones are left out if there are very many.
    pub fn take_pause_log(&mut self) -> Vec<LoggedPause> {
        self.pause_log.take().unwrap_or_default()
    }

    pub(super) fn note_pause(&mut self, kind: Pause, duration: Duration) {
        self.statistics.record(kind, duration);
        if let Some(log) = &mut self.pause_log
            && log.len() < MAX_LOGGED_PAUSES
        {
            log.push(LoggedPause {
                kind,
                ended: Instant::now(),
                duration,
            });
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_an_eighth_too_long_at_most() {
        for microseconds in (1..100_000).step_by(7) {
            let mut histogram = Histogram::default();
            let duration = Duration::from_micros(microseconds);
            histogram.record(duration);
            let told = histogram.percentile(0.5);
            assert!(duration < told && told <= duration + duration / 8 + Duration::from_micros(1));
        }
    }

    #[test]
    fn percentiles_count_from_the_shortest() {
        let mut pauses = Pauses::default();
        for microseconds in 0..1000 {
            pauses.record(Duration::from_micros(microseconds));
        }
        assert_eq!(pauses.histogram.count(), 1000);
        assert_eq!(pauses.histogram.percentile(0.004), Duration::from_micros(4));
        assert!(pauses.histogram.percentile(0.5) >= Duration::from_micros(500));
        assert!(pauses.histogram.percentile(0.5) <= Duration::from_micros(563));
        assert_eq!(Histogram::default().percentile(0.99), Duration::ZERO);
    }
}
