//! Global variables: cells that never move, and the map `globals` as a live view of them.

use std::cell::Cell;
use std::collections::HashMap;

use crate::error::Fallible;
use crate::heap::{Gc, Marker};
use crate::object::map::{EntryCursor, MapCell};
use crate::object::string::StringCell;
use crate::value::Value;
use crate::vm::Vm;

/// A global variable.
#[repr(C)]
pub struct GlobalCell {
    /// The value, or unassigned.
    pub value: Cell<Value>,
    /// What a read finds while there is no value: the intrinsic of that name, or unassigned.
    pub fallback: Cell<Value>,
}

const CHUNK: usize = 64;

/// The global variables of an interpreter.
pub struct Globals {
    chunks: Vec<Box<[GlobalCell]>>,
    names: Vec<Gc<StringCell>>,
    index_of: HashMap<usize, u32>,
    /// The assigned variables in the order of their assignment; a removed one leaves a gap.
    order: Vec<Option<u32>>,
    assigned: usize,
    /// Entries of the map `globals` whose keys are no strings. They come last.
    others: Option<Gc<MapCell>>,
}

impl Globals {
    /// No variables.
    pub fn new() -> Globals {
        Globals {
            chunks: Vec::new(),
            names: Vec::new(),
            index_of: HashMap::new(),
            order: Vec::new(),
            assigned: 0,
            others: None,
        }
    }

    /// The number of the variable with this interned name; a new one is unassigned.
    pub fn index(&mut self, name: Gc<StringCell>) -> u32 {
        if let Some(index) = self.index_of.get(&name.address()) {
            return *index;
        }
        let index = self.names.len();
        if index.is_multiple_of(CHUNK) {
            let cells = (0..CHUNK).map(|_| GlobalCell {
                value: Cell::new(Value::UNASSIGNED),
                fallback: Cell::new(Value::UNASSIGNED),
            });
            self.chunks.push(cells.collect());
        }
        self.names.push(name);
        self.index_of.insert(name.address(), index as u32);
        index as u32
    }

    /// The variable with this number. Its address never changes.
    #[inline]
    pub fn cell(&self, index: u32) -> &GlobalCell {
        &self.chunks[index as usize / CHUNK][index as usize % CHUNK]
    }

    /// The name of the variable with this number.
    pub fn name(&self, index: u32) -> Gc<StringCell> {
        self.names[index as usize]
    }

    /// The number of the variable whose cell this is.
    pub fn index_of_cell(&self, cell: *const GlobalCell) -> Option<u32> {
        self.chunks.iter().enumerate().find_map(|(chunk, cells)| {
            let range = cells.as_ptr_range();
            // Both pointers lie in the same chunk, whose elements are `GlobalCell`s.
            range.contains(&cell).then(|| {
                (chunk * CHUNK + (cell as usize - range.start as usize) / size_of::<GlobalCell>())
                    as u32
            })
        })
    }

    /// Assigns the variable with this number.
    pub fn assign(&mut self, index: u32, value: Value) {
        let was = self.cell(index).value.replace(value);
        if was.is_unassigned() {
            self.order.push(Some(index));
            self.assigned += 1;
        }
    }

    /// The number of entries of the map `globals`.
    pub fn length(&self) -> usize {
        self.assigned + self.others.map_or(0, |others| others.dictionary().length())
    }

    /// The value of the variable with this interned name.
    pub fn get_interned(&self, name: Gc<StringCell>) -> Option<Value> {
        let index = *self.index_of.get(&name.address())?;
        let value = self.cell(index).value.get();
        (!value.is_unassigned()).then_some(value)
    }

    pub(super) fn next_from(&self, vm: &Vm, position: &mut usize) -> Option<(Value, Value)> {
        while let Some(entry) = self.order.get(*position) {
            *position += 1;
            if let Some(index) = entry {
                return Some((
                    Value::string(self.name(*index)),
                    self.cell(*index).value.get(),
                ));
            }
        }
        let mut cursor = EntryCursor(*position - self.order.len());
        let entry = vm.map_next(self.others?, &mut cursor);
        *position = cursor.0 + self.order.len();
        entry
    }

    fn unassign(&mut self, index: u32) {
        self.cell(index).value.set(Value::UNASSIGNED);
        self.assigned -= 1;
        if let Some(at) = self.order.iter().position(|entry| *entry == Some(index)) {
            self.order[at] = None;
        }
        if self.order.len() > 2 * self.assigned + 16 {
            self.order.retain(Option::is_some);
        }
    }

    /// Marks names and values.
    pub(crate) fn trace(&self, marker: &mut Marker) {
        for (index, name) in self.names.iter().enumerate() {
            marker.cell(*name);
            let cell = self.cell(index as u32);
            marker.value(cell.value.get());
            marker.value(cell.fallback.get());
        }
        if let Some(others) = self.others {
            marker.cell(others);
        }
    }
}

impl Default for Globals {
    fn default() -> Self {
        Globals::new()
    }
}

/// `globals[key]`, own entries only.
pub(super) fn get(vm: &mut Vm, key: Value) -> Fallible<Option<Value>> {
    if key.as_string().is_some() {
        return Ok(vm
            .interned_key(key)?
            .and_then(|name| vm.globals.get_interned(name)));
    }
    match vm.globals.others {
        Some(others) => vm.map_get(others, key),
        None => Ok(None),
    }
}

/// `globals[key] = value`.
pub(super) fn set(vm: &mut Vm, key: Value, value: Value) -> Fallible<()> {
    if let Some(name) = key.as_string() {
        let name = vm.intern_cell(name)?;
        let index = vm.global_index(name);
        vm.globals.assign(index, value);
        return Ok(());
    }
    let others = match vm.globals.others {
        Some(others) => others,
        None => {
            let others = vm.new_dictionary_map(4)?;
            vm.globals.others = Some(others);
            others
        }
    };
    vm.map_set(others, key, value)
}

/// `globals.remove key`.
pub(super) fn remove(vm: &mut Vm, key: Value) -> Fallible<bool> {
    if key.as_string().is_some() {
        let Some(name) = vm.interned_key(key)? else {
            return Ok(false);
        };
        if vm.globals.get_interned(name).is_none() {
            return Ok(false);
        }
        let index = vm.global_index(name);
        vm.globals.unassign(index);
        return Ok(true);
    }
    match vm.globals.others {
        Some(others) => vm.map_remove(others, key),
        None => Ok(false),
    }
}
