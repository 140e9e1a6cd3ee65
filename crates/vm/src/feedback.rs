//! What an interpreter keeps for a code block: a copy of the instructions, linked globals, constants as values,
//! and the feedback that instructions leave behind.

use std::cell::{Cell, OnceCell};
use std::mem::offset_of;
use std::sync::Arc;

use kiln_bytecode::{CodeBlock, FeedbackKind, Instruction};

use crate::heap::{Gc, Marker};
use crate::object::map::globals::GlobalCell;
use crate::object::map::shape::{ShapeId, ShapeTable};
use crate::object::map::{MapCell, Slot};
use crate::object::string::StringCell;
use crate::tier::{self, Entry};
use crate::value::Value;

/// How an inline cache entry reaches the member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Access {
    /// The entry is not in use.
    Empty = 0,
    /// In a slot of the object itself.
    Own,
    /// In a slot of `holder`, a prototype or type map; valid as long as the epoch is the current one.
    Inherited,
    /// The object lacks the key; adding it leads to the shape in `epoch`.
    Add,
}

/// One entry of an inline cache: for objects of this shape the member is there.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct CacheEntry {
    /// The object's shape.
    pub shape: ShapeId,
    /// How the member is reached.
    pub access: Access,
    /// The slot, in the object or in the holder.
    pub slot: Slot,
    /// The prototype epoch in which an inherited entry was made, or the shape to change to.
    pub epoch: u32,
    /// The map that has the inherited member.
    pub holder: Option<Gc<MapCell>>,
}

impl CacheEntry {
    /// An entry that matches nothing.
    pub const EMPTY: CacheEntry = CacheEntry {
        shape: ShapeId::NONE,
        access: Access::Empty,
        slot: Slot(0),
        epoch: 0,
        holder: None,
    };
}

/// The entries after the first of a polymorphic cache.
pub const POLYMORPHIC_ENTRIES: usize = 7;

/// After so many objects of one shape in a row, an access that has seen many shapes starts afresh.
const STREAK: u8 = 100;

/// What an instruction has seen.
#[repr(C)]
pub struct FeedbackCell {
    /// The member's or variable's name, interned; null at call sites.
    pub key: Value,
    /// The entry used last but for polymorphic sites, where it is the first one made.
    pub first: Cell<CacheEntry>,
    /// The other entries, once there are any.
    pub others: OnceCell<Box<[Cell<CacheEntry>; POLYMORPHIC_ENTRIES]>>,
    /// Objects of more shapes than entries came by: the cache is no longer filled, that of the interpreter is asked.
    pub megamorphic: Cell<bool>,
    /// Of such a cell: the shape that came by last, beside those of the entries.
    pub last_shape: Cell<ShapeId>,
    /// How often in a row that was the same.
    pub streak: Cell<u8>,
    /// The code called: of the last call, if `targets` is 1.
    pub target: Cell<usize>,
    /// How many different functions have been called, up to 255.
    pub targets: Cell<u8>,
}

impl FeedbackCell {
    /// The interned key, at sites that have one.
    #[inline(always)]
    pub fn key_string(&self) -> Gc<StringCell> {
        debug_assert!(self.key.as_string().is_some());
        // SAFETY: instances give every cell that a keyed instruction uses an interned string as its key; the verifier
        // checks that such instructions only use cells with keys.
        unsafe { self.key.as_string().unwrap_unchecked() }
    }

    /// Records the code of a function called here.
    #[inline(always)]
    pub fn record_target(&self, code: usize) {
        if self.target.get() != code {
            self.target.set(code);
            self.targets.set(self.targets.get().saturating_add(1));
        }
    }

    /// The entry for objects of this shape beyond the first.
    #[inline]
    pub fn other_entry(&self, shape: ShapeId) -> Option<CacheEntry> {
        self.others
            .get()?
            .iter()
            .map(Cell::get)
            .find(|entry| entry.shape == shape && entry.access != Access::Empty)
    }

    /// Enters what a slow path has found.
    pub fn record(&self, entry: CacheEntry) {
        if self.first.get().access == Access::Empty || self.first.get().shape == entry.shape {
            self.first.set(entry);
            return;
        }
        let others = self.others.get_or_init(|| {
            Box::new([const { Cell::new(CacheEntry::EMPTY) }; POLYMORPHIC_ENTRIES])
        });
        for other in others.iter() {
            if other.get().access == Access::Empty || other.get().shape == entry.shape {
                other.set(entry);
                return;
            }
        }
        self.megamorphic.set(true);
        // Keep following the program: the first entry is the most recent one.
        self.first.set(entry);
    }

    /// Enters what a slow path has found for an access that sees many shapes: entries for this shape follow the prototype epoch,
    /// and if there has been no other shape for long, the cache starts afresh with this one.
    pub fn record_megamorphic(&self, entry: CacheEntry) {
        let others = self
            .others
            .get()
            .into_iter()
            .flat_map(|others| others.iter());
        for known in std::iter::once(&self.first).chain(others) {
            if known.get().shape == entry.shape {
                known.set(entry);
                return;
            }
        }
        if self.last_shape.replace(entry.shape) != entry.shape {
            self.streak.set(0);
            return;
        }
        self.streak.set(self.streak.get() + 1);
        if self.streak.get() < STREAK {
            return;
        }
        self.streak.set(0);
        self.megamorphic.set(false);
        self.first.set(entry);
        for other in self
            .others
            .get()
            .into_iter()
            .flat_map(|others| others.iter())
        {
            other.set(CacheEntry::EMPTY);
        }
    }

    /// Gives entries for objects of a shape that has another number now that number.
    pub fn rename_shapes(&self, latest: impl Fn(ShapeId) -> Option<ShapeId>) {
        let others = self
            .others
            .get()
            .into_iter()
            .flat_map(|others| others.iter());
        for known in std::iter::once(&self.first).chain(others) {
            let mut entry = known.get();
            if entry.access != Access::Add
                && let Some(shape) = latest(entry.shape)
            {
                entry.shape = shape;
                known.set(entry);
            }
        }
    }

    /// Forgets entries that mention shapes which are gone, and inherited ones if asked to.
    pub fn forget(&self, shapes: &ShapeTable, inherited: bool) {
        let stale = |entry: CacheEntry| {
            !shapes.is_live(entry.shape)
                || (entry.access == Access::Add && !shapes.is_live(ShapeId(entry.epoch)))
                || (inherited && entry.access == Access::Inherited)
        };
        if stale(self.first.get()) {
            self.first.set(CacheEntry::EMPTY);
        }
        for other in self.others.get().iter().flat_map(|others| others.iter()) {
            if stale(other.get()) {
                other.set(CacheEntry::EMPTY);
            }
        }
    }
}

/// Counts events exactly and says when a number of them has passed, at the cost of one decrement each.
#[derive(Debug)]
#[repr(C)]
pub struct Countdown {
    remaining: Cell<u32>,
    armed: Cell<u32>,
    /// The events before the countdown was armed last.
    before: Cell<u64>,
}

impl Countdown {
    /// Where compiled code finds the number of events until the countdown ends.
    pub const REMAINING_OFFSET: usize = offset_of!(Countdown, remaining);

    /// A countdown from `events`.
    pub fn new(events: u32) -> Countdown {
        Countdown {
            remaining: Cell::new(events.max(1)),
            armed: Cell::new(events.max(1)),
            before: Cell::new(0),
        }
    }

    /// Counts an event. True if it is the one counted down to: then the countdown must be armed again.
    #[inline(always)]
    #[must_use]
    pub fn count(&self) -> bool {
        let remaining = self.remaining.get().wrapping_sub(1);
        self.remaining.set(remaining);
        remaining == 0
    }

    /// Whether the countdown has ended and must be armed again.
    pub fn has_ended(&self) -> bool {
        self.remaining.get() == 0
    }

    /// Counts down from `events` from now on.
    pub fn arm(&self, events: u32) {
        self.before.set(self.total());
        self.armed.set(events.max(1));
        self.remaining.set(events.max(1));
    }

    /// The events so far. That is exact even if a countdown was not armed again when it ended, as long as no more than 2^32 events follow.
    pub fn total(&self) -> u64 {
        self.before.get() + u64::from(self.armed.get().wrapping_sub(self.remaining.get()))
    }
}

/// An interpreter's instance of a code block.
#[repr(C)]
pub struct CodeInstance {
    /// The interpreter's own copy, which it may rewrite.
    pub instructions: Box<[Cell<Instruction>]>,
    /// The constants as values.
    pub constants: Box<[Value]>,
    /// The feedback cells.
    pub feedback: Box<[FeedbackCell]>,
    /// The global variables that instructions name by index.
    pub globals: Box<[Cell<*const GlobalCell>]>,
    /// The numbers of these variables.
    pub global_numbers: Box<[u32]>,
    /// The default values of the parameters.
    pub defaults: Box<[Value]>,
    /// The number of registers of the window.
    pub register_count: usize,
    /// The number of parameters.
    pub parameter_count: usize,
    /// Calls must set `super`.
    pub uses_super: bool,
    /// The first parameter is named `self`.
    pub self_parameter: bool,
    /// Calls of the function.
    pub calls: Countdown,
    /// Passes of its loops.
    pub loops: Box<[Countdown]>,
    /// What kinds of sequences each `for` loop has run over, as [`Observed`](crate::tier::Observed) bits, as far as the quick way to the
    /// next element was not enough.
    pub sequences: Box<[Cell<u8>]>,
    /// What a call of compiled code, or a call out of it, runs.
    pub entry: Cell<Entry>,
    /// Compiled code that can be entered at any loop.
    pub(crate) loop_entry: Cell<Option<Entry>>,
    /// Optimized code for each loop.
    pub(crate) optimized_loops: Box<[Cell<Option<Entry>>]>,
    /// The number of parameters if the interpreter may enter the function's frame by itself; else one that no call has.
    pub interpreted_parameter_count: Cell<usize>,
    /// How many variables its variable map is made for.
    pub variable_count: usize,
    /// Instances of the nested functions.
    pub functions: Box<[OnceCell<*const CodeInstance>]>,
    /// Functions of literals that make no closure.
    pub static_functions: Box<[Cell<Value>]>,
    /// The code block.
    pub block: Arc<CodeBlock>,
}

impl CodeInstance {
    /// What kinds of sequences the loop has run over that a `for_loop` instruction belongs to, as far as is known: see
    /// [`CodeInstance::sequences`].
    pub fn observed_sequences(&self, instruction: Instruction) -> u8 {
        let seen = self.sequences.get(usize::from(instruction.flags()));
        seen.map_or(0, Cell::get)
    }

    /// The name of a scope map among the parameters: calls fail then. Such an instance pretends to a number of parameters that
    /// no call has, so that only calls on their slow path need to ask.
    #[cold]
    pub(crate) fn forbidden_parameter(&self) -> Option<&str> {
        let name = self
            .block
            .parameters
            .iter()
            .map(|parameter| &*parameter.name)
            .find(|name| is_forbidden(name));
        name.filter(|_| self.parameter_count == usize::MAX)
    }

    /// Whether there is compiled code.
    pub fn is_compiled(&self) -> bool {
        self.entry.get() as usize != tier::interpret as *const () as usize
    }

    /// Installs compiled code that calls and all loops can enter.
    ///
    /// # Safety
    /// The code must have been compiled for this instance, and stay where it is as long as it is installed or running.
    pub unsafe fn install(&self, entry: Entry) {
        self.entry.set(entry);
        self.loop_entry.set(Some(entry));
        self.interpreted_parameter_count.set(usize::MAX);
    }

    /// Installs optimized code, for calls or for one loop.
    ///
    /// # Safety
    /// As for [`CodeInstance::install`].
    pub unsafe fn install_optimized(&self, entry: Entry, for_loop: Option<usize>) {
        match for_loop {
            Some(index) => {
                if let Some(cell) = self.optimized_loops.get(index) {
                    cell.set(Some(entry));
                }
            }
            None => {
                self.entry.set(entry);
                self.interpreted_parameter_count.set(usize::MAX);
            }
        }
    }

    /// Goes back to the code that is not optimized.
    pub fn uninstall_optimized(&self) {
        for cell in &self.optimized_loops {
            cell.set(None);
        }
        match self.loop_entry.get() {
            Some(entry) => self.entry.set(entry),
            None => self.uninstall(),
        }
    }

    /// Goes back to the interpreter for calls from now on.
    pub fn uninstall(&self) {
        self.entry.set(tier::interpret);
        self.loop_entry.set(None);
        for cell in &self.optimized_loops {
            cell.set(None);
        }
        self.interpreted_parameter_count.set(self.parameter_count);
    }

    /// Optimized code for the loop with this index.
    pub(crate) fn optimized_loop(&self, index: usize) -> Option<Entry> {
        self.optimized_loops.get(index)?.get()
    }

    /// What the loop with this index can be entered in.
    pub(crate) fn entry_of_loop(&self, index: usize) -> Option<Entry> {
        self.optimized_loop(index).or(self.loop_entry.get())
    }

    /// The position of an instruction, given the address of the one after it.
    pub fn position_before(&self, next: *const Cell<Instruction>) -> u32 {
        let distance = (next as usize).wrapping_sub(self.instructions.as_ptr() as usize)
            / size_of::<Instruction>();
        (distance as u32).saturating_sub(1)
    }

    /// Marks constants, keys and cached functions.
    pub(crate) fn trace(&self, marker: &mut Marker) {
        for value in self.constants.iter().chain(self.defaults.iter()) {
            marker.value(*value);
        }
        for cell in self.feedback.iter() {
            marker.value(cell.key);
        }
        for function in self.static_functions.iter() {
            marker.value(function.get());
        }
    }
}

fn is_forbidden(parameter: &str) -> bool {
    parameter == "locals" || parameter == "globals"
}

/// The number of arguments at which a call needs no filling up.
pub(crate) fn parameter_count(block: &CodeBlock) -> usize {
    if block
        .parameters
        .iter()
        .any(|parameter| is_forbidden(&parameter.name))
    {
        return usize::MAX;
    }
    block.parameters.len()
}

/// How many different variables a function may put into its variable map.
pub(crate) fn variable_count(block: &CodeBlock) -> usize {
    let mut keys: Vec<u32> = block
        .feedback
        .iter()
        .filter(|cell| cell.kind == FeedbackKind::Variable)
        .map(|cell| cell.key)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(shape: u32) -> CacheEntry {
        CacheEntry {
            shape: ShapeId(shape),
            access: Access::Own,
            ..CacheEntry::EMPTY
        }
    }

    #[test]
    fn an_access_of_many_shapes_starts_afresh_after_many_of_one() {
        let cell = FeedbackCell {
            key: Value::NULL,
            first: Cell::new(CacheEntry::EMPTY),
            others: OnceCell::new(),
            megamorphic: Cell::new(false),
            last_shape: Cell::new(ShapeId::NONE),
            streak: Cell::new(0),
            target: Cell::new(0),
            targets: Cell::new(0),
        };
        (10..19).for_each(|shape| cell.record(own(shape)));
        assert!(cell.megamorphic.get());
        for _ in 0..STREAK {
            cell.record_megamorphic(own(20));
            cell.record_megamorphic(own(21));
        }
        assert!(cell.megamorphic.get(), "two shapes in turn");
        for _ in 0..=STREAK {
            cell.record_megamorphic(own(30));
        }
        assert!(!cell.megamorphic.get());
        assert_eq!(cell.first.get().shape, ShapeId(30));
        assert!(cell.other_entry(ShapeId(11)).is_none());
    }

    #[test]
    fn countdowns_count_on_when_nobody_arms_them_again() {
        let countdown = Countdown::new(2);
        assert!(!countdown.count());
        assert!(countdown.count() && countdown.has_ended());
        assert!(!countdown.count());
        assert_eq!(countdown.total(), 3);
        countdown.arm(1);
        assert!(countdown.count());
        assert_eq!(countdown.total(), 4);
    }
}
