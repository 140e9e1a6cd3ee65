//! Values in a row: the memory behind lists and the overflow slots of maps.

use std::cell::Cell;
use std::ops::Range;

use crate::error::Fallible;
use crate::heap::{CellType, Gc, Header, Kind, Marker};
use crate::object::allocator::Allocator;
use crate::value::Value;

/// What values in a row are known to be. It is learned when they are stored, and kept when they are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ElementKind {
    /// All of them are numbers. The collector does not look at them, and what is not in use may be uninitialized.
    Numbers = 0,
    /// They may be anything.
    Mixed = 1,
}

impl ElementKind {
    /// What these values are.
    pub fn of(values: &[Value]) -> ElementKind {
        if values.iter().all(|value| value.is_number()) {
            ElementKind::Numbers
        } else {
            ElementKind::Mixed
        }
    }

    /// The kind that has been cast to this byte.
    #[inline(always)]
    pub(in crate::object) fn from_byte(byte: u8) -> ElementKind {
        if byte == ElementKind::Numbers as u8 {
            ElementKind::Numbers
        } else {
            ElementKind::Mixed
        }
    }
}

/// A cell that holds values and nothing else; `header.word` is how many, `header.small` of which [`ElementKind`].
#[repr(C)]
pub struct ValuesCell {
    header: Header,
    // The values follow.
}

// SAFETY: `repr(C)`, starts with a header, nothing to drop.
unsafe impl CellType for ValuesCell {
    const KIND: Kind = Kind::Values;
}

impl ValuesCell {
    /// Where compiled code finds the first value.
    pub const VALUES_OFFSET: usize = size_of::<ValuesCell>();

    /// The bytes of a cell for `capacity` values.
    pub const fn size(capacity: usize) -> usize {
        size_of::<ValuesCell>() + capacity * size_of::<Value>()
    }

    /// A new cell with `capacity` nulls.
    pub fn allocate(heap: &mut impl Allocator, capacity: usize) -> Fallible<Gc<ValuesCell>> {
        ValuesCell::of_kind(heap, ElementKind::Mixed, capacity)
    }

    /// A new cell with room for `capacity` values. Only mixed ones are initialized, with null.
    pub fn of_kind(
        heap: &mut impl Allocator,
        kind: ElementKind,
        capacity: usize,
    ) -> Fallible<Gc<ValuesCell>> {
        let cell = heap.allocate(Kind::Values, ValuesCell::size(capacity))?;
        cell.word.set(capacity as u32);
        cell.small.set(kind as u8);
        // SAFETY: the cell was allocated with the kind and size of this type.
        let cell: Gc<ValuesCell> = unsafe { Gc::from_address(cell.address()) };
        if kind == ElementKind::Mixed {
            for index in 0..capacity {
                cell.slot(index).set(Value::NULL);
            }
        }
        Ok(cell)
    }
}

impl Gc<ValuesCell> {
    /// How many values the cell holds.
    pub fn capacity(self) -> usize {
        self.header().word.get() as usize
    }

    /// What the values are known to be.
    #[inline(always)]
    pub fn element_kind(self) -> ElementKind {
        ElementKind::from_byte(self.header().small.get())
    }

    /// Allows values that are no numbers. All must have been initialized.
    pub(super) fn mix(self) {
        self.header().small.set(ElementKind::Mixed as u8);
    }

    /// The address of the first value.
    #[inline(always)]
    pub fn start(self) -> *mut Value {
        // SAFETY: the values follow the header within the same allocation.
        unsafe { self.as_ptr().add(1).cast::<Value>() }
    }

    /// The value at `index`, which must be below the capacity.
    #[inline(always)]
    pub fn slot<'a>(self, index: usize) -> &'a Cell<Value> {
        debug_assert!(index < self.capacity());
        // SAFETY: in range by the caller's contract, checked in debug builds; `Cell<Value>` has the layout of `Value`.
        unsafe { &*self.start().add(index).cast::<Cell<Value>>() }
    }
}

/// Marks what a part of a row refers to, given as bytes of the cell.
pub fn trace(row: Gc<ValuesCell>, part: Range<usize>, marker: &mut Marker) {
    if row.element_kind() != ElementKind::Mixed {
        return;
    }
    let index_from = |byte: usize| {
        let values = byte.saturating_sub(size_of::<ValuesCell>());
        values.div_ceil(size_of::<Value>()).min(row.capacity())
    };
    let (first, end) = (index_from(part.start), index_from(part.end));
    // SAFETY: both indices are at most the capacity, and every value of a mixed row is initialized.
    unsafe { marker.values(row.start().add(first), end.saturating_sub(first)) }
}
