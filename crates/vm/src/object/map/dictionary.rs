//! The ordered hash table of a map in dictionary mode.
//!
//! ```text
//! +--------+------------------+-------------------------------------+-----------------------+
//! | header | live used first  | slots: key, value, hash, position   | order: slot numbers,  |
//! |        | capacity   mask  | (open addressing, linear probing)   | in order of insertion |
//! +--------+------------------+-------------------------------------+-----------------------+
//! ```
//! The entries lie in the slots of the hash table itself, so a look-up touches one place in memory; the order of insertion is a
//! row of slot numbers beside it. Removing an entry closes the gap it leaves in its run of slots (Knuth, volume 3, algorithm
//! 6.4R) and leaves one in the row, which is closed when room is needed. No key is ever hashed again, since keys may be
//! containers that have changed.

use std::cell::Cell;
use std::ops::Range;

use crate::error::{Fallible, RuntimeError};
use crate::heap::{CellType, Gc, Header, Kind, Marker};
use crate::object::allocator::Allocator;
use crate::object::string::StringCell;
use crate::value::Value;
use crate::vm::Vm;

/// A slot. It is empty if the key is unassigned; nothing else in it counts then.
#[repr(C)]
struct Entry {
    key: Cell<Value>,
    value: Cell<Value>,
    hash: Cell<u32>,
    /// Where the slot's number stands in the order.
    position: Cell<u32>,
}

impl Entry {
    #[inline(always)]
    fn is_empty(&self) -> bool {
        self.key.get().is_unassigned()
    }
}

/// The layout of the fixed part.
#[repr(C)]
pub struct DictionaryCell {
    header: Header,
    /// The number of entries.
    live: Cell<u32>,
    /// The part of the order in use.
    used: Cell<u32>,
    /// Every position in the order before this one is vacant.
    first: Cell<u32>,
    /// The length of the order.
    capacity: u32,
    /// The number of slots, a power of two, - 1.
    mask: u32,
    /// How many keys are strings.
    strings: Cell<u32>,
}

// SAFETY: `repr(C)`, starts with a header, nothing to drop.
unsafe impl CellType for DictionaryCell {
    const KIND: Kind = Kind::Dictionary;
}

const MAX_ENTRIES: usize = 1 << 27;

/// In the order: the entry has been removed.
const VACANT: u32 = u32::MAX;

impl DictionaryCell {
    /// A new, empty table with room for `capacity` entries.
    pub fn allocate(heap: &mut impl Allocator, capacity: usize) -> Fallible<Gc<DictionaryCell>> {
        let capacity = capacity.max(6);
        if capacity > MAX_ENTRIES {
            return Err(RuntimeError::MapTooLarge.into());
        }
        // At most three quarters of the slots are taken, so probing ends.
        let slots = (capacity + capacity / 3).next_power_of_two();
        let bytes =
            size_of::<DictionaryCell>() + slots * size_of::<Entry>() + capacity * size_of::<u32>();
        let header = heap.allocate(Kind::Dictionary, bytes)?;
        // SAFETY: the cell was allocated with the kind and size of this type; every field is written, and the slots are emptied.
        unsafe {
            let table = header.address() as *mut DictionaryCell;
            (&raw mut (*table).live).write(Cell::new(0));
            (&raw mut (*table).used).write(Cell::new(0));
            (&raw mut (*table).first).write(Cell::new(0));
            (&raw mut (*table).capacity).write(capacity as u32);
            (&raw mut (*table).mask).write(slots as u32 - 1);
            (&raw mut (*table).strings).write(Cell::new(0));
            let first = table.add(1).cast::<Entry>();
            for slot in 0..slots {
                first.add(slot).write(Entry {
                    key: Cell::new(Value::UNASSIGNED),
                    value: Cell::new(Value::NULL),
                    hash: Cell::new(0),
                    position: Cell::new(0),
                });
            }
            Ok(Gc::from_address(header.address()))
        }
    }
}

impl Gc<DictionaryCell> {
    #[inline(always)]
    fn slot<'a>(self, slot: u32) -> &'a Entry {
        debug_assert!(slot <= self.mask);
        // SAFETY: slots follow the fixed part and are initialized; in range: every number is masked or was when it was noted.
        unsafe { &*self.as_ptr().add(1).cast::<Entry>().add(slot as usize) }
    }

    /// The slot's number at a position of the order, to be read below `used` only.
    #[inline(always)]
    fn order<'a>(self, position: u32) -> &'a Cell<u32> {
        debug_assert!(position < self.capacity);
        // SAFETY: the order follows the slots within the same allocation; positions are below its length.
        unsafe {
            &*self
                .as_ptr()
                .add(1)
                .cast::<Entry>()
                .add(self.mask as usize + 1)
                .cast::<Cell<u32>>()
                .add(position as usize)
        }
    }

    /// The number of entries.
    pub fn length(self) -> usize {
        self.live.get() as usize
    }

    /// The value in a slot.
    #[inline(always)]
    pub fn value(self, slot: u32) -> Value {
        self.slot(slot).value.get()
    }

    /// Replaces the value in a slot.
    #[inline]
    pub fn set_value(self, heap: &mut impl Allocator, slot: u32, value: Value) {
        self.slot(slot).value.set(value);
        if value.is_cell() {
            heap.write_barrier_at(self.header(), self.slot(slot).key.as_ptr());
        }
    }

    /// The slot with this interned string as its key.
    #[inline]
    pub fn find_interned(self, key: Gc<StringCell>) -> Option<u32> {
        debug_assert!(key.is_interned());
        // Members of a table with other keys are looked up often.
        if self.strings.get() == 0 {
            return None;
        }
        self.find_string(key, key.interned_hash())
    }

    /// The slot with a key equal to this string, whose hash has been computed.
    #[inline]
    pub fn find_string(self, key: Gc<StringCell>, hash: u32) -> Option<u32> {
        self.probe(hash, |entry| {
            // Hashing has flattened both.
            entry.hash.get() == hash
                && entry
                    .key
                    .get()
                    .as_string()
                    .is_some_and(|other| other.equals_flat(key))
        })
    }

    /// The slot with this number as its key. There is none for a NaN, which equals nothing.
    #[inline(always)]
    pub fn find_number(self, key: f64, hash: u32) -> Option<u32> {
        // Read as a number, any other key is a NaN.
        self.probe(hash, |entry| entry.key.get().number_or_nan() == key)
    }

    /// Walks the run of slots in which a key with this hash would be, until one is accepted.
    #[inline(always)]
    fn probe(self, hash: u32, mut accept: impl FnMut(&Entry) -> bool) -> Option<u32> {
        let mut at = hash & self.mask;
        loop {
            let entry = self.slot(at);
            if accept(entry) {
                return Some(at);
            }
            if entry.is_empty() {
                return None;
            }
            at = (at + 1) & self.mask;
        }
    }

    /// Fills the first empty slot for this hash.
    #[inline(always)]
    fn fill(self, key: Value, value: Value, hash: u32, position: u32) {
        let mut at = hash & self.mask;
        while !self.slot(at).is_empty() {
            at = (at + 1) & self.mask;
        }
        let entry = self.slot(at);
        entry.key.set(key);
        entry.value.set(value);
        entry.hash.set(hash);
        entry.position.set(position);
        self.order(position).set(at);
    }

    /// Adds an entry whose key is not there yet. There must be room.
    pub fn append(self, heap: &mut impl Allocator, key: Value, value: Value, hash: u32) {
        let position = self.used.get();
        self.fill(key, value, hash, position);
        if key.is_cell() || value.is_cell() {
            let entry = self.slot(self.order(position).get());
            heap.write_barrier_at(self.header(), entry.key.as_ptr());
        }
        self.used.set(position + 1);
        self.live.set(self.live.get() + 1);
        if key.as_string().is_some() {
            self.strings.set(self.strings.get() + 1);
        }
    }

    /// Removes the entry in a slot.
    pub fn remove(self, heap: &mut impl Allocator, slot: u32) {
        self.order(self.slot(slot).position.get()).set(VACANT);
        self.live.set(self.live.get() - 1);
        if self.slot(slot).key.get().as_string().is_some() {
            self.strings.set(self.strings.get() - 1);
        }
        while self.first.get() < self.used.get() && self.order(self.first.get()).get() == VACANT {
            self.first.set(self.first.get() + 1);
        }
        self.close_gap(heap, slot);
    }

    /// Empties a slot. Entries behind it move up unless their run begins behind the gap.
    fn close_gap(self, heap: &mut impl Allocator, slot: u32) {
        let mask = self.mask;
        let (mut gap, mut at) = (slot, slot);
        loop {
            at = (at + 1) & mask;
            let entry = self.slot(at);
            if entry.is_empty() {
                break;
            }
            let from_home = at.wrapping_sub(entry.hash.get()) & mask;
            let from_gap = at.wrapping_sub(gap) & mask;
            if from_home >= from_gap {
                let to = self.slot(gap);
                to.key.set(entry.key.get());
                to.value.set(entry.value.get());
                to.hash.set(entry.hash.get());
                to.position.set(entry.position.get());
                self.order(entry.position.get()).set(gap);
                // A collection may have traced the part of the table into which the entry moves, but not yet the other.
                heap.write_barrier_at(self.header(), to.key.as_ptr());
                gap = at;
            }
        }
        self.slot(gap).key.set(Value::UNASSIGNED);
        self.slot(gap).value.set(Value::NULL);
    }

    /// The first entry at or behind this position of the order: its position, slot, key and value.
    pub fn next_from(self, position: usize) -> Option<(usize, u32, Value, Value)> {
        let start = position.max(self.first.get() as usize) as u32;
        (start..self.used.get()).find_map(|position| {
            let slot = self.order(position).get();
            (slot != VACANT).then(|| {
                let entry = self.slot(slot);
                (position as usize, slot, entry.key.get(), entry.value.get())
            })
        })
    }

    /// The entry at `index` in order.
    pub fn entry_at(self, index: usize) -> Option<(Value, Value)> {
        if index >= self.length() {
            return None;
        }
        if self.used.get() - self.first.get() != self.live.get() {
            self.compact();
        }
        let entry = self.slot(self.order(self.first.get() + index as u32).get());
        Some((entry.key.get(), entry.value.get()))
    }

    /// Drops the vacant positions.
    fn compact(self) {
        let mut kept = 0;
        for position in self.first.get()..self.used.get() {
            let slot = self.order(position).get();
            if slot != VACANT {
                self.order(kept).set(slot);
                self.slot(slot).position.set(kept);
                kept += 1;
            }
        }
        self.used.set(kept);
        self.first.set(0);
    }
}

/// The slot with a key equal to `key`.
#[inline]
pub fn find(
    vm: &mut Vm,
    table: Gc<DictionaryCell>,
    key: Value,
    hash: u32,
) -> Fallible<Option<u32>> {
    if let Some(number) = key.as_number() {
        Ok(table.find_number(number, hash))
    } else if let Some(string) = key.as_string() {
        Ok(table.find_string(string, hash))
    } else {
        find_container(vm, table, key, hash)
    }
}

/// As [`find`], for a key that may have to be compared by its contents.
#[inline(never)]
fn find_container(
    vm: &mut Vm,
    table: Gc<DictionaryCell>,
    key: Value,
    hash: u32,
) -> Fallible<Option<u32>> {
    let mut outcome = Ok(());
    let found = table.probe(hash, |entry| {
        let other = entry.key.get();
        if entry.hash.get() != hash || entry.is_empty() {
            return false;
        }
        match vm.keys_equal(other, key) {
            Ok(equal) => equal,
            Err(throw) => {
                outcome = Err(throw);
                true
            }
        }
    });
    outcome.map(|()| found)
}

/// The table itself if it has room for one more entry, else a copy that has.
pub fn make_room(
    heap: &mut impl Allocator,
    table: Gc<DictionaryCell>,
) -> Fallible<Gc<DictionaryCell>> {
    if table.used.get() < table.capacity {
        return Ok(table);
    }
    table.compact();
    let live = table.length();
    if live < table.capacity as usize - table.capacity as usize / 4 {
        return Ok(table);
    }
    let larger = DictionaryCell::allocate(heap, live * 2)?;
    // Slot by slot, not in order: that walks both tables from end to end.
    for slot in 0..=table.mask {
        let entry = table.slot(slot);
        if !entry.is_empty() {
            larger.fill(
                entry.key.get(),
                entry.value.get(),
                entry.hash.get(),
                entry.position.get(),
            );
        }
    }
    larger.used.set(live as u32);
    larger.live.set(live as u32);
    larger.strings.set(table.strings.get());
    heap.write_barrier(larger.header());
    Ok(larger)
}

/// Marks what a part of a table refers to, given as bytes of the cell: the entries that begin in it.
pub fn trace_dictionary(table: Gc<DictionaryCell>, part: Range<usize>, marker: &mut Marker) {
    let slot_from = |byte: usize| {
        let entries = byte.saturating_sub(size_of::<DictionaryCell>());
        let slot = entries.div_ceil(size_of::<Entry>());
        slot.min(table.mask as usize + 1) as u32
    };
    for slot in slot_from(part.start)..slot_from(part.end) {
        let entry = table.slot(slot);
        if !entry.is_empty() {
            marker.value(entry.key.get());
            marker.value(entry.value.get());
        }
    }
}
