//! The sequence of a `for` loop over `range(…)`: whole numbers, never materialized.

use crate::error::Fallible;
use crate::heap::{CellType, Gc, Header, Kind};
use crate::object::allocator::Allocator;

/// The layout of a range. `first`, `step` and every element are whole numbers below 2^53, so an element is
/// exactly `first + index * step`, as repeated addition would have it.
#[repr(C)]
pub struct RangeCell {
    header: Header,
    /// The first element.
    pub first: f64,
    /// The distance between elements.
    pub step: f64,
    /// The number of elements.
    pub count: f64,
}

// SAFETY: `repr(C)`, starts with a header, nothing to drop.
unsafe impl CellType for RangeCell {
    const KIND: Kind = Kind::Range;
}

impl RangeCell {
    /// A new range.
    pub fn allocate(
        heap: &mut impl Allocator,
        first: f64,
        step: f64,
        count: f64,
    ) -> Fallible<Gc<RangeCell>> {
        let header = heap.allocate(Kind::Range, size_of::<RangeCell>())?;
        // SAFETY: the cell was allocated with the kind and size of this type.
        Ok(unsafe { RangeCell::fill(header, first, step, count) })
    }

    /// Makes a range of a new cell.
    ///
    /// # Safety
    /// The cell must have been allocated with the kind and size of this type.
    pub(crate) unsafe fn fill(
        header: Gc<Header>,
        first: f64,
        step: f64,
        count: f64,
    ) -> Gc<RangeCell> {
        // SAFETY: as the caller promises; every field is written.
        unsafe {
            let range = header.address() as *mut RangeCell;
            (&raw mut (*range).first).write(first);
            (&raw mut (*range).step).write(step);
            (&raw mut (*range).count).write(count);
            Gc::from_address(range as usize)
        }
    }
}
