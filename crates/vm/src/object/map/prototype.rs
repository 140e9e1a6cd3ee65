//! `__isa`: prototypes, and looking a member up along them.

use std::sync::Arc;

use crate::error::{Fallible, RuntimeError};
use crate::heap::Gc;
use crate::object::allocator::Allocator;
use crate::object::map::shape::ShapeId;
use crate::object::map::{MapCell, PROTOTYPE, Slot};
use crate::object::string::StringCell;
use crate::object::values::ValuesCell;
use crate::value::Value;
use crate::vm::Vm;
use crate::watch::Validity;

/// The most steps along `__isa`.
const MAX_ISA_DEPTH: usize = 257;

/// A member found by looking along `__isa`.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// What is stored there.
    pub value: Value,
    /// The map whose own entry it is.
    pub holder: Gc<MapCell>,
    /// The key.
    pub key: Gc<StringCell>,
}

impl Vm {
    pub(super) fn is_isa_key(&self, key: Value) -> bool {
        key.as_string()
            .is_some_and(|key| key.if_flat() == Some("__isa"))
    }

    /// Something that inherited members are looked up by has changed.
    pub(crate) fn prototypes_changed(&mut self) {
        self.prototype_dependents.revoke();
        self.prototype_epoch = self.prototype_epoch.wrapping_add(1);
        if self.prototype_epoch == 0 {
            self.forget_inherited_members();
            self.prototype_epoch = 1;
        }
        // A loop that changes prototypes need not allocate anything that would start a collection.
        if self.shapes.wants_recycling_soon() {
            self.forget_inherited_members();
            self.shapes.recycle();
        }
    }

    /// Prepares a value that is about to be stored under `__isa`.
    pub(super) fn note_prototype(&mut self, value: Value) -> Fallible<()> {
        if let Some(prototype) = value.as_map() {
            self.make_prototype(prototype);
        }
        Ok(())
    }

    /// Marks a map as a prototype: from now on its changes are noticed.
    pub(crate) fn make_prototype(&mut self, map: Gc<MapCell>) {
        if map.is_prototype() {
            return;
        }
        if !map.is_dictionary() && !map.is_globals() {
            let unique = self.shapes.make_unique(map, map.shape());
            map.header().word.set(unique.0);
        }
        map.header().set_flag(PROTOTYPE);
    }

    /// Makes `dependent` rely on the value of a prototype's slot; false if that is no constant.
    pub(crate) fn watch_slot(
        &mut self,
        map: Gc<MapCell>,
        slot: Slot,
        dependent: &Arc<Validity>,
    ) -> bool {
        let shape = map.shape();
        if shape == ShapeId::NONE || slot.0 as usize >= self.shapes.get(shape).length() {
            return false;
        }
        // What is stored under `__isa` is part of the shape and changes with the epoch.
        if self.shapes.get(shape).key(slot.0 as usize) == self.names.isa {
            return false;
        }
        match self.shapes.watch(shape, slot, dependent) {
            Some(watched) => {
                map.header().word.set(watched.0);
                true
            }
            None => false,
        }
    }

    /// `new prototype`.
    pub fn new_instance(&mut self, prototype: Gc<MapCell>) -> Fallible<Gc<MapCell>> {
        self.make_prototype(prototype);
        let shape = prototype.shape();
        if shape == ShapeId::NONE {
            let map = self.new_dictionary_map(4)?;
            self.map_set_interned(map, self.names.isa, Value::map(prototype))?;
            return Ok(map);
        }
        let root = self.shapes.instance_root(prototype, shape, self.names.isa);
        let map = MapCell::allocate(self, root, self.shapes.inline_slots(root), 0)?;
        map.inline_slot(0).set(Value::map(prototype));
        Ok(map)
    }

    /// Stores an entry of a shape-mode map.
    pub(super) fn shape_set(
        &mut self,
        map: Gc<MapCell>,
        key: Gc<StringCell>,
        value: Value,
    ) -> Fallible<()> {
        let is_isa = key == self.names.isa;
        if let Some(slot) = self.shapes.get(map.shape()).find(key) {
            if is_isa && map.slot(slot).get() != value {
                return self.change_isa(map, slot, value);
            }
            if map.slot(slot).get() != value {
                self.shapes.note_store(map.shape(), slot);
            }
            map.set_slot(self, slot, value);
            return Ok(());
        }
        let mut prototype = None;
        if is_isa {
            let Some(stored) = value.as_map() else {
                self.make_dictionary(map)?;
                return self.map_set_interned(map, key, value);
            };
            self.make_prototype(stored);
            prototype = Some(stored);
        }
        let from = map.shape();
        let slot = Slot(self.shapes.get(from).length() as u32);
        // First of all: if there is no memory, the map must still have the shape that its slots fit.
        self.make_room(map, slot)?;
        let to = if map.is_prototype() {
            self.prototypes_changed();
            self.shapes.extend_unique(from, key, prototype)
        } else {
            self.shapes.transition(from, key, prototype)
        };
        let Some(to) = to else {
            self.make_dictionary(map)?;
            return self.map_set_interned(map, key, value);
        };
        map.add_slot(self, to, slot, value);
        Ok(())
    }

    /// Gives a map, which is no prototype, a further slot and the shape that its own has a transition to.
    pub(crate) fn extend_map(
        &mut self,
        map: Gc<MapCell>,
        to: ShapeId,
        slot: Slot,
        value: Value,
    ) -> Fallible<()> {
        self.make_room(map, slot)?;
        map.add_slot(self, to, slot, value);
        Ok(())
    }

    /// Gives a shape-mode map memory for `slot`.
    fn make_room(&mut self, map: Gc<MapCell>, slot: Slot) -> Fallible<()> {
        if map.has_room_for(slot) {
            return Ok(());
        }
        let needed = slot.0 as usize - map.inline_slots() + 1;
        let values = ValuesCell::allocate(self, (needed * 2).max(4))?;
        if map.overflow.get() != 0 {
            let old = map.overflow_values();
            for index in 0..old.capacity() {
                values.slot(index).set(old.slot(index).get());
            }
        }
        map.overflow.set(values.address());
        self.write_barrier(map.header());
        Ok(())
    }

    /// Another value for an existing `__isa`.
    fn change_isa(&mut self, map: Gc<MapCell>, slot: Slot, value: Value) -> Fallible<()> {
        match value.as_map() {
            Some(prototype) if map.is_prototype() => {
                self.make_prototype(prototype);
                self.prototypes_changed();
                if let Some(to) = self.shapes.replace_prototype(map.shape(), prototype) {
                    map.header().word.set(to.0);
                }
                map.set_slot(self, slot, value);
                Ok(())
            }
            _ => {
                self.note_prototype(value)?;
                self.make_dictionary(map)?;
                self.map_set_interned(map, self.names.isa, value)
            }
        }
    }

    /// The value under the map's own `__isa`.
    pub fn isa_of(&mut self, map: Gc<MapCell>) -> Option<Value> {
        if map.shape() != ShapeId::NONE {
            return self.shapes.get(map.shape()).prototype().map(Value::map);
        }
        self.map_get_interned(map, self.names.isa)
    }

    /// Where the search for a member goes on from `map`; none if at a value that is no map.
    pub(crate) fn next_on_path(&mut self, map: Gc<MapCell>) -> Option<Gc<MapCell>> {
        match self.isa_of(map) {
            Some(next) => next.as_map(),
            None => Some(self.types.map),
        }
    }

    /// The type map whose members all values of this value's kind have.
    pub fn type_map_of(&mut self, value: Value) -> Option<Gc<MapCell>> {
        if value.as_map().is_some() {
            Some(self.types.map)
        } else if value.as_list().is_some() {
            Some(self.types.list)
        } else if value.as_string().is_some() {
            Some(self.types.string)
        } else if value.is_number() {
            Some(self.types.number)
        } else if value.is_function() {
            Some(self.types.function)
        } else {
            None
        }
    }

    /// Looks `key`, an interned string, up in `object` as `.name` does. `Ok(None)` if an `__isa` of null ends the search: the
    /// result is null then.
    pub fn find_member(&mut self, object: Value, key: Gc<StringCell>) -> Fallible<Option<Member>> {
        let mut at = object;
        let mut in_type_map = false;
        for _ in 0..=MAX_ISA_DEPTH {
            let map = match at.as_map() {
                Some(map) => map,
                None if at.is_null() && at != object => return Ok(None),
                None => match self.type_map_of(at) {
                    Some(map) => {
                        in_type_map = true;
                        map
                    }
                    None => return self.object_member(at, key),
                },
            };
            if let Some(value) = self.map_get_interned(map, key) {
                return Ok(Some(Member {
                    value,
                    holder: map,
                    key,
                }));
            }
            at = match self.isa_of(map) {
                Some(next) => next,
                None if in_type_map || map == self.types.map => {
                    return Err(RuntimeError::KeyNotFound(self.text_of(key)).into());
                }
                None => {
                    in_type_map = true;
                    Value::map(self.types.map)
                }
            };
        }
        Err(RuntimeError::IsaDepthExceeded.into())
    }

    /// Looks any other key up along `__isa`, as `[…]` does: not in the type map.
    pub fn find_indexed(&mut self, map: Gc<MapCell>, key: Value) -> Fallible<Option<Value>> {
        let mut at = map;
        for _ in 0..=MAX_ISA_DEPTH {
            if let Some(value) = self.map_get(at, key)? {
                return Ok(Some(value));
            }
            at = match self.isa_of(at) {
                None => return Ok(None),
                Some(next) => match next.as_map() {
                    Some(next) => next,
                    None => return Ok(None),
                },
            };
        }
        Err(RuntimeError::IsaDepthExceeded.into())
    }
}
