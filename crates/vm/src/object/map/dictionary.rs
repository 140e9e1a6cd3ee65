//! The ordered hash table of a map in dictionary mode.
//!
//! ```text
//! +--------+---------------------+------------------+----------------------+
//! | header | live  used  first   | index: words     | entries: key, value, |
//! |        | capacity  mask  …   | (linear probing) | in order of insertion|
//! +--------+---------------------+------------------+----------------------+
//! ```
//! The entries stand in a row, and the hash table proper, the index, consists of [`Word`]s that lead to them: the number of an entry and
//! the hash of its key. The lower bits of the hash choose where probing begins, so it hardly ever looks at an entry other than the right
//! one. What is not in use of the row has never been touched, which for a large table means that the system provides no memory for it.
//!
//! As long as all keys are whole numbers of 32 bits, an entry need not be looked at at all to find it: the hashes of such numbers
//! differ, so the index alone tells whether a number is a key. In a large table that is one miss of the caches instead of two.
//!
//! Removing an entry closes the gap it leaves in its run of words (Knuth, volume 3, algorithm 6.4R) and leaves one in the row,
//! which is closed when room is needed. When that happens, and when a table grows, the words are taken over in the order of the index, which
//! is the order of memory both where they come from and where they go to. No key is ever hashed again, since keys may be
//! containers that have changed.

use std::cell::Cell;
use std::mem::offset_of;
use std::ops::Range;

use crate::error::{Fallible, RuntimeError};
use crate::heap::{CellType, Gc, Header, Kind, Marker};
use crate::object::allocator::Allocator;
use crate::object::string::StringCell;
use crate::object::values::ElementKind;
use crate::semantics::equality::{hash_number, hash_of_whole};
use crate::value::Value;
use crate::vm::Vm;

/// An entry. It is vacant if the key is unassigned.
#[repr(C)]
struct Entry {
    key: Cell<Value>,
    value: Cell<Value>,
}

/// How many names a table remembers to lack.
pub(super) const ABSENT_NAMES: usize = 8;

/// The layout of the fixed part. The header's `small` byte says what the keys and values are: an [`ElementKind`].
#[repr(C)]
pub struct DictionaryCell {
    header: Header,
    /// The number of entries.
    live: Cell<u32>,
    /// The part of the rows in use.
    used: Cell<u32>,
    /// Every entry before this one is vacant.
    first: Cell<u32>,
    /// The length of the rows.
    capacity: u32,
    /// The number of words in the index, a power of two, - 1.
    mask: u32,
    /// How many keys are strings.
    strings: Cell<u32>,
    /// Whether a key has been added that is not a whole number of 32 bits.
    has_other_keys: Cell<bool>,
    /// Hashes that no string among the keys has, or 0, each in the place its lowest bits choose. Members of all maps are looked up
    /// in vain in every table first.
    absent: [Cell<u32>; ABSENT_NAMES],
}

// SAFETY: `repr(C)`, starts with a header, nothing to drop.
unsafe impl CellType for DictionaryCell {
    const KIND: Kind = Kind::Dictionary;
}

// The words and entries that follow are aligned.
const _: () = assert!(size_of::<DictionaryCell>().is_multiple_of(align_of::<Word>()));

/// Numbers of entries fit into a word of the index, and large tables into the address space.
const MAX_ENTRIES: usize = 1 << 27;

/// A word of the index: the hash of a key in the upper half, the number of its entry in the lower one.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
struct Word(u64);

impl Word {
    /// Leads to no entry: there are never as many entries.
    const EMPTY: Word = Word(u64::MAX);

    #[inline(always)]
    fn new(hash: u32, number: u32) -> Word {
        Word(u64::from(hash) << 32 | u64::from(number))
    }

    #[inline(always)]
    fn hash(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline(always)]
    fn number(self) -> u32 {
        self.0 as u32
    }
}

impl DictionaryCell {
    /// Where compiled code finds how many keys are strings.
    pub const STRINGS_OFFSET: usize = offset_of!(DictionaryCell, strings);

    /// A new, empty table with room for `capacity` entries.
    pub fn allocate(heap: &mut impl Allocator, capacity: usize) -> Fallible<Gc<DictionaryCell>> {
        if capacity > MAX_ENTRIES {
            return Err(RuntimeError::MapTooLarge.into());
        }
        // At most three quarters of the words are taken, so probing ends.
        let words = (capacity + capacity.div_ceil(3)).next_power_of_two().max(8);
        let capacity = words / 4 * 3;
        let bytes =
            size_of::<DictionaryCell>() + words * size_of::<Word>() + capacity * size_of::<Entry>();
        let header = heap.allocate(Kind::Dictionary, bytes)?;
        header.small.set(ElementKind::Numbers as u8);
        // SAFETY: the cell was allocated with the kind and size of this type; every field is written, and the index is emptied.
        unsafe {
            let table = header.address() as *mut DictionaryCell;
            (&raw mut (*table).live).write(Cell::new(0));
            (&raw mut (*table).used).write(Cell::new(0));
            (&raw mut (*table).first).write(Cell::new(0));
            (&raw mut (*table).capacity).write(capacity as u32);
            (&raw mut (*table).mask).write(words as u32 - 1);
            (&raw mut (*table).strings).write(Cell::new(0));
            (&raw mut (*table).has_other_keys).write(Cell::new(false));
            (&raw mut (*table).absent).write([const { Cell::new(0) }; ABSENT_NAMES]);
            let table: Gc<DictionaryCell> = Gc::from_address(header.address());
            table.clear_index();
            Ok(table)
        }
    }
}

impl Gc<DictionaryCell> {
    #[inline(always)]
    fn words(self) -> *mut Word {
        // SAFETY: the index follows the fixed part within the same allocation.
        unsafe { self.as_ptr().add(1).cast() }
    }

    #[inline(always)]
    fn entries(self) -> *mut Entry {
        // SAFETY: the entries follow the index within the same allocation.
        unsafe { self.words().add(self.mask as usize + 1).cast() }
    }

    #[inline(always)]
    fn word<'a>(self, at: u32) -> &'a Cell<Word> {
        debug_assert!(at <= self.mask);
        // SAFETY: in range: every place is masked; the index is initialized.
        unsafe { &*self.words().add(at as usize).cast() }
    }

    /// The entry with a number below `used`.
    #[inline(always)]
    fn entry<'a>(self, number: u32) -> &'a Entry {
        debug_assert!(number < self.used.get());
        // SAFETY: entries below `used` are initialized, and `used` is at most the capacity.
        unsafe { &*self.entries().add(number as usize) }
    }

    fn clear_index(self) {
        // SAFETY: the index has `mask + 1` words. All bytes of an empty word are alike.
        unsafe {
            self.words().write_bytes(0xFF, self.mask as usize + 1);
        }
    }

    fn element_kind(self) -> ElementKind {
        ElementKind::from_byte(self.header().small.get())
    }

    /// The number of entries.
    pub fn length(self) -> usize {
        self.live.get() as usize
    }

    /// The value of an entry.
    #[inline(always)]
    pub fn value(self, number: u32) -> Value {
        self.entry(number).value.get()
    }

    /// Replaces the value of an entry.
    #[inline]
    pub fn set_value(self, heap: &mut impl Allocator, number: u32, value: Value) {
        self.entry(number).value.set(value);
        self.stored(heap, number, value);
    }

    /// Does what is due when a value has been stored in an entry, as its key or value.
    #[inline(always)]
    fn stored(self, heap: &mut impl Allocator, number: u32, value: Value) {
        if !value.is_number() {
            self.header().small.set(ElementKind::Mixed as u8);
            heap.write_barrier_at(self.header(), self.entry(number).key.as_ptr());
        }
    }

    /// The entry with this interned string as its key.
    #[inline]
    pub fn find_interned(self, key: Gc<StringCell>) -> Option<u32> {
        debug_assert!(key.is_interned());
        if self.strings.get() == 0 || self.absent(key.interned_hash()).get() == key.interned_hash()
        {
            return None;
        }
        self.find_name(key)
    }

    #[inline(always)]
    fn absent<'a>(self, hash: u32) -> &'a Cell<u32> {
        // SAFETY: the cell is alive, and the mask leaves an index below the number of places.
        unsafe {
            &*(&raw const (*self.as_ptr()).absent)
                .cast::<Cell<u32>>()
                .add(hash as usize % ABSENT_NAMES)
        }
    }

    #[inline(never)]
    fn find_name(self, key: Gc<StringCell>) -> Option<u32> {
        let hash = key.interned_hash();
        let found = self.find_string(key, hash);
        if found.is_none() && self.probe(hash, |_| true).is_none() {
            self.absent(hash).set(hash);
        }
        found
    }

    /// The entry with a key equal to this string, whose hash has been computed.
    #[inline]
    pub fn find_string(self, key: Gc<StringCell>, hash: u32) -> Option<u32> {
        self.probe(hash, |number| {
            let other = self.entry(number).key.get();
            // Hashing has flattened both.
            (other.as_string()).is_some_and(|other| other.equals_flat(key))
        })
    }

    /// The entry with this number as its key. There is none for a NaN, which equals nothing.
    #[inline(always)]
    pub fn find_number(self, key: f64) -> Option<u32> {
        match hash_of_whole(key) {
            Some(hash) if !self.has_other_keys.get() => self.probe(hash, |_| true),
            _ => self.find_among_others(key),
        }
    }

    #[inline(never)]
    fn find_among_others(self, key: f64) -> Option<u32> {
        if !self.has_other_keys.get() {
            return None;
        }
        // Read as a number, any other key is a NaN.
        self.probe(hash_number(key), |number| {
            self.entry(number).key.get().number_or_nan() == key
        })
    }

    /// The entry with this key, if it is a number or a string whose hash has been computed.
    #[inline(always)]
    pub fn find_quick(self, key: Value) -> Option<u32> {
        match key.as_number() {
            Some(number) => self.find_number(number),
            None => {
                let key = key.as_string()?;
                self.find_string(key, key.cached_hash()?)
            }
        }
    }

    /// Walks the run of words in which the one for a key with this hash would be, until one with this hash is accepted.
    #[inline(always)]
    fn probe(self, hash: u32, mut accept: impl FnMut(u32) -> bool) -> Option<u32> {
        let mask = self.mask;
        let mut at = hash & mask;
        loop {
            let word = self.word(at).get();
            if word.hash() == hash && word != Word::EMPTY && accept(word.number()) {
                return Some(word.number());
            }
            if word == Word::EMPTY {
                return None;
            }
            at = (at + 1) & mask;
        }
    }

    /// Enters a word into the index.
    #[inline(always)]
    fn enter(self, word: Word) {
        let mask = self.mask;
        let mut at = word.hash() & mask;
        while self.word(at).get() != Word::EMPTY {
            at = (at + 1) & mask;
        }
        self.word(at).set(word);
    }

    /// Every word of the index that leads to an entry, with its place.
    #[inline(always)]
    fn for_each_word(self, mut visit: impl FnMut(&Cell<Word>)) {
        for at in 0..=self.mask {
            let word = self.word(at);
            if word.get() != Word::EMPTY {
                visit(word);
            }
        }
    }

    /// Adds an entry whose key is not there yet. There must be room.
    pub fn append(self, heap: &mut impl Allocator, key: Value, value: Value, hash: u32) {
        let number = self.used.get();
        self.write(key, value, hash);
        if key
            .as_number()
            .is_none_or(|key| hash_of_whole(key).is_none())
        {
            self.has_other_keys.set(true);
        }
        if key.as_string().is_some() {
            self.strings.set(self.strings.get() + 1);
            self.absent(hash).set(0);
        }
        self.stored(heap, number, key);
        self.stored(heap, number, value);
    }

    /// Writes an entry behind the last one.
    #[inline(always)]
    fn write(self, key: Value, value: Value, hash: u32) {
        let number = self.used.get();
        assert!(number < self.capacity);
        self.used.set(number + 1);
        let entry = self.entry(number);
        entry.key.set(key);
        entry.value.set(value);
        self.enter(Word::new(hash, number));
        self.live.set(self.live.get() + 1);
    }

    /// Removes an entry. Its key had this hash when it was added, or has been changed since, if it is a container.
    pub fn remove(self, number: u32, hash: u32) {
        let entry = self.entry(number);
        if entry.key.get().as_string().is_some() {
            self.strings.set(self.strings.get() - 1);
        }
        self.leave_index(number, hash);
        entry.key.set(Value::UNASSIGNED);
        entry.value.set(Value::NULL);
        self.live.set(self.live.get() - 1);
        while self.first.get() < self.used.get() && self.is_vacant(self.first.get()) {
            self.first.set(self.first.get() + 1);
        }
        while self.first.get() < self.used.get() && self.is_vacant(self.used.get() - 1) {
            self.used.set(self.used.get() - 1);
        }
    }

    #[inline(always)]
    fn is_vacant(self, number: u32) -> bool {
        self.entry(number).key.get().is_unassigned()
    }

    /// Takes an entry out of the index. Words behind its own move up unless their run begins behind the gap.
    fn leave_index(self, number: u32, hash: u32) {
        let mask = self.mask;
        let mut gap = hash & mask;
        while self.word(gap).get().number() != number {
            // Behind the run of a hash that the key has no longer this looks at all the others.
            gap = (gap + 1) & mask;
        }
        let mut at = gap;
        loop {
            at = (at + 1) & mask;
            let word = self.word(at).get();
            if word == Word::EMPTY {
                break;
            }
            let from_home = at.wrapping_sub(word.hash()) & mask;
            let from_gap = at.wrapping_sub(gap) & mask;
            if from_home >= from_gap {
                self.word(gap).set(word);
                gap = at;
            }
        }
        self.word(gap).set(Word::EMPTY);
    }

    /// The first entry from this number on: its number, key and value.
    pub fn next_from(self, number: usize) -> Option<(u32, Value, Value)> {
        let start = number.max(self.first.get() as usize) as u32;
        (start..self.used.get()).find_map(|number| {
            let entry = self.entry(number);
            let key = entry.key.get();
            (!key.is_unassigned()).then(|| (number, key, entry.value.get()))
        })
    }

    /// The entry at `index` in order.
    pub fn entry_at(self, heap: &mut impl Allocator, index: usize) -> Option<(Value, Value)> {
        if index >= self.length() {
            return None;
        }
        if !self.is_dense() {
            self.compact(heap);
        }
        let entry = self.entry(self.first.get() + index as u32);
        Some((entry.key.get(), entry.value.get()))
    }

    /// Whether no entry between the first and the last is vacant.
    fn is_dense(self) -> bool {
        self.used.get() - self.first.get() == self.live.get()
    }

    /// Closes the gaps in the row.
    fn compact(self, heap: &mut impl Allocator) {
        let numbers = NewNumbers::of(self);
        self.for_each_word(|word| {
            let number = numbers.of_entry(word.get().number());
            word.set(Word::new(word.get().hash(), number));
        });
        self.copy_entries_to(self);
        self.used.set(self.live.get());
        self.first.set(0);
        // The collector may have seen entries where they went to and not yet where they came from.
        heap.write_barrier(self.header());
    }

    /// Writes the entries one after the other to the beginning of a row that is long enough, which may be their own.
    fn copy_entries_to(self, other: Gc<DictionaryCell>) {
        assert!(self.live.get() <= other.capacity);
        let (from, to) = (self.entries(), other.entries());
        let (first, live) = (self.first.get() as usize, self.live.get() as usize);
        // SAFETY: the entries below `used` are initialized; at most as many are written as have been read, and no more than fit.
        unsafe {
            if self.is_dense() {
                to.copy_from(from.add(first), live);
                return;
            }
            let mut next = 0;
            for number in first..self.used.get() as usize {
                if !(*from.add(number)).key.get().is_unassigned() {
                    to.add(next).copy_from(from.add(number), 1);
                    next += 1;
                }
            }
        }
    }
}

/// The numbers that the entries of a table get when gaps in its row are closed.
struct NewNumbers {
    first: u32,
    /// For each 64 entries, in whose order they are: how many precede them, and which of them are there.
    groups: Vec<(u32, u64)>,
}

impl NewNumbers {
    fn of(table: Gc<DictionaryCell>) -> NewNumbers {
        let first = table.first.get();
        let mut groups = Vec::new();
        if !table.is_dense() {
            let mut before = 0;
            for start in (first..table.used.get()).step_by(64) {
                let mut there = 0;
                for number in start..table.used.get().min(start + 64) {
                    there |= u64::from(!table.is_vacant(number)) << (number - start);
                }
                groups.push((before, there));
                before += there.count_ones();
            }
        }
        NewNumbers { first, groups }
    }

    #[inline(always)]
    fn of_entry(&self, number: u32) -> u32 {
        let position = number - self.first;
        match self.groups.get(position as usize / 64) {
            Some((before, there)) => {
                let others = there & !(u64::MAX << (position % 64));
                before + others.count_ones()
            }
            None => position,
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
) -> Fallible<Option<u32>> {
    if let Some(number) = key.as_number() {
        Ok(table.find_number(number))
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
    let found = table.probe(hash, |number| {
        let other = table.entry(number).key.get();
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
        table.compact(heap);
        return Ok(table);
    }
    let larger = DictionaryCell::allocate(heap, live * 2)?;
    larger.header().small.set(table.element_kind() as u8);
    let numbers = NewNumbers::of(table);
    table.for_each_word(|word| {
        let word = word.get();
        larger.enter(Word::new(word.hash(), numbers.of_entry(word.number())));
    });
    table.copy_entries_to(larger);
    larger.live.set(table.live.get());
    larger.used.set(table.live.get());
    larger.strings.set(table.strings.get());
    larger.has_other_keys.set(table.has_other_keys.get());
    heap.write_barrier(larger.header());
    Ok(larger)
}

/// Marks what a part of a table refers to, given as bytes of the cell: the entries that begin in it.
pub fn trace_dictionary(table: Gc<DictionaryCell>, part: Range<usize>, marker: &mut Marker) {
    if table.element_kind() != ElementKind::Mixed {
        return;
    }
    let before = table.entries() as usize - table.address();
    let number_from = |byte: usize| {
        let entries = byte.saturating_sub(before);
        (entries.div_ceil(size_of::<Entry>())).min(table.used.get() as usize)
    };
    let (first, end) = (number_from(part.start), number_from(part.end));
    // SAFETY: an entry is two values, and those below `used` are initialized.
    unsafe {
        let values = table.entries().add(first).cast();
        marker.values(values, end.saturating_sub(first) * 2);
    }
}
