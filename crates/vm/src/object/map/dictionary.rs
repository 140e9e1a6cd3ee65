//! The ordered hash table of a map in dictionary mode.
//!
//! ```text
//! +--------+------------------+--------------------------------+---------------------+
//! | header | live used first  | entries: key, value, hash      | index: entry + 1    |
//! |        | capacity   mask  | (in order of insertion)        | (0: empty)          |
//! +--------+------------------+--------------------------------+---------------------+
//! ```
//! Entries lie in the order of insertion; the index is an open-addressing table of entry numbers (the layout of
//! CPython's dict). A removed entry keeps its place with the key `unassigned`, a tombstone, until the table is rebuilt; a rebuild never
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
        // At most three quarters of the index are taken.
        let index_size = (capacity + capacity / 3 + 1).next_power_of_two();
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
    pub fn find_interned(self, key: Gc<StringCell>) -> Option<usize> {
        // Interning has computed the hash.
        let hash = key.cached_hash()?;
        let bits = Value::string(key);
        self.probe(hash, |entry| match entry.key.get() {
            same if same == bits => Some(true),
            other => match other.as_string() {
                // An interned string equals no other interned one; a computed one may have the same text.
                // Hashing has flattened both.
                Some(other) if !other.is_interned() => Some(other.if_flat() == key.if_flat()),
                _ => Some(false),
            },
        })
        .unwrap_or(None)
    }

    /// Walks the entries whose hash is `hash`; `matches` says yes, no, or stop.
    #[inline(always)]
    fn probe(
        self,
        hash: u32,
        mut matches: impl FnMut(&Entry) -> Option<bool>,
    ) -> Option<Option<usize>> {
        let mut at = spread(hash) & self.mask;
        loop {
            let number = self.index(at).get();
            if number == 0 {
                return Some(None);
            }
            let entry = self.entry(number as usize - 1);
            if entry.hash.get() == hash && !entry.key.get().is_unassigned() && matches(entry)? {
                return Some(Some(number as usize - 1));
            }
            at = (at + 1) & self.mask;
        }
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
        let mut at = spread(hash) & self.mask;
        while self.index(at).get() != 0 {
            at = (at + 1) & self.mask;
        }
        self.index(at).set(number + 1);
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
            let mut at = spread(self.entry(number).hash.get()) & self.mask;
            while self.index(at).get() != 0 {
                at = (at + 1) & self.mask;
            }
            self.index(at).set(number as u32 + 1);
        }
    }
}

/// Hashes of small whole numbers differ in few bits: spread them (Fibonacci hashing).
#[inline(always)]
fn spread(hash: u32) -> u32 {
    let product = hash.wrapping_mul(0x9E37_79B9);
    product ^ (product >> 15)
}

/// The entry with a key equal to `key`.
pub fn find(
    vm: &mut Vm,
    table: Gc<DictionaryCell>,
    key: Value,
    hash: u32,
) -> Fallible<Option<usize>> {
    if let Some(key) = key.as_string()
        && key.is_interned()
    {
        return Ok(table.find_interned(key));
    }
    let mut failure = None;
    let found = table.probe(hash, |entry| {
        let other = entry.key.get();
        // A NaN is the same word and yet no equal key.
        if other == key && !(key.is_number() && key.number_or_nan().is_nan()) {
            return Some(true);
        }
        match vm.keys_equal(other, key) {
            Ok(equal) => Some(equal),
            Err(throw) => {
                failure = Some(throw);
                None
            }
        }
    });
    match (found, failure) {
        (_, Some(throw)) => Err(throw),
        (found, None) => Ok(found.flatten()),
    }
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
