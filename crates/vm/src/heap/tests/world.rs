//! A heap with roots, for tests.

use std::ops::Range;

use crate::error::Fallible;
use crate::heap::collect::Phase;
use crate::heap::{Gc, Header, Heap, Kind, Marker, Roots, Survivors, Tracer};
use crate::value::Value;

/// A row of values. The header's word holds its length.
pub(super) type Row = Gc<Header>;

/// A limit no test reaches by accident.
pub(super) const ROOMY: usize = 1 << 30;

/// The roots of a test.
#[derive(Default)]
pub(super) struct TestRoots {
    /// Precise roots.
    pub(super) rows: Vec<Row>,
    /// Conservative roots.
    pub(super) words: Vec<u64>,
    /// Weak references.
    pub(super) weak: Vec<Row>,
}

impl Roots for TestRoots {
    fn trace(&mut self, marker: &mut Marker) {
        for &row in &self.rows {
            marker.cell(row);
        }
        let words = self.words.as_ptr_range();
        // SAFETY: the range is that of a vector.
        unsafe { marker.conservative(words.start, words.end) };
    }

    fn forget_dead(&mut self, survivors: &Survivors) {
        self.weak.retain(|&row| survivors.contains(row));
    }
}

/// A heap with roots.
pub(super) struct World {
    pub(super) heap: Heap,
    pub(super) roots: TestRoots,
}

impl World {
    pub(super) fn new() -> World {
        World::with_limit(ROOMY)
    }

    pub(super) fn with_limit(limit: usize) -> World {
        World {
            heap: Heap::new(TRACER, limit),
            roots: TestRoots::default(),
        }
    }

    /// A row of `length` nulls; collects if that is due.
    pub(super) fn row(&mut self, length: usize) -> Row {
        self.try_row(length).expect("there is room")
    }

    /// A row of `length` nulls, if there is room; collects if that is due.
    pub(super) fn try_row(&mut self, length: usize) -> Fallible<Row> {
        let bytes = bytes_for(length);
        let row = match self.heap.try_allocate(Kind::Values, bytes) {
            Some(row) => row,
            None => self
                .heap
                .collect_and_allocate(Kind::Values, bytes, &mut self.roots)?,
        };
        clear(row, length);
        Ok(row)
    }

    /// A row of `length` nulls, without collecting.
    pub(super) fn row_at_once(&mut self, length: usize) -> Row {
        let row = self
            .heap
            .allocate_without_collecting(Kind::Values, bytes_for(length));
        let row = row.expect("there is room");
        clear(row, length);
        row
    }

    /// Stores a reference as the program would.
    pub(super) fn set(&mut self, owner: Row, index: usize, target: Row) {
        set_without_barrier(owner, index, Value::other(target));
        let place = slot(owner, index);
        self.heap.write_barrier_at(owner.header(), place);
    }

    pub(super) fn collect(&mut self) {
        self.heap.collect(&mut self.roots);
    }

    /// Goes on with a collection that marks, or does a minor one, until it ends.
    pub(super) fn collect_to_end(&mut self) {
        self.collect();
        while self.heap.phase != Phase::Idle {
            self.collect();
        }
    }

    pub(super) fn collect_full(&mut self) {
        self.heap.collect_full(&mut self.roots);
        self.verify();
    }

    pub(super) fn verify(&mut self) {
        self.heap
            .verify(&mut self.roots)
            .expect("the heap is sound");
    }

    /// The number of cells that are alive, as far as the heap knows.
    pub(super) fn cells(&mut self) -> usize {
        self.heap.census()[Kind::Values as usize].cells
    }
}

/// The size of a row.
pub(super) fn bytes_for(length: usize) -> usize {
    size_of::<Header>() + length * size_of::<Value>()
}

pub(super) fn length(row: Row) -> usize {
    row.header().word.get() as usize
}

fn slot(row: Row, index: usize) -> *mut Value {
    assert!(index < length(row));
    // SAFETY: the index is within the row.
    unsafe { row.as_ptr().add(1).cast::<Value>().add(index) }
}

/// The value at an index.
pub(super) fn get(row: Row, index: usize) -> Value {
    // SAFETY: `slot` checks the index.
    unsafe { slot(row, index).read() }
}

/// The row to which the value at an index refers.
pub(super) fn target(row: Row, index: usize) -> Row {
    get(row, index).as_cell().expect("a reference")
}

/// Stores a value that is no reference, or forgets the barrier.
pub(super) fn set_without_barrier(row: Row, index: usize, value: Value) {
    // SAFETY: `slot` checks the index.
    unsafe { slot(row, index).write(value) }
}

fn clear(row: Row, length: usize) {
    row.header().word.set(length as u32);
    for index in 0..length {
        set_without_barrier(row, index, Value::NULL);
    }
}

const TRACER: Tracer = Tracer {
    whole: |cell, marker| trace_part(cell, 0..usize::MAX, marker),
    part: trace_part,
};

fn trace_part(row: Row, part: Range<usize>, marker: &mut Marker) {
    assert_eq!(row.header().kind(), Kind::Values);
    let index_from = |byte: usize| {
        let values = byte.saturating_sub(size_of::<Header>());
        values.div_ceil(size_of::<Value>()).min(length(row))
    };
    for index in index_from(part.start)..index_from(part.end) {
        marker.value(get(row, index));
    }
}
