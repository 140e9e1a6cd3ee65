//! Maps. Nothing outside this folder knows how a map is laid out.
//!
//! A map is in one of three modes:
//!
//! * **shape**: string keys only; the [`shape`] says which key is in which slot. A slot is inside the cell or in
//!   an overflow cell:
//!
//!   ```text
//!   +--------------------+----------+--------+--------+
//!   | header (shape id)  | overflow | slot 0 | slot 1 |   a map with two keys: 32 bytes
//!   +--------------------+----------+--------+--------+
//!   ```
//! * **dictionary**: an ordered hash table ([`dictionary`]); `overflow` refers to it, the shape id is 0;
//! * **globals**: a live view of the interpreter's global variables ([`globals`]).
//!
//! Maps keep the order in which their keys were first stored.

pub mod dictionary;
#[cfg(test)]
mod dictionary_tests;
pub mod globals;
mod prototype;
pub mod shape;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::mem::offset_of;

pub use dictionary::trace_dictionary;
pub use prototype::Member;
use shape::ShapeId;

use crate::error::Fallible;
use crate::heap::{CellType, Gc, Header, Heap, Kind, Marker};
use crate::object::allocator::Allocator;
use crate::object::map::dictionary::DictionaryCell;
use crate::object::string::StringCell;
use crate::object::values::ValuesCell;
use crate::value::Value;
use crate::vm::Vm;

/// A table by the addresses of cells, which a script cannot choose: the hash need not be a strong one.
pub(crate) type AddressMap<V> = hashbrown::HashMap<usize, V, foldhash::fast::FixedState>;

/// In `header.flags`: the map is the `__isa` of others, so its changes invalidate inline caches.
const PROTOTYPE: u8 = 1;
/// In `header.flags`: dictionary mode.
const DICTIONARY: u8 = 2;
/// In `header.flags`: globals mode.
const GLOBALS: u8 = 4;
/// In `header.flags`: scripts may not change the map.
const PROTECTED: u8 = 8;

/// The layout of a map.
#[repr(C)]
pub struct MapCell {
    header: Header,
    /// The address of a [`ValuesCell`] (shape mode) or [`DictionaryCell`] (dictionary mode), or 0.
    overflow: Cell<usize>,
    // The inline slots follow; their number is `header.small`.
}

// SAFETY: `repr(C)`, starts with a header, nothing to drop.
unsafe impl CellType for MapCell {
    const KIND: Kind = Kind::Map;
}

/// The most slots a map has inside its cell.
pub const MAX_INLINE_SLOTS: usize = 28;

impl MapCell {
    /// The bit in the header's flags that says whether the map is a hash table.
    pub const DICTIONARY_FLAG: u8 = DICTIONARY;
    /// Where compiled code finds the first inline slot.
    pub const SLOTS_OFFSET: usize = size_of::<MapCell>();
    /// Where compiled code finds the overflow cell.
    pub const OVERFLOW_OFFSET: usize = offset_of!(MapCell, overflow);

    /// The bytes of a cell with so many slots inside.
    pub const fn size(inline_slots: usize) -> usize {
        size_of::<MapCell>() + inline_slots * size_of::<Value>()
    }

    pub(crate) fn allocate(
        heap: &mut impl Allocator,
        shape: ShapeId,
        inline_slots: usize,
        flags: u8,
    ) -> Fallible<Gc<MapCell>> {
        let header = heap.allocate(Kind::Map, MapCell::size(inline_slots))?;
        header.flags.set(flags);
        header.small.set(inline_slots as u8);
        header.word.set(shape.0);
        // SAFETY: the cell was allocated with the kind and size of this type; every field is written.
        let map: Gc<MapCell> = unsafe {
            (&raw mut (*(header.address() as *mut MapCell)).overflow).write(Cell::new(0));
            Gc::from_address(header.address())
        };
        for slot in 0..inline_slots {
            map.inline_slot(slot).set(Value::NULL);
        }
        Ok(map)
    }

    /// The live view of the global variables. There is one for each interpreter.
    pub(crate) fn allocate_globals(heap: &mut impl Allocator) -> Fallible<Gc<MapCell>> {
        MapCell::allocate(heap, ShapeId::NONE, 0, GLOBALS)
    }
}

/// Where a slot of a shape-mode map is: what inline caches remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(pub u32);

impl Gc<MapCell> {
    /// The shape, or [`ShapeId::NONE`] if the map has none.
    #[inline(always)]
    pub fn shape(self) -> ShapeId {
        ShapeId(self.header().word.get())
    }

    #[inline(always)]
    fn inline_slots(self) -> usize {
        usize::from(self.header().small.get())
    }

    #[inline(always)]
    fn inline_slot<'a>(self, slot: usize) -> &'a Cell<Value> {
        debug_assert!(slot < self.inline_slots());
        // SAFETY: the inline slots follow the fixed part; in range by the shape, checked in debug builds.
        unsafe { &*self.as_ptr().add(1).cast::<Cell<Value>>().add(slot) }
    }

    /// The value slot, which must belong to the map's current shape.
    #[inline(always)]
    pub fn slot<'a>(self, slot: Slot) -> &'a Cell<Value> {
        let slot = slot.0 as usize;
        let inline = self.inline_slots();
        if slot < inline {
            self.inline_slot(slot)
        } else {
            self.overflow_values().slot(slot - inline)
        }
    }

    #[inline(always)]
    fn overflow_values(self) -> Gc<ValuesCell> {
        debug_assert!(self.overflow.get() != 0);
        // SAFETY: in shape mode `overflow` is the address of a values cell once a slot beyond the inline ones exists.
        unsafe { Gc::from_address(self.overflow.get()) }
    }

    #[inline(always)]
    fn dictionary(self) -> Gc<DictionaryCell> {
        debug_assert!(self.is_dictionary() && self.overflow.get() != 0);
        // SAFETY: in dictionary mode `overflow` is the address of a dictionary cell.
        unsafe { Gc::from_address(self.overflow.get()) }
    }

    /// Whether the map is a hash table.
    #[inline(always)]
    pub fn is_dictionary(self) -> bool {
        self.header().has_flag(DICTIONARY)
    }

    /// Whether the map is the live view of the global variables.
    #[inline(always)]
    pub(crate) fn is_globals(self) -> bool {
        self.header().has_flag(GLOBALS)
    }

    /// Whether the map is the `__isa` of others.
    #[inline(always)]
    pub fn is_prototype(self) -> bool {
        self.header().has_flag(PROTOTYPE)
    }

    /// Whether scripts may not change the map.
    #[inline(always)]
    pub fn is_protected(self) -> bool {
        self.header().has_flag(PROTECTED)
    }

    /// Forbids scripts to change the map.
    pub fn protect(self) {
        self.header().set_flag(PROTECTED);
    }

    /// Stores into a slot of the map's current shape.
    #[inline(always)]
    pub fn set_slot(self, vm: &mut Vm, slot: Slot, value: Value) {
        self.slot(slot).set(value);
        if value.is_cell() {
            if (slot.0 as usize) < self.inline_slots() {
                vm.write_barrier(self.header());
            } else {
                vm.write_barrier(self.overflow_values().header());
            }
        }
    }

    /// Stores into a slot of the map's current shape if that takes no more than a store; false otherwise.
    #[inline(always)]
    pub fn set_slot_quickly(self, heap: &Heap, slot: Slot, value: Value) -> bool {
        if value.is_cell() {
            let is_inline = (slot.0 as usize) < self.inline_slots();
            let owner = if is_inline {
                self.header()
            } else {
                self.overflow_values().header()
            };
            if heap.needs_barrier(owner) {
                return false;
            }
        }
        self.slot(slot).set(value);
        true
    }

    /// Whether a map with this shape has memory for slot `slot`, so that a transition needs no allocation.
    #[inline(always)]
    pub fn has_room_for(self, slot: Slot) -> bool {
        let inline = self.inline_slots();
        (slot.0 as usize) < inline
            || (self.overflow.get() != 0
                && (slot.0 as usize) - inline < self.overflow_values().capacity())
    }

    /// Enters the value of a new key whose transition leads to `shape`. The map must have room for the slot.
    #[inline(always)]
    pub fn add_slot(self, vm: &mut Vm, shape: ShapeId, slot: Slot, value: Value) {
        self.header().word.set(shape.0);
        self.set_slot(vm, slot, value);
    }

    /// As [`Gc::add_slot`] if that takes no more than two stores; false otherwise.
    #[inline(always)]
    pub fn add_slot_quickly(self, heap: &Heap, shape: ShapeId, slot: Slot, value: Value) -> bool {
        if !self.set_slot_quickly(heap, slot, value) {
            return false;
        }
        self.header().word.set(shape.0);
        true
    }
}

/// Marks what a map refers to.
pub fn trace(map: Gc<MapCell>, marker: &mut Marker) {
    for slot in 0..map.inline_slots() {
        marker.value(map.inline_slot(slot).get());
    }
    if map.overflow.get() != 0 {
        if map.is_dictionary() {
            marker.cell(map.dictionary());
        } else {
            marker.cell(map.overflow_values());
        }
    }
}

/// A position in a map's entries, for walking them in order. Only valid while no key is added or removed.
#[derive(Clone, Copy, Debug, Default)]
pub struct EntryCursor(usize);

/// The interface to maps: own entries only. Looking along `__isa` is [`Vm::find_member`].
impl Vm {
    /// A new, empty map that expects `capacity` string keys.
    pub fn new_map(&mut self, capacity: usize) -> Fallible<Gc<MapCell>> {
        if capacity > MAX_INLINE_SLOTS {
            return self.new_dictionary_map(capacity);
        }
        let root = self.shapes.root(capacity);
        MapCell::allocate(self, root, capacity, 0)
    }

    /// A new, empty map in dictionary mode.
    pub fn new_dictionary_map(&mut self, capacity: usize) -> Fallible<Gc<MapCell>> {
        let table = DictionaryCell::allocate(self, capacity)?;
        let map = MapCell::allocate(self, ShapeId::NONE, 0, DICTIONARY)?;
        map.overflow.set(table.address());
        Ok(map)
    }

    /// The number of entries.
    pub fn map_length(&self, map: Gc<MapCell>) -> usize {
        if map.is_dictionary() {
            map.dictionary().length()
        } else if map.is_globals() {
            self.globals.length()
        } else {
            self.shapes.get(map.shape()).length()
        }
    }

    /// The slot of an interned key, if the map has a shape and the key.
    pub fn slot_of(&self, map: Gc<MapCell>, key: Gc<StringCell>) -> Option<Slot> {
        match map.shape() {
            ShapeId::NONE => None,
            shape => self.shapes.get(shape).find(key),
        }
    }

    /// The value of an interned key.
    pub fn map_get_interned(&mut self, map: Gc<MapCell>, key: Gc<StringCell>) -> Option<Value> {
        debug_assert!(key.is_interned());
        if map.is_dictionary() {
            let entry = map.dictionary().find_interned(key)?;
            Some(map.dictionary().value(entry))
        } else if map.is_globals() {
            self.globals.get_interned(key)
        } else {
            let slot = self.shapes.get(map.shape()).find(key)?;
            Some(map.slot(slot).get())
        }
    }

    /// The value of any key.
    pub fn map_get(&mut self, map: Gc<MapCell>, key: Value) -> Fallible<Option<Value>> {
        if map.is_dictionary() {
            let hash = self.hash_key(key)?;
            let entry = dictionary::find(self, map.dictionary(), key, hash)?;
            return Ok(entry.map(|entry| map.dictionary().value(entry)));
        }
        if map.is_globals() {
            return globals::get(self, key);
        }
        match self.interned_key(key)? {
            Some(key) => Ok(self.map_get_interned(map, key)),
            None => Ok(None),
        }
    }

    /// Whether the map is a dictionary that finds this member among those of all maps.
    pub(crate) fn dictionary_inherits(&self, map: Gc<MapCell>, key: Gc<StringCell>) -> bool {
        map.is_dictionary()
            && map.dictionary().find_interned(key).is_none()
            && map.dictionary().find_interned(self.names.isa).is_none()
    }

    /// The own value of a number or string in a dictionary, if that is easily found.
    #[inline]
    pub fn map_get_quick(&mut self, map: Gc<MapCell>, key: Value) -> Option<Value> {
        if !map.is_dictionary() {
            return None;
        }
        let table = map.dictionary();
        let entry = table.find_quick(key)?;
        Some(table.value(entry))
    }

    /// Replaces the own value of a number or string in an ordinary dictionary; false if there is no such entry or it is not easily
    /// found.
    #[inline]
    pub fn map_replace_quick(&mut self, map: Gc<MapCell>, key: Value, value: Value) -> bool {
        if map.header().flags.get() != DICTIONARY {
            return false;
        }
        let table = map.dictionary();
        match table.find_quick(key) {
            Some(entry) => {
                table.set_value(self, entry, value);
                true
            }
            None => false,
        }
    }

    /// Whether a map has a key of its own.
    #[inline]
    pub fn map_has(&mut self, map: Gc<MapCell>, key: Value) -> Fallible<bool> {
        if map.is_dictionary() {
            let table = map.dictionary();
            if let Some(number) = key.as_number() {
                return Ok(table.find_number(number).is_some());
            }
            if table.find_quick(key).is_some() {
                return Ok(true);
            }
        }
        Ok(self.map_get(map, key)?.is_some())
    }

    /// The interned string equal to the key; none if it is no string or no such string is interned, in which
    /// case no shape has it.
    fn interned_key(&mut self, key: Value) -> Fallible<Option<Gc<StringCell>>> {
        match key.as_string() {
            Some(key) => self.lookup_interned(key),
            None => Ok(None),
        }
    }

    /// Stores an entry; a new key goes to the end.
    pub fn map_set(&mut self, map: Gc<MapCell>, key: Value, value: Value) -> Fallible<()> {
        if map.is_dictionary() {
            return self.dictionary_set(map, key, value);
        }
        if map.is_globals() {
            return globals::set(self, key, value);
        }
        if let Some(key) = key.as_string() {
            let key = self.intern_cell(key)?;
            return self.map_set_interned(map, key, value);
        }
        self.make_dictionary(map)?;
        self.dictionary_set(map, key, value)
    }

    /// Stores an entry whose key is an interned string.
    pub fn map_set_interned(
        &mut self,
        map: Gc<MapCell>,
        key: Gc<StringCell>,
        value: Value,
    ) -> Fallible<()> {
        if map.is_dictionary() {
            return self.dictionary_set(map, Value::string(key), value);
        }
        if map.is_globals() {
            return globals::set(self, Value::string(key), value);
        }
        self.shape_set(map, key, value)
    }

    fn dictionary_set(&mut self, map: Gc<MapCell>, key: Value, value: Value) -> Fallible<()> {
        let hash = self.hash_key(key)?;
        if let Some(entry) = dictionary::find(self, map.dictionary(), key, hash)? {
            if map.is_prototype() && self.is_isa_key(key) {
                self.prototypes_changed();
                self.note_prototype(value)?;
            }
            map.dictionary().set_value(self, entry, value);
            return Ok(());
        }
        if map.is_prototype() {
            self.prototypes_changed();
        }
        let before = map.dictionary();
        let table = dictionary::make_room(self, before)?;
        if table != before {
            map.overflow.set(table.address());
            self.write_barrier(map.header());
            self.abandon(before.untyped());
        }
        table.append(self, key, value, hash);
        Ok(())
    }

    /// Removes an entry; false if there is none with this key.
    pub fn map_remove(&mut self, map: Gc<MapCell>, key: Value) -> Fallible<bool> {
        if map.is_globals() {
            return globals::remove(self, key);
        }
        if self.map_get(map, key)?.is_none() {
            return Ok(false);
        }
        if !map.is_dictionary() {
            self.make_dictionary(map)?;
        }
        if map.is_prototype() {
            self.prototypes_changed();
        }
        let hash = self.hash_key(key)?;
        match dictionary::find(self, map.dictionary(), key, hash)? {
            Some(entry) => {
                map.dictionary().remove(entry, hash);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Removes the oldest entry and returns its key. Unlike [`Vm::map_remove`] this also removes a key that equals nothing.
    pub fn map_take_first(&mut self, map: Gc<MapCell>) -> Fallible<Option<Value>> {
        let Some((key, _)) = self.map_next(map, &mut EntryCursor::default()) else {
            return Ok(None);
        };
        if map.is_globals() {
            self.map_remove(map, key)?;
            return Ok(Some(key));
        }
        if !map.is_dictionary() {
            self.make_dictionary(map)?;
        }
        if map.is_prototype() {
            self.prototypes_changed();
        }
        if let Some((entry, key, _)) = map.dictionary().next_from(0) {
            let hash = self.hash_key(key)?;
            map.dictionary().remove(entry, hash);
        }
        Ok(Some(key))
    }

    /// Turns a shape-mode map into a dictionary with the same entries.
    pub(crate) fn make_dictionary(&mut self, map: Gc<MapCell>) -> Fallible<()> {
        let length = self.map_length(map);
        let table = DictionaryCell::allocate(self, length + length / 2 + 1)?;
        for position in 0..length {
            let key = self.shapes.get(map.shape()).key(position);
            let hash = self.hash_key(Value::string(key))?;
            table.append(
                self,
                Value::string(key),
                map.slot(Slot(position as u32)).get(),
                hash,
            );
        }
        if map.is_prototype() {
            self.prototypes_changed();
        }
        self.shapes.leave(map.shape());
        map.header().set_flag(DICTIONARY);
        map.header().word.set(ShapeId::NONE.0);
        map.overflow.set(table.address());
        for slot in 0..map.inline_slots() {
            map.inline_slot(slot).set(Value::NULL);
        }
        self.write_barrier(map.header());
        Ok(())
    }

    /// The entry after the cursor, in order; advances the cursor.
    pub fn map_next(&self, map: Gc<MapCell>, cursor: &mut EntryCursor) -> Option<(Value, Value)> {
        if map.is_dictionary() {
            let (entry, key, value) = map.dictionary().next_from(cursor.0)?;
            cursor.0 = entry as usize + 1;
            Some((key, value))
        } else if map.is_globals() {
            self.globals.next_from(self, &mut cursor.0)
        } else {
            let shape = self.shapes.get(map.shape());
            if cursor.0 >= shape.length() {
                return None;
            }
            let entry = (
                Value::string(shape.key(cursor.0)),
                map.slot(Slot(cursor.0 as u32)).get(),
            );
            cursor.0 += 1;
            Some(entry)
        }
    }

    /// The entry at `index` in the current order.
    pub fn map_entry_at(&mut self, map: Gc<MapCell>, index: usize) -> Option<(Value, Value)> {
        if map.is_dictionary() {
            map.dictionary().entry_at(self, index)
        } else if map.is_globals() {
            let mut cursor = EntryCursor(0);
            let mut entry = self.map_next(map, &mut cursor)?;
            for _ in 0..index {
                entry = self.map_next(map, &mut cursor)?;
            }
            Some(entry)
        } else {
            self.map_next(map, &mut EntryCursor(index))
        }
    }

    /// Replaces the value of the entry that [`Vm::map_next`] has just returned for this cursor.
    pub fn map_replace_at(
        &mut self,
        map: Gc<MapCell>,
        cursor: EntryCursor,
        key: Value,
        value: Value,
    ) -> Fallible<()> {
        if map.is_dictionary()
            && !self.is_isa_key(key)
            && let Some((entry, ..)) = map.dictionary().next_from(cursor.0 - 1)
        {
            map.dictionary().set_value(self, entry, value);
            Ok(())
        } else {
            self.map_set(map, key, value)
        }
    }
}
