//! When and how to collect.
//!
//! A *minor* collection frees young cells: it marks from the roots and the remembered cells without entering old
//! cells. When enough has become old, a *full* collection begins a new epoch and marks everything.
//!
//! Both mark in slices, so that no pause does more than a fixed amount of work; a minor collection that finds little alive, as most
//! do, ends in the pause in which it began. Between two slices the program runs on: new cells stay white, and the write barrier
//! remembers marked cells that change. When nothing is left to trace, the roots are traced again, and if that leads to little,
//! the collection ends. Sweeping is left to allocation.

use std::time::{Duration, Instant};

use super::barrier::{COLOUR, WHITE};
use super::chunk::CHUNK_BYTES;
use super::{Gc, Header, Heap, Roots, Survivors, large, space};

/// The least allocation between minor collections, in bytes. With it, the young cells of a program that leaves
/// little alive stay in the second-level cache.
const SMALLEST_NURSERY: usize = 256 << 10;

/// The most allocation between minor collections to which a high rate of survival leads, in bytes.
const LARGEST_NURSERY: usize = 8 << 20;

/// The most allocation between minor collections when each has much to trace besides young cells, in bytes.
const LARGEST_INTERVAL: usize = 64 << 20;

/// The least bytes of old cells that start a full collection.
const SMALLEST_FULL: usize = 1 << 20;

/// What is traced in a pause, in bytes: some tenths of a millisecond.
const SLICE: usize = 192 << 10;

/// How long a pause before the allocation of a very large cell may go on with further slices. To fill the cell will take
/// the program longer.
const LONG_PAUSE: Duration = Duration::from_millis(4);

/// The allocation between two slices, in bytes. As a slice traces four times as much, the heap grows by a quarter
/// while it is marked.
const SLICE_INTERVAL: usize = SLICE / 4;

/// What the heap is doing between two pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing.
    Idle,
    /// It marks in slices.
    Marking(Cycle),
}

/// A collection under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cycle {
    /// Whether it is a minor one.
    minor: bool,
    /// How often the roots have been looked at again.
    attempts: u32,
    /// The bytes of marked cells when it began.
    marked_before: usize,
    /// The bytes of roots and old cells looked at.
    revisited: usize,
}

/// When collections are due.
pub(super) struct Pacing {
    /// The value of `Heap::allocated` at which `try_allocate` asks for one.
    due_at: u64,
    /// The value of `Heap::allocated` when the last collection ended.
    young_since: u64,
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
            young_since: 0,
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
pub enum Pause {
    /// A minor collection, or a slice of one.
    Minor,
    /// A slice of a full collection.
    Slice,
    /// A full collection.
    Full,
}

impl Heap {
    /// Whether [`collect`](Self::collect) should be called now.
    #[inline]
    pub fn is_collection_due(&self) -> bool {
        self.stress || self.out_of_room || self.allocated >= self.pacing.due_at
    }

    /// Does what is due: begins a collection, marks a slice or, if there was no room, does a whole full collection.
    ///
    /// Every live cell must be initialised, and every reference outside the heap must be known to `roots`.
    pub fn collect(&mut self, roots: &mut dyn Roots) {
        let started = Instant::now();
        let pause = self.step(roots);
        self.end_pause(pause, started.elapsed(), roots);
    }

    /// Like [`collect`](Self::collect), before a cell of `bytes` bytes is allocated. A very large one is often the next size of a
    /// growing table: then it pays to go on until the one before the last is freed, if that can be done soon.
    pub(super) fn collect_for(&mut self, bytes: usize, roots: &mut dyn Roots) {
        let started = Instant::now();
        let mut pause = self.step(roots);
        while bytes >= SLICE && self.phase != Phase::Idle && started.elapsed() < LONG_PAUSE {
            pause = self.step(roots);
        }
        self.end_pause(pause, started.elapsed(), roots);
    }

    fn step(&mut self, roots: &mut dyn Roots) -> Pause {
        let pause = match self.phase {
            _ if self.out_of_room => {
                self.collect_everything(roots);
                Pause::Full
            }
            Phase::Marking(cycle) => {
                self.mark_slice(roots, cycle);
                match cycle.minor {
                    true => Pause::Minor,
                    false => Pause::Slice,
                }
            }
            Phase::Idle if self.is_full_due() || self.stress && self.minor_is_last => {
                self.begin_full(roots);
                Pause::Slice
            }
            Phase::Idle => {
                self.begin_minor(roots);
                Pause::Minor
            }
        };
        self.minor_is_last = pause == Pause::Minor;
        pause
    }

    /// Tells the collector that no cell refers to `cell` any more, because another one has taken its place: a row of values that had
    /// become too small. If it is large, the next minor collection frees it, old as it may be, unless a root still refers to it.
    pub fn abandon(&mut self, cell: Gc<Header>) {
        if !large::is_large(cell.address()) {
            return;
        }
        if cell.header().has_colour(self.black) {
            // SAFETY: it is a live cell.
            self.marker.marked_bytes -= unsafe { space::bytes_of(cell) };
        }
        // A reference to it may still wait in the marker; then it survives once more.
        cell.header().state.set(WHITE);
        self.marker.space.large.rejuvenate(cell);
    }

    /// Frees everything that is not reachable, in one pause.
    pub fn collect_full(&mut self, roots: &mut dyn Roots) {
        let started = Instant::now();
        self.collect_everything(roots);
        self.end_pause(Pause::Full, started.elapsed(), roots);
    }

    fn end_pause(&mut self, pause: Pause, duration: Duration, roots: &mut dyn Roots) {
        self.note_pause(pause, duration);
        let interval = match self.phase {
            Phase::Idle if !self.is_full_due() => self.pacing.interval,
            _ => SLICE_INTERVAL,
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

    fn is_full_due(&self) -> bool {
        self.old_bytes() >= self.pacing.full_at
    }

    /// Begins a minor collection, and ends it if there is little to trace.
    fn begin_minor(&mut self, roots: &mut dyn Roots) {
        let cycle = self.begin(true, roots);
        let traced = self.marker.drain(self.tracer, self.slice());
        let cycle = Cycle {
            revisited: cycle.revisited + traced.again,
            ..cycle
        };
        if self.marker.is_done() {
            self.end(cycle, roots);
        } else {
            self.phase = Phase::Marking(cycle);
        }
    }

    /// Begins a new epoch and a full collection.
    pub(super) fn begin_full(&mut self, roots: &mut dyn Roots) {
        self.marker.forget_remembered();
        self.black ^= COLOUR;
        self.marker.black = self.black;
        self.marker.marked_bytes = 0;
        self.marker.space.forget_marks();
        let cycle = self.begin(false, roots);
        self.phase = Phase::Marking(cycle);
    }

    fn begin(&mut self, minor: bool, roots: &mut dyn Roots) -> Cycle {
        debug_assert_eq!(self.phase, Phase::Idle);
        self.note_use_of_runs();
        self.statistics.note_peak(self.used_bytes());
        let marked_before = self.marker.marked_bytes;
        self.marker.begin(minor);
        roots.trace(&mut self.marker);
        Cycle {
            minor,
            attempts: 0,
            marked_before,
            revisited: self.marker.take_root_bytes(),
        }
    }

    /// What to trace in a pause, in bytes.
    fn slice(&self) -> usize {
        if self.stress {
            // Many slices, but a collection comes to its end in the smallest of tests.
            self.used_bytes() / 64
        } else {
            SLICE
        }
    }

    fn mark_slice(&mut self, roots: &mut dyn Roots, mut cycle: Cycle) {
        let slice = self.slice();
        let traced = self.marker.drain(self.tracer, slice);
        cycle.revisited += traced.again;
        if self.marker.is_done() {
            self.trace_roots_again(roots);
            // A program that changes more than a slice can trace would never let it end.
            let patience = slice << cycle.attempts.min(16);
            let rest = patience.saturating_sub(traced.bytes);
            let traced = self.marker.drain(self.tracer, rest);
            cycle.revisited += traced.again;
            cycle.attempts += 1;
            if self.marker.is_done() {
                self.end(cycle, roots);
                return;
            }
        }
        self.phase = Phase::Marking(cycle);
    }

    fn trace_roots_again(&mut self, roots: &mut dyn Roots) {
        self.note_use_of_runs();
        self.marker.space.large.sort();
        roots.trace(&mut self.marker);
    }

    fn collect_everything(&mut self, roots: &mut dyn Roots) {
        if let Phase::Marking(cycle) = self.phase {
            // What died since that collection began is marked or not, so another one must follow.
            self.trace_roots_again(roots);
            self.marker.drain(self.tracer, usize::MAX);
            self.end(cycle, roots);
        }
        self.begin_full(roots);
        if let Phase::Marking(cycle) = self.phase {
            self.marker.drain(self.tracer, usize::MAX);
            self.end(cycle, roots);
        }
    }

    /// Ends a collection, in the same pause in which the last cell was traced.
    fn end(&mut self, cycle: Cycle, roots: &mut dyn Roots) {
        debug_assert!(self.marker.is_done());
        self.statistics.note_peak(self.used_bytes());
        roots.forget_dead(&Survivors {
            black: self.black,
            minor: cycle.minor,
        });
        self.end_runs();
        self.phase = Phase::Idle;
        if cycle.minor {
            self.marker.space.reclaim_young();
            let survived = self.marker.marked_bytes.saturating_sub(cycle.marked_before);
            self.statistics.survived_bytes += survived as u64;
            self.statistics.young_bytes += self.allocated - self.pacing.young_since;
            self.pacing
                .note_minor(survived, cycle.revisited, self.limit);
        } else {
            let live = self.old_bytes();
            let space = &mut self.marker.space;
            space.live_colour = self.black;
            space.reclaim_all((self.pacing.interval + live / 4).div_ceil(CHUNK_BYTES));
            self.pacing.full_at = full_after(live, self.limit);
            self.out_of_room = false;
            self.statistics.full_collections += 1;
        }
        self.pacing.young_since = self.allocated;
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
