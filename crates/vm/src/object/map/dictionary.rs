//! The ordered hash table of a map in dictionary mode.
//!
//! ```text
//! +--------+------------------+--------------------------------+---------------------+
//! | header | live used first  | entries: key, value, hash      | index: hash, entry  |
//! |        | capacity   mask  | (in order of insertion)        | + 1 (0: empty)      |
//! +--------+------------------+--------------------------------+---------------------+
//! ```
//! Entries lie in the order of insertion; the index is an open-addressing table of entry numbers (the layout of
//! CPython's dict). The bits of an index word that no entry number needs are those of the hash which do not say where the
//! probing begins: other entries on the way are passed without a look at them. A removed entry keeps its place with the key `unassigned`, a tombstone, until the table is rebuilt; a rebuild never
//! hashes a key again, since keys may be containers that have changed.

use std::cell::Cell;

use crate::error::{Fallible, RuntimeError};
use crate::heap::{CellType, Gc, Header, Kind, Marker};
use crate::object::allocator::Allocator;
use crate::object::string::StringCell;
use crate::value::Value;
use crate::vm::Vm;

#[repr(C)]
struct Entry {
    key: Cell<Value>,
    value: Cell<Value>,
    hash: Cell<u32>,
    unused: u32,
}

/// The layout of the fixed part.
#[repr(C)]
pub struct DictionaryCell {
    header: Header,
    live: Cell<u32>,
    used: Cell<u32>,
    /// Every entry before this one is a tombstone.
    first: Cell<u32>,
    capacity: u32,
    mask: u32,
    unused: u32,
}

// SAFETY: `repr(C)`, starts with a header, nothing to drop.
unsafe impl CellType for DictionaryCell {
    const KIND: Kind = Kind::Dictionary;
}

const MAX_ENTRIES: usize = 1 << 27;

impl DictionaryCell {
    /// A new, empty table with room for `capacity` entries.
    pub fn allocate(heap: &mut impl Allocator, capacity: usize) -> Fallible<Gc<DictionaryCell>> {
        let capacity = capacity.max(6);
        if capacity > MAX_ENTRIES {
            return Err(RuntimeError::MapTooLarge.into());
        }
        // At most three quarters of the index are taken. It is larger than the capacity, so an entry number + 1 fits into the mask.
        let index_size = (capacity + capacity / 3).next_power_of_two();
        let bytes = size_of::<DictionaryCell>()
            + capacity * size_of::<Entry>()
            + index_size * size_of::<u32>();
        let header = heap.allocate(Kind::Dictionary, bytes)?;
        // SAFETY: the cell was allocated with the kind and size of this type; every field is written, and the index cleared.
        unsafe {
            let table = header.address() as *mut DictionaryCell;
            (&raw mut (*table).live).write(Cell::new(0));
            (&raw mut (*table).used).write(Cell::new(0));
            (&raw mut (*table).first).write(Cell::new(0));
            (&raw mut (*table).capacity).write(capacity as u32);
            (&raw mut (*table).mask).write(index_size as u32 - 1);
            (&raw mut (*table).unused).write(0);
            let table: Gc<DictionaryCell> = Gc::from_address(header.address());
            table.index_start().write_bytes(0, index_size);
            Ok(table)
        }
    }
}

impl Gc<DictionaryCell> {
    fn index_start(self) -> *mut Cell<u32> {
        // SAFETY: the index follows the entries within the same allocation.
        unsafe {
            self.as_ptr()
                .add(1)
                .cast::<Entry>()
                .add(self.capacity as usize)
                .cast()
        }
    }

    #[inline(always)]
    fn index<'a>(self, at: u32) -> &'a Cell<u32> {
        debug_assert!(at <= self.mask);
        // SAFETY: in range: every caller masks.
        unsafe { &*self.index_start().add(at as usize) }
    }

    #[inline(always)]
    fn entry<'a>(self, at: usize) -> &'a Entry {
        debug_assert!(at < self.used.get() as usize);
        // SAFETY: entries below `used` are initialized; positions come from the index or are checked by the caller.
        unsafe { &*self.as_ptr().add(1).cast::<Entry>().add(at) }
    }

    /// The number of entries.
    pub fn length(self) -> usize {
        self.live.get() as usize
    }

    /// The value of the entry.
    #[inline]
    pub fn value(self, entry: usize) -> Value {
        self.entry(entry).value.get()
    }

    /// Replaces the value of the entry.
    pub fn set_value(self, heap: &mut impl Allocator, entry: usize, value: Value) {
        self.entry(entry).value.set(value);
        if value.is_cell() {
            heap.write_barrier(self.header());
        }
    }

    /// The entry with this interned string as its key.
    #[inline]
    pub fn find_interned(self, key: Gc<StringCell>) -> Option<usize> {
        debug_assert!(key.is_interned());
        self.find_string(key, key.interned_hash())
    }

    /// The entry with a key equal to this string, whose hash has been computed.
    #[inline]
    pub fn find_string(self, key: Gc<StringCell>, hash: u32) -> Option<usize> {
        self.probe(hash, |entry| {
            // Hashing has flattened both.
            entry
                .key
                .get()
                .as_string()
                .is_some_and(|other| other.equals_flat(key))
        })
    }

    /// The entry with this number as its key. There is none for a NaN, which equals nothing.
    #[inline(always)]
    pub fn find_number(self, key: f64, hash: u32) -> Option<usize> {
        // Read as a number, any other key is a NaN.
        self.probe(hash, |entry| entry.key.get().number_or_nan() == key)
    }

    /// Walks the entries that may have this hash until one is accepted.
    #[inline(always)]
    fn probe(self, hash: u32, mut accept: impl FnMut(&Entry) -> bool) -> Option<usize> {
        let mask = self.mask;
        let mut at = hash & mask;
        loop {
            let word = self.index(at).get();
            if word == 0 {
                return None;
            }
            if (word ^ hash) & !mask == 0 {
                let number = (word & mask) as usize - 1;
                if accept(self.entry(number)) {
                    return Some(number);
                }
            }
            at = (at + 1) & mask;
        }
    }

    /// Enters an entry into the index.
    #[inline(always)]
    fn enter(self, number: u32, hash: u32) {
        let mask = self.mask;
        let mut at = hash & mask;
        while self.index(at).get() != 0 {
            at = (at + 1) & mask;
        }
        self.index(at).set(hash & !mask | (number + 1));
    }

    /// Adds an entry whose key is not there yet. There must be room.
    pub fn append(self, heap: &mut impl Allocator, key: Value, value: Value, hash: u32) {
        let number = self.used.get();
        debug_assert!(number < self.capacity);
        self.used.set(number + 1);
        self.live.set(self.live.get() + 1);
        // SAFETY: below the capacity; the memory belongs to this cell and is written before `used` is relied on.
        unsafe {
            let entry = self.as_ptr().add(1).cast::<Entry>().add(number as usize);
            entry.write(Entry {
                key: Cell::new(key),
                value: Cell::new(value),
                hash: Cell::new(hash),
                unused: 0,
            });
        }
        self.enter(number, hash);
        heap.write_barrier(self.header());
    }

    /// Makes the entry a tombstone.
    pub fn remove(self, entry: usize) {
        self.entry(entry).key.set(Value::UNASSIGNED);
        self.entry(entry).value.set(Value::NULL);
        self.live.set(self.live.get() - 1);
        while self.first.get() < self.used.get()
            && self
                .entry(self.first.get() as usize)
                .key
                .get()
                .is_unassigned()
        {
            self.first.set(self.first.get() + 1);
        }
    }

    /// The first entry at or behind this position: its position, key and value.
    pub fn next_from(self, position: usize) -> Option<(usize, Value, Value)> {
        let start = position.max(self.first.get() as usize);
        (start..self.used.get() as usize).find_map(|at| {
            let entry = self.entry(at);
            let key = entry.key.get();
            (!key.is_unassigned()).then(|| (at, key, entry.value.get()))
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
        let entry = self.entry(self.first.get() as usize + index);
        Some((entry.key.get(), entry.value.get()))
    }

    /// Drops the tombstones, in place.
    fn compact(self) {
        let used = self.used.get() as usize;
        let mut kept = 0;
        for at in 0..used {
            let entry = self.entry(at);
            if !entry.key.get().is_unassigned() {
                let to = self.entry(kept);
                to.key.set(entry.key.get());
                to.value.set(entry.value.get());
                to.hash.set(entry.hash.get());
                kept += 1;
            }
        }
        self.used.set(kept as u32);
        self.first.set(0);
        // SAFETY: the index has `mask + 1` entries.
        unsafe { self.index_start().write_bytes(0, self.mask as usize + 1) };
        for number in 0..kept {
            self.enter(number as u32, self.entry(number).hash.get());
        }
    }
}

/// The entry with a key equal to `key`.
#[inline]
pub fn find(
    vm: &mut Vm,
    table: Gc<DictionaryCell>,
    key: Value,
    hash: u32,
) -> Fallible<Option<usize>> {
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
) -> Fallible<Option<usize>> {
    let mut outcome = Ok(());
    let found = table.probe(hash, |entry| {
        let other = entry.key.get();
        if entry.hash.get() != hash || other.is_unassigned() {
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
    let live = table.length();
    if live < table.capacity as usize - table.capacity as usize / 4 {
        table.compact();
        return Ok(table);
    }
    let larger = DictionaryCell::allocate(heap, live * 2)?;
    let mut position = 0;
    while let Some((at, key, value)) = table.next_from(position) {
        larger.append(heap, key, value, table.entry(at).hash.get());
        position = at + 1;
    }
    Ok(larger)
}

/// Marks what a table refers to.
pub fn trace_dictionary(table: Gc<DictionaryCell>, marker: &mut Marker) {
    for at in table.first.get() as usize..table.used.get() as usize {
        let entry = table.entry(at);
        marker.value(entry.key.get());
        marker.value(entry.value.get());
    }
}
