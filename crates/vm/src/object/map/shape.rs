//! Shapes: which keys a map has, in which slots.
//!
//! A shape never changes. Adding a key leads along a *transition* to another shape; maps that gain the same keys
//! in the same order share theirs. Trees of shapes grow from roots: one for each number of inline slots, and one
//! for each prototype, at which `new` starts. The edge of the key `__isa` is labelled with the map stored as well, so
//! all maps of a shape have the same prototype, and comparing the shape proves it. (Chambers, Ungar and Lee 1989; the
//! prototype in the shape is V8's and Self's.)
//!
//! A map that serves as a prototype has a shape of its own (`unique`), which is replaced whenever the map gains a key.

use std::sync::Arc;

use crate::heap::{Gc, Survivors};
use crate::object::map::AddressMap;
use crate::object::map::{MAX_INLINE_SLOTS, MapCell, Slot};
use crate::object::string::StringCell;
use crate::watch::{SlotWatches, Validity};

/// The number of a shape, as it stands in a map's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct ShapeId(pub u32);

impl ShapeId {
    /// No shape: the map is a dictionary or the globals.
    pub const NONE: ShapeId = ShapeId(0);
    /// What inline caches compare for a string.
    pub const STRING: ShapeId = ShapeId(1);
    /// What inline caches compare for a list.
    pub const LIST: ShapeId = ShapeId(2);
    /// What inline caches compare for a number.
    pub const NUMBER: ShapeId = ShapeId(3);
    /// What inline caches compare for a function.
    pub const FUNCTION: ShapeId = ShapeId(4);
    /// What inline caches compare for a map in dictionary mode, which must also lack the key and `__isa`.
    pub const DICTIONARY: ShapeId = ShapeId(5);
    const FIRST_REAL: u32 = 8;

    /// Whether this is a shape that maps have.
    pub fn is_of_maps(self) -> bool {
        self.0 >= Self::FIRST_REAL
    }
}

/// More keys than this make a map a dictionary.
pub const MAX_KEYS: usize = 64;
/// More keys than this make a prototype a dictionary.
pub const MAX_PROTOTYPE_KEYS: usize = 4096;
/// The slots in the first instance of a prototype, `__isa` included.
const FIRST_INSTANCE_SLOTS: usize = 4;
/// More transitions than this out of one shape: its maps are used as dictionaries.
const MAX_TRANSITIONS: usize = 64;
/// When so many shapes have come about by transitions, new ones are no longer made: a program with ever new combinations of
/// keys uses its maps as tables. As many shapes take some 20 MB.
const MAX_SHARED_SHAPES: usize = 1 << 16;
/// Up to this many keys a linear search beats hashing.
const LINEAR_KEYS: usize = 8;

struct Transition {
    key: Gc<StringCell>,
    /// The prototype stored, if the key is `__isa`.
    prototype: Option<Gc<MapCell>>,
    to: ShapeId,
}

/// A shape.
pub struct Shape {
    keys: Vec<Gc<StringCell>>,
    slots: Option<AddressMap<u32>>,
    transitions: Vec<Transition>,
    parent: ShapeId,
    /// The map that every map of this shape has under `__isa`.
    prototype: Option<Gc<MapCell>>,
    /// Set if only one map, a prototype, has this shape.
    unique: bool,
    /// Of a unique shape: where `new` starts.
    instance_root: ShapeId,
    /// Of a unique shape: the slots whose values somebody relies on.
    watches: Option<Box<SlotWatches>>,
    inline_slots: u8,
    /// The inline slots that all maps of the shape have: those of the first ones.
    least_inline_slots: u8,
    /// The root this shape grew from.
    root: ShapeId,
    /// Of a root: the most slots that a map which grew from it has reached.
    reached: u32,
}

impl Shape {
    /// The number of keys.
    pub fn length(&self) -> usize {
        self.keys.len()
    }

    /// The key in this slot.
    pub fn key(&self, slot: usize) -> Gc<StringCell> {
        self.keys[slot]
    }

    /// The slot of an interned key.
    #[inline]
    pub fn find(&self, key: Gc<StringCell>) -> Option<Slot> {
        match &self.slots {
            Some(slots) => slots.get(&key.address()).map(|slot| Slot(*slot)),
            None => self
                .keys
                .iter()
                .position(|other| *other == key)
                .map(|slot| Slot(slot as u32)),
        }
    }

    /// The map that every map of this shape has under `__isa`.
    pub fn prototype(&self) -> Option<Gc<MapCell>> {
        self.prototype
    }

    /// Whether instances have been made of the prototype that alone has this shape.
    pub fn has_instances(&self) -> bool {
        self.unique && self.instance_root != ShapeId::NONE
    }

    /// Whether only one map, a prototype, has this shape.
    pub fn is_unique(&self) -> bool {
        self.unique
    }
}

/// A prototype and the shapes that name it: they go when it goes.
struct Dependents {
    prototype: Gc<MapCell>,
    shapes: Vec<ShapeId>,
}

/// All shapes of an interpreter.
pub struct ShapeTable {
    shapes: Vec<Option<Box<Shape>>>,
    free: Vec<u32>,
    /// Numbers no longer in use that inline caches may still mention.
    /// Numbers that are never recycled.
    pinned: std::collections::HashSet<u32>,
    retired: Vec<u32>,
    /// Unique shapes that have got other numbers, with these, since inline caches were last brought up to date.
    renamed: Vec<(ShapeId, ShapeId)>,
    /// How many shapes in use have come about by transitions.
    shared: usize,
    roots: [ShapeId; MAX_INLINE_SLOTS + 1],
    dependents: Vec<Dependents>,
    dependents_of: AddressMap<usize>,
    /// The keys of all shapes, each once, and some of shapes that are gone: a root for the collector.
    pub(crate) keys: Vec<Gc<StringCell>>,
    known_keys: AddressMap<()>,
    /// The number of keys at which those of shapes that are gone are dropped.
    keys_full_at: usize,
}

impl ShapeTable {
    /// A table without shapes.
    pub fn new() -> ShapeTable {
        ShapeTable {
            shapes: (0..ShapeId::FIRST_REAL).map(|_| None).collect(),
            free: Vec::new(),
            pinned: std::collections::HashSet::new(),
            retired: Vec::new(),
            renamed: Vec::new(),
            shared: 0,
            roots: [ShapeId::NONE; MAX_INLINE_SLOTS + 1],
            dependents: Vec::new(),
            dependents_of: AddressMap::default(),
            keys: Vec::new(),
            known_keys: AddressMap::default(),
            keys_full_at: 1024,
        }
    }

    /// The number of shapes in use.
    pub fn count(&self) -> usize {
        self.shapes.len() - self.free.len() - self.retired.len() - ShapeId::FIRST_REAL as usize
    }

    /// How many numbers have been given out at any time.
    #[cfg(test)]
    pub(super) fn numbers(&self) -> usize {
        self.shapes.len()
    }

    /// The shape with this number, which must be in use.
    #[inline]
    pub fn get(&self, id: ShapeId) -> &Shape {
        self.shapes[id.0 as usize]
            .as_deref()
            .expect("a map's shape is in use as long as the map is")
    }

    /// Whether maps of this shape have any keys.
    #[inline(always)]
    pub fn has_keys(&self, id: ShapeId) -> bool {
        self.shapes
            .get(id.0 as usize)
            .and_then(|shape| shape.as_deref())
            .is_some_and(|shape| shape.length() > 0)
    }

    /// The names of the keys of a shape, if it is in use.
    pub fn key_names(&self, id: ShapeId) -> Option<Box<[Box<str>]>> {
        let shape = self.shapes.get(id.0 as usize)?.as_deref()?;
        let names = shape.keys.iter().map(|key| key.if_flat().unwrap_or(""));
        Some(names.map(Box::from).collect())
    }

    fn get_mut(&mut self, id: ShapeId) -> &mut Shape {
        self.shapes[id.0 as usize]
            .as_deref_mut()
            .expect("a map's shape is in use as long as the map is")
    }

    fn insert(&mut self, shape: Shape) -> ShapeId {
        let id = match self.free.pop() {
            Some(id) => id,
            None => {
                self.shapes.push(None);
                self.shapes.len() as u32 - 1
            }
        };
        self.shapes[id as usize] = Some(Box::new(shape));
        let shape = self.get_mut(ShapeId(id));
        if shape.root == ShapeId::NONE {
            shape.root = ShapeId(id);
        }
        ShapeId(id)
    }

    fn empty(inline_slots: usize) -> Shape {
        Shape {
            keys: Vec::new(),
            slots: None,
            transitions: Vec::new(),
            parent: ShapeId::NONE,
            prototype: None,
            unique: false,
            instance_root: ShapeId::NONE,
            watches: None,
            inline_slots: inline_slots as u8,
            least_inline_slots: inline_slots as u8,
            root: ShapeId::NONE,
            reached: 0,
        }
    }

    /// The shape of an empty map with this many inline slots.
    pub fn root(&mut self, inline_slots: usize) -> ShapeId {
        if self.roots[inline_slots] == ShapeId::NONE {
            self.roots[inline_slots] = self.insert(ShapeTable::empty(inline_slots));
        }
        self.roots[inline_slots]
    }

    fn note_key(&mut self, key: Gc<StringCell>) {
        if self.known_keys.insert(key.address(), ()).is_some() {
            return;
        }
        if self.keys.len() >= self.keys_full_at {
            self.known_keys.clear();
            self.known_keys.insert(key.address(), ());
            self.keys.clear();
            for key in self.shapes.iter().flatten().flat_map(|shape| &shape.keys) {
                if self.known_keys.insert(key.address(), ()).is_none() {
                    self.keys.push(*key);
                }
            }
            self.keys_full_at = 2 * self.keys.len() + 1024;
        }
        self.keys.push(key);
    }

    fn extended(
        &mut self,
        from: ShapeId,
        key: Gc<StringCell>,
        prototype: Option<Gc<MapCell>>,
    ) -> Shape {
        self.note_key(key);
        let old = self.get(from);
        let mut keys = Vec::with_capacity(old.keys.len() + 1);
        keys.extend_from_slice(&old.keys);
        keys.push(key);
        let slots = (keys.len() > LINEAR_KEYS).then(|| {
            keys.iter()
                .enumerate()
                .map(|(slot, key)| (key.address(), slot as u32))
                .collect()
        });
        Shape {
            keys,
            slots,
            transitions: Vec::new(),
            parent: from,
            prototype: prototype.or(old.prototype),
            unique: old.unique,
            instance_root: old.instance_root,
            watches: None,
            inline_slots: old.inline_slots,
            least_inline_slots: old.least_inline_slots,
            root: old.root,
            reached: 0,
        }
    }

    /// The shape that a map of shape `from` has after gaining `key`; none if it should become a dictionary.
    /// If the key is `__isa`, `prototype` is the map stored.
    pub fn transition(
        &mut self,
        from: ShapeId,
        key: Gc<StringCell>,
        prototype: Option<Gc<MapCell>>,
    ) -> Option<ShapeId> {
        let shape = self.get(from);
        debug_assert!(!shape.unique);
        if let Some(known) = shape
            .transitions
            .iter()
            .find(|edge| edge.key == key && edge.prototype == prototype)
        {
            return Some(known.to);
        }
        if shape.keys.len() >= MAX_KEYS
            || shape.transitions.len() >= MAX_TRANSITIONS
            || self.shared >= MAX_SHARED_SHAPES
        {
            return None;
        }
        self.shared += 1;
        let extended = self.extended(from, key, prototype);
        let (root, length) = (extended.root, extended.keys.len() as u32);
        let to = self.insert(extended);
        self.get_mut(from)
            .transitions
            .push(Transition { key, prototype, to });
        let reached = &mut self.get_mut(root).reached;
        *reached = (*reached).max(length);
        if let Some(prototype) = prototype {
            self.depend(prototype, to);
        }
        Some(to)
    }

    /// Replaces the unique shape of a prototype that gains `key`; none if it should become a dictionary.
    pub fn extend_unique(
        &mut self,
        from: ShapeId,
        key: Gc<StringCell>,
        prototype: Option<Gc<MapCell>>,
    ) -> Option<ShapeId> {
        debug_assert!(self.get(from).unique);
        if self.get(from).keys.len() >= MAX_PROTOTYPE_KEYS {
            return None;
        }
        // Growing one key at a time must not copy the keys each time: move them out of the old shape.
        self.note_key(key);
        let mut shape = *self.shapes[from.0 as usize].take()?;
        let slot = shape.keys.len() as u32;
        shape.keys.push(key);
        match &mut shape.slots {
            Some(slots) => {
                slots.insert(key.address(), slot);
            }
            None if shape.keys.len() > LINEAR_KEYS => {
                shape.slots = Some(
                    shape
                        .keys
                        .iter()
                        .enumerate()
                        .map(|(slot, key)| (key.address(), slot as u32))
                        .collect(),
                );
            }
            None => {}
        }
        shape.prototype = prototype.or(shape.prototype);
        let to = self.insert(shape);
        self.retired.push(from.0);
        Some(to)
    }

    /// Gives a map that becomes a prototype a shape of its own.
    pub fn make_unique(&mut self, map: Gc<MapCell>, from: ShapeId) -> ShapeId {
        let old = self.get(from);
        let shape = Shape {
            keys: old.keys.clone(),
            slots: old.slots.clone(),
            transitions: Vec::new(),
            parent: ShapeId::NONE,
            prototype: old.prototype,
            unique: true,
            instance_root: ShapeId::NONE,
            watches: None,
            inline_slots: old.inline_slots,
            least_inline_slots: old.least_inline_slots,
            root: ShapeId::NONE,
            reached: 0,
        };
        let id = self.insert(shape);
        self.dependents_entry(map);
        id
    }

    /// The shape with which an instance of `prototype`, whose unique shape is `shape`, starts: it has `__isa` in slot 0.
    pub fn instance_root(
        &mut self,
        prototype: Gc<MapCell>,
        shape: ShapeId,
        isa: Gc<StringCell>,
    ) -> ShapeId {
        let current = self.get(shape).instance_root;
        if current != ShapeId::NONE {
            // When instances have reached more slots than they have room for, later ones get as many. Each map knows its room, so
            // the shapes stay what they are, and the first instances do not differ from all others for good.
            let known = self.get_mut(current);
            let reached = known.reached.min(MAX_INLINE_SLOTS as u32) as u8;
            known.inline_slots = known.inline_slots.max(reached);
            return current;
        }
        let mut root = ShapeTable::empty(FIRST_INSTANCE_SLOTS);
        root.keys.push(isa);
        root.prototype = Some(prototype);
        root.reached = 1;
        self.note_key(isa);
        let root = self.insert(root);
        self.get_mut(shape).instance_root = root;
        self.depend(prototype, root);
        root
    }

    /// The number of inline slots of maps with this shape.
    pub fn inline_slots(&self, id: ShapeId) -> usize {
        usize::from(self.get(id).inline_slots)
    }

    /// The number of inline slots that all maps with this shape have at least.
    pub fn least_inline_slots(&self, id: ShapeId) -> usize {
        usize::from(self.get(id).least_inline_slots)
    }

    fn dependents_entry(&mut self, prototype: Gc<MapCell>) -> &mut Dependents {
        let at = *self
            .dependents_of
            .entry(prototype.address())
            .or_insert_with(|| {
                self.dependents.push(Dependents {
                    prototype,
                    shapes: Vec::new(),
                });
                self.dependents.len() - 1
            });
        &mut self.dependents[at]
    }

    fn depend(&mut self, prototype: Gc<MapCell>, shape: ShapeId) {
        self.dependents_entry(prototype).shapes.push(shape);
    }

    /// Frees the shapes that name prototypes which have died: no map can have such a shape any more.
    pub(crate) fn forget_dead(&mut self, survivors: &Survivors) {
        let mut at = 0;
        while at < self.dependents.len() {
            if survivors.contains(self.dependents[at].prototype) {
                at += 1;
                continue;
            }
            let dead = self.dependents.swap_remove(at);
            self.dependents_of.remove(&dead.prototype.address());
            if let Some(moved) = self.dependents.get(at) {
                self.dependents_of.insert(moved.prototype.address(), at);
            }
            let mut pending = dead.shapes;
            // The dead cell is not swept yet, so its header still tells its own shape.
            pending.push(dead.prototype.shape());
            for id in std::mem::take(&mut pending) {
                self.unlink(id);
                pending.push(id);
            }
            while let Some(id) = pending.pop() {
                if let Some(shape) = self.shapes[id.0 as usize].take() {
                    pending.extend(shape.transitions.iter().map(|edge| edge.to));
                    if shape.parent != ShapeId::NONE {
                        self.shared -= 1;
                    }
                    self.retired.push(id.0);
                }
            }
        }
    }

    /// Whether so many numbers are retired that inline caches should be cleaned of them.
    pub(crate) fn wants_recycling(&self) -> bool {
        self.retired.len() >= 256
    }

    /// As [`ShapeTable::wants_recycling`], but so many that it should not wait for a collection.
    pub(crate) fn wants_recycling_soon(&self) -> bool {
        self.retired.len() >= 4096
    }

    /// A map of this shape becomes a dictionary: if the shape was that map's own, it goes.
    pub(crate) fn leave(&mut self, id: ShapeId) {
        if let Some(shape) = self.shapes.get_mut(id.0 as usize)
            && shape.as_ref().is_some_and(|shape| shape.unique)
        {
            if let Some(watches) = shape.take().and_then(|shape| shape.watches) {
                watches.revoke_all();
            }
            self.retired.push(id.0);
        }
    }

    /// Watches a slot of a prototype, whose unique shape is `from`; the shape that the prototype must be given for that. None if a
    /// watched slot was stored to before, or the shape is not unique.
    pub(crate) fn watch(
        &mut self,
        from: ShapeId,
        slot: Slot,
        dependent: &Arc<Validity>,
    ) -> Option<ShapeId> {
        let shape = self.get_mut(from);
        if !shape.unique {
            return None;
        }
        let watches = shape.watches.get_or_insert_default();
        if watches.is_varying(slot) {
            return None;
        }
        let was_watched = watches.is_watched(slot);
        watches.add(slot, dependent);
        if was_watched {
            return Some(from);
        }
        // Inline caches may know how to store to the slot: they must not know this shape.
        let shape = *self.shapes[from.0 as usize].take()?;
        let to = self.insert(shape);
        self.retired.push(from.0);
        self.renamed.push((from, to));
        Some(to)
    }

    /// The shapes that have got other numbers for being watched since this was asked last, the eldest change first.
    pub(crate) fn take_renamed(&mut self) -> Vec<(ShapeId, ShapeId)> {
        std::mem::take(&mut self.renamed)
    }

    /// Whether somebody relies on the value of this slot, so that stores to it must not be cached.
    pub(crate) fn is_watched(&self, id: ShapeId, slot: Slot) -> bool {
        let watches = self.get(id).watches.as_ref();
        watches.is_some_and(|watches| watches.is_watched(slot))
    }

    /// Another value is about to be stored in this slot.
    pub(crate) fn note_store(&mut self, id: ShapeId, slot: Slot) {
        if let Some(watches) = &mut self.get_mut(id).watches {
            watches.note_store(slot);
        }
    }

    /// Makes retired numbers available again. No inline cache may mention them any more.
    pub(crate) fn recycle(&mut self) {
        let pinned = &self.pinned;
        let free = self.retired.extract_if(.., |id| !pinned.contains(id));
        self.free.extend(free);
    }

    /// Never gives the number to another shape: machine code mentions it.
    pub fn pin(&mut self, id: ShapeId) {
        self.pinned.insert(id.0);
    }

    fn unlink(&mut self, id: ShapeId) {
        let Some(parent) = self.shapes[id.0 as usize]
            .as_ref()
            .map(|shape| shape.parent)
        else {
            return;
        };
        if let Some(parent) = self.shapes[parent.0 as usize].as_deref_mut() {
            parent.transitions.retain(|edge| edge.to != id);
        }
    }

    /// Whether the shape is in use.
    pub fn is_live(&self, id: ShapeId) -> bool {
        id.0 < ShapeId::FIRST_REAL || self.shapes.get(id.0 as usize).is_some_and(Option::is_some)
    }

    /// Whether a prototype's own shape no longer has the right `__isa`: gives it another.
    pub fn replace_prototype(&mut self, from: ShapeId, prototype: Gc<MapCell>) -> Option<ShapeId> {
        let mut shape = *self.shapes[from.0 as usize].take()?;
        shape.prototype = Some(prototype);
        let to = self.insert(shape);
        self.retired.push(from.0);
        Some(to)
    }
}

impl Default for ShapeTable {
    fn default() -> Self {
        ShapeTable::new()
    }
}
