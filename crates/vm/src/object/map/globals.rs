//! Global variables: cells, and the map `globals` as a live view of them.
//!
//! While the top level of a program runs, the variables it assigns are *bound*: their cells lie in registers of its window, so that it
//! uses them like locals.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use crate::error::Fallible;
use crate::feedback::CodeInstance;
use crate::heap::{Gc, Marker};
use crate::object::map::AddressMap;
use crate::object::map::{EntryCursor, MapCell};
use crate::object::string::StringCell;
use crate::value::Value;
use crate::vm::Vm;
use crate::watch::{Dependents, Validity};

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
    /// Where cells are when they are not bound to registers.
    chunks: Vec<Box<[GlobalCell]>>,
    /// Where each cell is now.
    cells: Vec<*const GlobalCell>,
    names: Vec<Gc<StringCell>>,
    index_of: AddressMap<u32>,
    /// The variables bound to registers and where they were before, in the order in which they were bound.
    bound: Vec<(u32, *const GlobalCell)>,
    listing: RefCell<Listing>,
    /// How often each variable is stored to, as far as known: not at all, once, or more often.
    stores: Vec<u8>,
    /// Optimized code that relies on variables not being stored to again.
    dependents: HashMap<u32, Dependents>,
    /// Optimized code that relies on variables having values.
    keepers: HashMap<u32, Dependents>,
    /// Entries of the map `globals` whose keys are no strings. They come last.
    others: Option<Gc<MapCell>>,
}

/// The assigned variables.
#[derive(Default)]
struct Listing {
    /// In the order of their assignment; a removed one leaves a gap.
    order: Vec<Option<u32>>,
    assigned: usize,
    /// Variables removed while bound to registers: code may assign them again without entering them here.
    removed: Vec<u32>,
}

impl Listing {
    fn enter(&mut self, index: u32) {
        self.removed.retain(|removed| *removed != index);
        self.order.push(Some(index));
        self.assigned += 1;
    }
}

impl Globals {
    /// No variables.
    pub fn new() -> Globals {
        Globals {
            chunks: Vec::new(),
            cells: Vec::new(),
            names: Vec::new(),
            index_of: AddressMap::default(),
            bound: Vec::new(),
            listing: RefCell::default(),
            stores: Vec::new(),
            dependents: HashMap::new(),
            keepers: HashMap::new(),
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
        let home = &self.chunks[index / CHUNK][index % CHUNK];
        self.cells.push(home);
        self.names.push(name);
        self.stores.push(0);
        self.index_of.insert(name.address(), index as u32);
        index as u32
    }

    /// The variable with this number.
    #[inline]
    pub fn cell(&self, index: u32) -> &GlobalCell {
        // SAFETY: cells are in chunks, which live as long as `self` and never move, or in registers from `bind` to `unbind`.
        unsafe { &*self.cells[index as usize] }
    }

    /// Where the variable with this number is now.
    pub fn cell_address(&self, index: u32) -> *const GlobalCell {
        self.cells[index as usize]
    }

    /// Moves a variable to `to`.
    ///
    /// # Safety
    /// `to` must be writable, and used for nothing else until the variable is unbound.
    unsafe fn bind(&mut self, index: u32, to: *const GlobalCell) {
        let from = std::mem::replace(&mut self.cells[index as usize], to);
        // SAFETY: `from` is where the variable was; the caller vouches for `to`.
        unsafe { std::ptr::copy(from, to.cast_mut(), 1) };
        self.bound.push((index, from));
    }

    /// Moves all variables but those that were bound first back to where they were before.
    fn unbind_beyond(&mut self, watermark: usize) {
        self.reconcile();
        while self.bound.len() > watermark
            && let Some((index, home)) = self.bound.pop()
        {
            let from = std::mem::replace(&mut self.cells[index as usize], home);
            // SAFETY: the variable was at `home` when it was bound, which has not been used since; until now it was at `from`.
            unsafe { std::ptr::copy(from, home.cast_mut(), 1) };
        }
    }

    /// Enters variables that were removed and have been assigned in their registers again.
    fn reconcile(&self) {
        let mut listing = self.listing.borrow_mut();
        if listing.removed.is_empty() {
            return;
        }
        for index in listing.removed.clone() {
            if !self.cell(index).value.get().is_unassigned() {
                listing.enter(index);
            }
        }
    }

    /// How many variables are bound.
    pub(crate) fn bound_count(&self) -> usize {
        self.bound.len()
    }

    /// The name of the variable with this number.
    pub fn name(&self, index: u32) -> Gc<StringCell> {
        self.names[index as usize]
    }

    /// Notes that the variable with this number is stored to, or may be.
    pub(crate) fn note_stores(&mut self, index: u32, count: u8) {
        if count > 0 {
            let stores = &mut self.stores[index as usize];
            *stores = stores.saturating_add(count);
            if let Some(dependents) = self.dependents.get(&index) {
                dependents.revoke();
            }
        }
    }

    /// A top level begins to run, in whose registers variables are going to be bound. Those that have values already are about to
    /// get others.
    fn begin_run(&mut self, code: &CodeInstance) {
        for register in &code.block.global_registers {
            let index = code.global_numbers[register.global as usize];
            if !self.cell(index).value.get().is_unassigned() {
                self.note_stores(index, u8::MAX);
            }
        }
    }

    /// What a read of the variable with this number yields, if no further store is known. `dependent` relies on it from now on.
    pub(crate) fn constant(&mut self, index: u32, dependent: &Arc<Validity>) -> Option<Value> {
        let cell = self.cell(index);
        let (value, fallback) = (cell.value.get(), cell.fallback.get());
        let constant = match self.stores[index as usize] {
            0 if value.is_unassigned() && !fallback.is_unassigned() => fallback,
            1 if !value.is_unassigned() => value,
            _ => return None,
        };
        self.dependents.entry(index).or_default().add(dependent);
        Some(constant)
    }

    /// Whether the variable with this number has a value. If so, `dependent` relies on that from now on.
    pub(crate) fn is_assigned(&mut self, index: u32, dependent: &Arc<Validity>) -> bool {
        let is_assigned = !self.cell(index).value.get().is_unassigned();
        if is_assigned {
            self.keepers.entry(index).or_default().add(dependent);
        }
        is_assigned
    }

    /// Assigns the variable with this number.
    pub fn assign(&mut self, index: u32, value: Value) {
        self.note_stores(index, 1);
        self.assign_as_counted(index, value);
    }

    /// As [`Globals::assign`], by an instruction: its stores have been noted when its code was instantiated.
    pub(crate) fn assign_as_counted(&mut self, index: u32, value: Value) {
        let was = self.cell(index).value.replace(value);
        if was.is_unassigned() {
            self.listing.get_mut().enter(index);
        }
    }

    /// The number of entries of the map `globals`.
    pub fn length(&self) -> usize {
        self.reconcile();
        let assigned = self.listing.borrow().assigned;
        assigned + self.others.map_or(0, |others| others.dictionary().length())
    }

    /// The value of the variable with this interned name.
    pub fn get_interned(&self, name: Gc<StringCell>) -> Option<Value> {
        let index = *self.index_of.get(&name.address())?;
        let value = self.cell(index).value.get();
        (!value.is_unassigned()).then_some(value)
    }

    pub(super) fn next_from(&self, vm: &Vm, position: &mut usize) -> Option<(Value, Value)> {
        self.reconcile();
        let listing = self.listing.borrow();
        while let Some(entry) = listing.order.get(*position) {
            *position += 1;
            if let Some(index) = entry {
                return Some((
                    Value::string(self.name(*index)),
                    self.cell(*index).value.get(),
                ));
            }
        }
        let mut cursor = EntryCursor(*position - listing.order.len());
        let entry = vm.map_next(self.others?, &mut cursor);
        *position = cursor.0 + listing.order.len();
        entry
    }

    /// Takes the value of the variable with this number, which must have one.
    pub fn unassign(&mut self, index: u32) {
        self.note_stores(index, u8::MAX);
        if let Some(keepers) = self.keepers.get(&index) {
            keepers.revoke();
        }
        self.reconcile();
        self.cell(index).value.set(Value::UNASSIGNED);
        let home: *const GlobalCell = &self.chunks[index as usize / CHUNK][index as usize % CHUNK];
        let listing = self.listing.get_mut();
        if self.cells[index as usize] != home {
            listing.removed.push(index);
        }
        listing.assigned = listing.assigned.saturating_sub(1);
        if let Some(at) = listing.order.iter().position(|entry| *entry == Some(index)) {
            listing.order[at] = None;
        }
        if listing.order.len() > 2 * listing.assigned + 16 {
            listing.order.retain(Option::is_some);
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

impl Vm {
    /// Runs `work` with the global variables of a top level bound to the registers of its window, which begins at `window`.
    ///
    /// # Safety
    /// `code` must be verified, and its window inside the value stack and free for it.
    pub(crate) unsafe fn with_bound_globals<R>(
        &mut self,
        code: &CodeInstance,
        window: *mut Value,
        work: impl FnOnce(&mut Vm) -> R,
    ) -> R {
        if code.block.global_registers.is_empty() {
            return work(self);
        }
        // The list is not kept here: nothing on the script stack may own anything.
        self.globals.begin_run(code);
        let watermark = self.globals.bound.len();
        for register in &code.block.global_registers {
            let index = code.global_numbers[register.global as usize];
            // SAFETY: the verifier has checked that the two registers are in the window and of no other use.
            unsafe {
                let cell = window.add(usize::from(register.register.0));
                self.globals.bind(index, cell.cast::<GlobalCell>());
            }
        }
        self.relink_globals();
        let result = work(self);
        self.unbind_globals_beyond(watermark);
        result
    }

    /// Moves all variables but those that were bound first back to where they were before.
    pub(crate) fn unbind_globals_beyond(&mut self, watermark: usize) {
        if self.globals.bound.len() > watermark {
            self.globals.unbind_beyond(watermark);
            self.relink_globals();
        }
    }

    /// Tells all code where the global variables are now.
    fn relink_globals(&self) {
        for instance in &self.instances {
            for (address, index) in instance.globals.iter().zip(&instance.global_numbers) {
                address.set(self.globals.cell_address(*index));
            }
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
