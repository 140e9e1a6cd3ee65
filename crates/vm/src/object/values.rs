//! Values in a row: the memory behind lists and the overflow slots of maps.

use std::cell::Cell;

use crate::error::Fallible;
use crate::heap::{CellType, Gc, Header, Kind};
use crate::object::allocator::Allocator;
use crate::value::Value;

/// A cell that holds values and nothing else; `header.word` is how many.
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
    /// The bytes of a cell for `capacity` values.
    pub const fn size(capacity: usize) -> usize {
        size_of::<ValuesCell>() + capacity * size_of::<Value>()
    }

    /// A new cell with `capacity` nulls.
    pub fn allocate(heap: &mut impl Allocator, capacity: usize) -> Fallible<Gc<ValuesCell>> {
        let cell = heap.allocate(Kind::Values, ValuesCell::size(capacity))?;
        cell.word.set(capacity as u32);
        // SAFETY: the cell was allocated with the kind and size of this type.
        let cell: Gc<ValuesCell> = unsafe { Gc::from_address(cell.address()) };
        for index in 0..capacity {
            cell.slot(index).set(Value::NULL);
        }
        Ok(cell)
    }
}

impl Gc<ValuesCell> {
    /// How many values the cell holds.
    pub fn capacity(self) -> usize {
        self.header().word.get() as usize
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
