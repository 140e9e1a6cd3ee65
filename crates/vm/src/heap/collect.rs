//! When and how to collect.
//!
//! A *minor* collection frees young cells: it marks from the roots and the remembered cells without entering old
//! cells, in one pause. When enough has become old, a *full* collection begins a new epoch and marks everything, a
//! slice at a time; meanwhile there are no minor collections and new cells stay white. When nothing is
//! left to trace, roots and remembered cells are traced again, and if that leads to little, the collection ends. Sweeping
//! is left to allocation.

use std::time::{Duration, Instant};

use super::barrier::COLOUR;
use super::chunk::CHUNK_BYTES;
use super::{Heap, Roots, Survivors};

/// The least allocation between minor collections, in bytes. With it, the young cells of a program that leaves
/// little alive stay in the second-level cache.
const SMALLEST_NURSERY: usize = 1 << 20;

/// The most allocation between minor collections to which a high rate of survival leads, in bytes. If all of it
/// survives, the pause takes a few milliseconds.
const LARGEST_NURSERY: usize = 8 << 20;

/// The most allocation between minor collections when each has much to trace besides young cells, in bytes.
const LARGEST_INTERVAL: usize = 64 << 20;

/// The least bytes of old cells that start a full collection.
const SMALLEST_FULL: usize = 8 << 20;

/// The allocation between two slices of marking, in bytes.
const SLICE_INTERVAL: usize = 256 << 10;

/// What a slice traces at least for each byte allocated meanwhile: so the heap grows by a quarter while it is marked.
const SLICE_SPEED: usize = 4;

/// How often a full collection whose last look at the roots led to much work pauses once more before it ends.
const PATIENCE: u32 = 4;

/// What the heap is doing between two collections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing.
    Idle,
    /// A full collection marks in slices.
    Marking {
        /// How often the roots have been looked at again.
        attempts: u32,
    },
}

/// When collections are due.
pub(super) struct Pacing {
    /// The value of `Heap::allocated` at which `try_allocate` asks for one.
    due_at: u64,
    /// How much allocation between minor collections the rate of survival suggests, in bytes.
    nursery: usize,
    /// The allocation until the next minor collection, in bytes.
    interval: usize,
    /// The bytes of old cells at which a full collection begins.
    full_at: usize,
}

impl Pacing {
    pub(super) fn new(limit: usize) -> Pacing {
        let mut pacing = Pacing {
            due_at: 0,
            nursery: SMALLEST_NURSERY,
            interval: 0,
            full_at: full_after(0, limit),
        };
        pacing.note_minor(0, 0, limit);
        pacing.due_at = pacing.interval as u64;
        pacing
    }

    /// Learns from a minor collection of which `survived` bytes survived and that looked at `revisited` bytes of roots
    /// and old cells.
    fn note_minor(&mut self, survived: usize, revisited: usize, limit: usize) {
        // The longer the interval, the more will have died at its end.
        if survived > self.nursery / 5 {
            self.nursery = (self.nursery * 2).min(LARGEST_NURSERY);
        } else if survived < self.nursery / 20 {
            self.nursery = (self.nursery / 2).max(SMALLEST_NURSERY);
        }
        // A deep stack or a long list that is filled with new cells is traced again every time.
        let worthwhile = revisited.saturating_mul(4).min(LARGEST_INTERVAL);
        let affordable = (limit / 8).max(64 << 10);
        self.interval = self.nursery.max(worthwhile).min(affordable);
    }
}

/// The old bytes that start the next full collection. It should end before the limit is reached.
fn full_after(live: usize, limit: usize) -> usize {
    let proportional = (live + live / 5 * 4).max(SMALLEST_FULL);
    let halfway = live + limit.saturating_sub(live) / 2;
    proportional.min(halfway)
}

/// The kind of a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    Minor,
    Slice,
    Full,
}

impl Heap {
    /// Whether [`collect`](Self::collect) should be called now.
    #[inline]
    pub fn is_collection_due(&self) -> bool {
        self.stress || self.out_of_room || self.allocated >= self.pacing.due_at
    }

    /// Does what is due: a minor collection, a slice of a full one, or, if there was no room, a whole full one.
    ///
    /// Every live cell must be initialised, and every reference outside the heap must be known to `roots`.
    pub fn collect(&mut self, roots: &mut dyn Roots) {
        let started = Instant::now();
        let pause = match self.phase {
            _ if self.out_of_room => {
                self.collect_everything(roots);
                Pause::Full
            }
            Phase::Marking { attempts } => {
                self.mark_slice(roots, attempts);
                Pause::Slice
            }
            Phase::Idle if self.stress && self.minor_is_last => {
                self.begin_full(roots);
                Pause::Slice
            }
            Phase::Idle => {
                self.collect_young(roots);
                Pause::Minor
            }
        };
        self.minor_is_last = pause == Pause::Minor;
        self.end_pause(pause, started.elapsed(), roots);
    }

    /// Frees everything that is not reachable, in one pause.
    pub fn collect_full(&mut self, roots: &mut dyn Roots) {
        let started = Instant::now();
        self.collect_everything(roots);
        self.end_pause(Pause::Full, started.elapsed(), roots);
    }

    fn end_pause(&mut self, pause: Pause, duration: Duration, roots: &mut dyn Roots) {
        self.statistics.record(pause, duration);
        let interval = match self.phase {
            Phase::Idle => self.pacing.interval,
            Phase::Marking { .. } => SLICE_INTERVAL,
        };
        self.pacing.due_at = self.allocated + interval as u64;
        if self.stress {
            let verdict = self.verify(roots);
            assert!(
                verdict.is_ok(),
                "after a collection ({pause:?}, then {:?}): {verdict:?}",
                self.phase
            );
        }
    }

    fn collect_young(&mut self, roots: &mut dyn Roots) {
        self.note_use_of_runs();
        self.statistics.note_peak(self.used_bytes());
        self.marker.begin(true);
        let old = self.marker.marked_bytes;
        roots.trace(&mut self.marker);
        let revisited = self.marker.take_root_bytes() + self.trace_remembered();
        self.marker.drain(self.tracer, usize::MAX);
        roots.forget_dead(&Survivors {
            black: self.black,
            minor: true,
        });
        self.end_runs();
        self.marker.space.reclaim_young();
        let survived = self.marker.marked_bytes - old;
        self.pacing.note_minor(survived, revisited, self.limit);
        if self.old_bytes() >= self.pacing.full_at {
            self.begin_full(roots);
        }
    }

    /// Begins a new epoch and a full collection.
    pub(super) fn begin_full(&mut self, roots: &mut dyn Roots) {
        debug_assert_eq!(self.phase, Phase::Idle);
        self.note_use_of_runs();
        self.remembered.clear();
        self.black ^= COLOUR;
        self.marker.black = self.black;
        self.marker.marked_bytes = 0;
        self.marker.space.forget_marks();
        self.marker.begin(false);
        roots.trace(&mut self.marker);
        self.phase = Phase::Marking { attempts: 0 };
    }

    fn mark_slice(&mut self, roots: &mut dyn Roots, attempts: u32) {
        let slice = if self.stress {
            // Many slices, but a collection comes to its end in the smallest of tests.
            self.used_bytes() / 64
        } else {
            SLICE_INTERVAL * SLICE_SPEED
        };
        let traced = self.marker.drain(self.tracer, slice);
        if !self.marker.is_done() {
            return;
        }
        self.trace_roots_again(roots);
        let rest = if attempts < PATIENCE {
            slice.saturating_sub(traced)
        } else {
            usize::MAX
        };
        self.marker.drain(self.tracer, rest);
        if self.marker.is_done() {
            self.end_full(roots);
        } else {
            self.phase = Phase::Marking {
                attempts: attempts + 1,
            };
        }
    }

    fn trace_roots_again(&mut self, roots: &mut dyn Roots) {
        self.note_use_of_runs();
        self.marker.space.large.sort();
        roots.trace(&mut self.marker);
        self.trace_remembered();
    }

    fn collect_everything(&mut self, roots: &mut dyn Roots) {
        if self.phase != Phase::Idle {
            // What died since that collection began is marked or not, so another one must follow.
            self.trace_roots_again(roots);
            self.marker.drain(self.tracer, usize::MAX);
            self.end_full(roots);
        }
        self.begin_full(roots);
        self.marker.drain(self.tracer, usize::MAX);
        self.end_full(roots);
    }

    /// Ends a full collection, in the same pause in which the last cell was traced.
    fn end_full(&mut self, roots: &mut dyn Roots) {
        debug_assert!(self.marker.is_done() && self.remembered.is_empty());
        self.statistics.note_peak(self.used_bytes());
        roots.forget_dead(&Survivors {
            black: self.black,
            minor: false,
        });
        self.end_runs();
        let live = self.old_bytes();
        let space = &mut self.marker.space;
        space.live_colour = self.black;
        space.reclaim_all((self.pacing.interval + live / 4).div_ceil(CHUNK_BYTES));
        self.pacing.full_at = full_after(live, self.limit);
        self.out_of_room = false;
        self.phase = Phase::Idle;
        self.statistics.full_collections += 1;
    }

    /// The bytes that survived a collection, and those outside the heap.
    fn old_bytes(&self) -> usize {
        self.marker.marked_bytes + self.external
    }

    /// The bytes that count towards the limit.
    fn used_bytes(&self) -> usize {
        self.marker.space.used_bytes() + self.external
    }
}
