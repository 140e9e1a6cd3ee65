//! Lists.
//!
//! ```text
//! ListCell                       elements (ValuesCell)
//! +--------------+               +--------+---+---+---+---+---+---+
//! | header       |   +---------->| header |   |   | a | b | c |   |
//! | elements     |---+           +--------+---+---+---+---+---+---+
//! | start        |-------------------------------->^   length 3, capacity 4 (from `start`)
//! | length, cap. |
//! +--------------+
//! ```
//! Removing the first element advances `start`, so a list is a queue at no cost.
//!
//! A list knows whether it holds nothing but numbers: see [`ElementKind`].

use std::cell::Cell;
use std::mem::offset_of;
use std::ops::Range;

use crate::error::{Fallible, RuntimeError};
use crate::heap::{CellType, Gc, Header, Heap, Kind, Marker};
use crate::object::allocator::Allocator;
use crate::object::values::{ElementKind, ValuesCell};
use crate::value::Value;

/// The most elements `+`, replication and `range` may make.
pub const MAX_COMPUTED_LENGTH: usize = 16_777_215;

/// The most elements a list can hold.
pub const MAX_LENGTH: usize = 1 << 28;

/// The layout of a list. The header's `small` byte is the [`ElementKind`].
#[repr(C)]
pub struct ListCell {
    header: Header,
    elements: Cell<Option<Gc<ValuesCell>>>,
    start: Cell<*mut Value>,
    length: Cell<u32>,
    capacity: Cell<u32>,
}

// SAFETY: `repr(C)`, starts with a header, nothing to drop.
unsafe impl CellType for ListCell {
    const KIND: Kind = Kind::List;
}

impl ListCell {
    /// Where compiled code finds the kind of the elements, one byte.
    ///
    /// A number may be stored in any list. To store anything else without a call, compiled code must see
    /// [`ElementKind::Mixed`] here first.
    pub const KIND_OFFSET: usize = offset_of!(ListCell, header) + offset_of!(Header, small);
    /// Where compiled code finds the elements cell, whose header the write barrier looks at.
    pub const ELEMENTS_OFFSET: usize = offset_of!(ListCell, elements);
    /// Where compiled code finds the address of the first element.
    pub const START_OFFSET: usize = offset_of!(ListCell, start);
    /// Where compiled code finds the length.
    pub const LENGTH_OFFSET: usize = offset_of!(ListCell, length);
    /// Where compiled code finds how many elements there is room for, counted from `start`.
    pub const CAPACITY_OFFSET: usize = offset_of!(ListCell, capacity);

    /// A new, empty list with room for `capacity` elements.
    pub fn allocate(heap: &mut impl Allocator, capacity: usize) -> Fallible<Gc<ListCell>> {
        ListCell::of_kind(heap, ElementKind::Numbers, capacity)
    }

    fn of_kind(
        heap: &mut impl Allocator,
        kind: ElementKind,
        capacity: usize,
    ) -> Fallible<Gc<ListCell>> {
        let elements = match capacity {
            0 => None,
            1..=MAX_LENGTH => Some(ValuesCell::of_kind(heap, kind, capacity)?),
            _ => return Err(RuntimeError::ListTooLarge.into()),
        };
        let cell = heap.allocate(Kind::List, size_of::<ListCell>())?;
        cell.small.set(kind as u8);
        // SAFETY: the cell was allocated with the kind and size of this type; every field is written before use.
        let list: Gc<ListCell> = unsafe {
            let list = cell.address() as *mut ListCell;
            (&raw mut (*list).elements).write(Cell::new(elements));
            (&raw mut (*list).start)
                .write(Cell::new(elements.map_or(std::ptr::null_mut(), Gc::start)));
            (&raw mut (*list).length).write(Cell::new(0));
            (&raw mut (*list).capacity).write(Cell::new(capacity as u32));
            Gc::from_address(list as usize)
        };
        Ok(list)
    }

    /// A new list of these values.
    ///
    /// The slice must lie where the collector finds it: on the script stack or in a cell.
    pub fn from_slice(heap: &mut impl Allocator, values: &[Value]) -> Fallible<Gc<ListCell>> {
        ListCell::filled(heap, ElementKind::of(values), values)
    }

    /// A new list of the elements in this range, which must lie within the list.
    pub fn copy_of(
        heap: &mut impl Allocator,
        list: Gc<ListCell>,
        range: Range<usize>,
    ) -> Fallible<Gc<ListCell>> {
        let values = &list.as_slice()[range];
        let kind = match list.element_kind() {
            ElementKind::Numbers => ElementKind::Numbers,
            ElementKind::Mixed => ElementKind::of(values),
        };
        ListCell::filled(heap, kind, values)
    }

    fn filled(
        heap: &mut impl Allocator,
        kind: ElementKind,
        values: &[Value],
    ) -> Fallible<Gc<ListCell>> {
        let list = ListCell::of_kind(heap, kind, values.len())?;
        list.fill(heap, values);
        Ok(list)
    }
}

impl Gc<ListCell> {
    /// The number of elements.
    #[inline(always)]
    pub fn length(self) -> usize {
        self.length.get() as usize
    }

    /// The element at `index`, if there is one.
    #[inline(always)]
    pub fn get(self, index: usize) -> Option<Value> {
        (index < self.length()).then(|| self.slot(index).get())
    }

    #[inline(always)]
    fn slot<'a>(self, index: usize) -> &'a Cell<Value> {
        debug_assert!(index < self.capacity.get() as usize);
        // SAFETY: `start` points to `capacity` values inside the elements cell, which this list keeps alive.
        unsafe { &*self.start.get().add(index).cast::<Cell<Value>>() }
    }

    /// What the elements are known to be.
    #[inline(always)]
    pub fn element_kind(self) -> ElementKind {
        ElementKind::from_byte(self.header().small.get())
    }

    /// Allows elements that are no numbers. What lies in the elements cell behind the last element may never have been
    /// written and must not be taken for references.
    #[cold]
    #[inline(never)]
    fn mix(self) {
        for index in self.length()..self.capacity.get() as usize {
            self.slot(index).set(Value::NULL);
        }
        if let Some(elements) = self.elements.get() {
            elements.mix();
        }
        self.header().small.set(ElementKind::Mixed as u8);
    }

    /// Appends values for which there must be room, and of a kind that the list allows.
    fn fill(self, heap: &mut impl Allocator, values: &[Value]) {
        let length = self.length();
        assert!(values.len() <= self.capacity.get() as usize - length);
        debug_assert!(
            self.element_kind() == ElementKind::Mixed
                || ElementKind::of(values) == ElementKind::Numbers
        );
        let Some(elements) = self.elements.get() else {
            return;
        };
        // SAFETY: there is room for the values behind the last element, where no slice of elements reaches.
        unsafe {
            self.start
                .get()
                .add(length)
                .copy_from_nonoverlapping(values.as_ptr(), values.len());
        }
        self.length.set((length + values.len()) as u32);
        if self.element_kind() == ElementKind::Mixed {
            heap.write_barrier(elements.header());
        }
    }

    /// The elements as numbers, if they are known to be. Valid as long as [`as_slice`](Self::as_slice).
    pub fn as_numbers<'a>(self) -> Option<&'a [f64]> {
        if self.element_kind() != ElementKind::Numbers {
            return None;
        }
        let values = self.as_slice();
        // SAFETY: a value that is a number is the bits of the double, and all of these are numbers.
        Some(unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), values.len()) })
    }

    /// The elements. Valid until the list is changed; the caller must not run code that could do so.
    pub fn as_slice<'a>(self) -> &'a [Value] {
        if self.length() == 0 {
            return &[];
        }
        // SAFETY: `start` points to at least `length` initialized values; see the caller's contract.
        unsafe { std::slice::from_raw_parts(self.start.get(), self.length()) }
    }

    /// The elements, for reordering in place. Valid until the list is changed otherwise.
    ///
    /// # Safety
    /// No other reference to the elements may be in use meanwhile, only values that are already elements may be
    /// stored, and nothing may be allocated before the reordering is done.
    pub unsafe fn as_mut_slice<'a>(self, heap: &mut impl Allocator) -> &'a mut [Value] {
        if self.length() == 0 {
            return &mut [];
        }
        // A collection may have traced some of the places and not yet others.
        if let Some(elements) = self.elements.get() {
            heap.write_barrier(elements.header());
        }
        // SAFETY: as in `as_slice`, and exclusive by the caller's contract.
        unsafe { std::slice::from_raw_parts_mut(self.start.get(), self.length()) }
    }

    /// Replaces the element at `index`, which must exist, if that takes no more than a store; false otherwise.
    #[inline(always)]
    pub fn set_quickly(self, heap: &Heap, index: usize, value: Value) -> bool {
        if !value.is_number() {
            if self.element_kind() != ElementKind::Mixed {
                return false;
            }
            if value.is_cell()
                && let Some(elements) = self.elements.get()
                && heap.needs_barrier(elements.header())
            {
                return false;
            }
        }
        self.slot(index).set(value);
        true
    }

    /// Replaces the element at `index`, which must exist.
    #[inline(always)]
    pub fn set(self, heap: &mut impl Allocator, index: usize, value: Value) {
        debug_assert!(index < self.length());
        self.allow(value);
        self.slot(index).set(value);
        self.barrier(heap, index, value);
    }

    /// Learns what is about to be stored.
    #[inline(always)]
    fn allow(self, value: Value) {
        if !value.is_number() && self.element_kind() != ElementKind::Mixed {
            self.mix();
        }
    }

    #[inline(always)]
    fn barrier(self, heap: &mut impl Allocator, index: usize, value: Value) {
        if value.is_cell()
            && let Some(elements) = self.elements.get()
        {
            heap.write_barrier_at(elements.header(), self.slot(index).as_ptr());
        }
    }

    /// Appends an element.
    #[inline]
    pub fn push(self, heap: &mut impl Allocator, value: Value) -> Fallible<()> {
        if !self.push_in_place(heap, value) {
            self.allow(value);
            self.grow(heap, 1)?;
            self.push_in_place(heap, value);
        }
        Ok(())
    }

    /// Appends the elements of `other`, which may be the list itself.
    pub fn push_all(self, heap: &mut impl Allocator, other: Gc<ListCell>) -> Fallible<()> {
        self.push_range(heap, other, 0..other.length())
    }

    /// Appends the elements of `other` in this range, which must lie within it.
    pub fn push_range(
        self,
        heap: &mut impl Allocator,
        other: Gc<ListCell>,
        range: Range<usize>,
    ) -> Fallible<()> {
        if other.element_kind() == ElementKind::Mixed && self.element_kind() != ElementKind::Mixed {
            self.mix();
        }
        let more = range.len();
        if more > self.capacity.get() as usize - self.length() {
            self.grow(heap, more)?;
        }
        self.fill(heap, &other.as_slice()[range]);
        Ok(())
    }

    /// Appends an element if that needs no memory; else does nothing.
    #[inline(always)]
    pub fn push_in_place(self, heap: &mut impl Allocator, value: Value) -> bool {
        if self.length.get() == self.capacity.get() {
            return false;
        }
        self.allow(value);
        let length = self.length();
        self.slot(length).set(value);
        self.length.set(length as u32 + 1);
        self.barrier(heap, length, value);
        true
    }

    /// Makes room for `more` elements behind the last one.
    #[cold]
    fn grow(self, heap: &mut impl Allocator, more: usize) -> Fallible<()> {
        let length = self.length();
        let needed = length + more;
        if needed > MAX_LENGTH {
            return Err(RuntimeError::ListTooLarge.into());
        }
        // Elements pulled from the front left room there: slide down if that frees at least half of the cell.
        if let Some(elements) = self.elements.get()
            && elements.capacity() >= 2 * needed
        {
            // SAFETY: both ranges lie in the elements cell.
            unsafe { std::ptr::copy(self.start.get(), elements.start(), length) };
            self.start.set(elements.start());
            self.capacity.set(elements.capacity() as u32);
            if self.element_kind() == ElementKind::Mixed {
                for index in length..elements.capacity() {
                    elements.slot(index).set(Value::NULL);
                }
            }
            // The copied references may be young and the cell old.
            heap.write_barrier(elements.header());
            return Ok(());
        }
        let capacity = needed.max(length + length / 2).max(4);
        let elements = ValuesCell::of_kind(heap, self.element_kind(), capacity)?;
        // The allocation may have collected, but nothing moves and nobody else ran.
        if length > 0 {
            // SAFETY: the old elements are `length` values, the new cell has room for more.
            unsafe { std::ptr::copy_nonoverlapping(self.start.get(), elements.start(), length) };
        }
        let before = self.elements.replace(Some(elements));
        self.start.set(elements.start());
        self.capacity.set(capacity as u32);
        heap.write_barrier(self.header());
        if let Some(before) = before {
            heap.abandon(before.untyped());
        }
        Ok(())
    }

    /// Removes and returns the last element.
    #[inline(always)]
    pub fn pop(self) -> Option<Value> {
        let last = self.length().checked_sub(1)?;
        let value = self.slot(last).replace(Value::NULL);
        self.length.set(last as u32);
        Some(value)
    }

    /// Removes and returns the first element.
    pub fn pull(self) -> Option<Value> {
        let rest = self.length().checked_sub(1)?;
        let value = self.slot(0).replace(Value::NULL);
        // SAFETY: there is at least one element, so the next position is inside the cell or just behind it.
        self.start.set(unsafe { self.start.get().add(1) });
        self.length.set(rest as u32);
        self.capacity.set(self.capacity.get() - 1);
        Some(value)
    }

    /// Inserts an element before `index`, which must be at most the length.
    pub fn insert(self, heap: &mut impl Allocator, index: usize, value: Value) -> Fallible<()> {
        debug_assert!(index <= self.length());
        self.push(heap, value)?;
        // SAFETY: no other reference to the elements exists; the new value is an element by now.
        let elements = unsafe { self.as_mut_slice(heap) };
        elements[index..].rotate_right(1);
        Ok(())
    }

    /// Removes and returns the element at `index`, which must exist.
    pub fn remove(self, heap: &mut impl Allocator, index: usize) -> Option<Value> {
        if index == 0 {
            return self.pull();
        }
        debug_assert!(index < self.length());
        // SAFETY: no other reference to the elements exists; only a reordering.
        let elements = unsafe { self.as_mut_slice(heap) };
        elements[index..].rotate_left(1);
        self.pop()
    }
}

/// Marks what a list refers to.
pub fn trace(list: Gc<ListCell>, marker: &mut Marker) {
    if let Some(elements) = list.elements.get() {
        marker.cell(elements);
    }
}

#[cfg(test)]
mod tests;
