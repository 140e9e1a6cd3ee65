//! Watchpoints: what optimized code takes for granted, and how it learns that it no longer holds.
//!
//! Optimized code carries a [`Validity`] and hands it in with everything it relies on. When such a thing changes, the validity
//! is revoked; the code, which looks at that byte where it must, is then left for good. Nothing is called, so a
//! change may be noticed at any place.
//!
//! | assumption | ask with | ends |
//! |---|---|---|
//! | members found along `__isa` and in type maps stay where they are | [`Vm::watch_prototypes`] | a new prototype epoch |
//! | a global variable keeps its value | [`Vm::constant_global`] | a second store to it, from wherever |
//! | a global variable has some value | [`Vm::assigned_global`] | its removal from `globals` |
//! | a name means the intrinsic | [`Vm::constant_global`] | a global variable of that name |
//! | a method or other member of a prototype keeps its value | [`Vm::constant_slot`] | the next store of another value, from wherever |
//!
//! None of this costs running programs anything. Stores to global variables by instructions are not watched when they happen: they
//! are counted when the code is instantiated, see [`stores_to_globals`]. Stores to members of prototypes go through inline caches,
//! which know nothing of watches: so a prototype gets a new shape when one of its slots is first watched, and how to store to that
//! slot is not entered into caches from then on until somebody has stored to it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kiln_bytecode::{CodeBlock, Instruction, Op, Register, Role};

use crate::heap::Gc;
use crate::object::map::shape::ShapeId;
use crate::object::map::{MapCell, Slot};
use crate::value::Value;
use crate::vm::Vm;

/// Whether everything that some optimized code takes for granted still holds.
#[derive(Debug)]
#[repr(transparent)]
pub struct Validity(AtomicBool);

impl Validity {
    /// A new one, valid.
    pub fn new() -> Arc<Validity> {
        Arc::new(Validity(AtomicBool::new(true)))
    }

    /// Whether nothing has been revoked.
    #[inline]
    pub fn is_valid(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Ends it for good.
    pub fn revoke(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Where compiled code finds the byte: 1 while valid, then 0.
    pub fn address(&self) -> *const u8 {
        self.0.as_ptr().cast_const().cast()
    }
}

/// Who relies on one thing.
#[derive(Debug, Default)]
pub struct Dependents(RefCell<Vec<Arc<Validity>>>);

impl Dependents {
    /// Adds one. Those that nobody else holds any more are forgotten.
    pub fn add(&self, validity: &Arc<Validity>) {
        let mut dependents = self.0.borrow_mut();
        if dependents.len() == dependents.capacity() {
            dependents.retain(|held| Arc::strong_count(held) > 1 && held.is_valid());
        }
        dependents.push(validity.clone());
    }

    /// The thing has changed.
    #[inline]
    pub fn revoke(&self) {
        for validity in self.0.borrow_mut().drain(..) {
            validity.revoke();
        }
    }
}

/// The slots of one prototype that somebody relies on.
#[derive(Debug, Default)]
pub(crate) struct SlotWatches {
    watched: Vec<(Slot, Dependents)>,
    /// Slots that were stored to after they had been watched: no constants.
    varying: Vec<Slot>,
}

impl SlotWatches {
    pub fn is_watched(&self, slot: Slot) -> bool {
        self.watched.iter().any(|(watched, _)| *watched == slot)
    }

    pub fn is_varying(&self, slot: Slot) -> bool {
        self.varying.contains(&slot)
    }

    pub fn add(&mut self, slot: Slot, dependent: &Arc<Validity>) {
        match self.watched.iter().find(|(watched, _)| *watched == slot) {
            Some((_, dependents)) => dependents.add(dependent),
            None => {
                let dependents = Dependents::default();
                dependents.add(dependent);
                self.watched.push((slot, dependents));
            }
        }
    }

    /// The slot's value changes.
    pub fn note_store(&mut self, slot: Slot) {
        let position = (self.watched.iter()).position(|(watched, _)| *watched == slot);
        if let Some(position) = position {
            let (_, dependents) = self.watched.swap_remove(position);
            dependents.revoke();
            self.varying.push(slot);
        }
    }

    /// The slots are no more.
    pub fn revoke_all(&self) {
        for (_, dependents) in &self.watched {
            dependents.revoke();
        }
    }
}

/// More stores than these are as good as any number.
const MANY: u8 = 2;

/// How often each of its globals is stored to by a code block in one run: not at all, once, or [`MANY`] times.
///
/// The variables of a top level are in registers while it runs, so what counts is every instruction that writes such a
/// register; in a loop it counts as many. A top level that runs again is told apart by its variables having values before it
/// starts, see `Globals::begin_run`.
pub fn stores_to_globals(block: &CodeBlock) -> Vec<u8> {
    let mut stores = vec![0; block.globals.len()];
    let loops = loops_of(block);
    let mut add = |global: usize, count: u8| {
        if let Some(stores) = stores.get_mut(global) {
            *stores = count.saturating_add(*stores).min(MANY);
        }
    };
    for (position, instruction) in block.instructions.iter().enumerate() {
        let position = position as u32;
        let is_repeated = !block.is_top_level
            || loops
                .iter()
                .any(|(start, end)| (*start..=*end).contains(&position));
        let count = if is_repeated { MANY } else { 1 };
        match instruction.op() {
            Some(Op::SetGlobal) => add(instruction.bc() as usize, count),
            // Which variable a loop counts in is known only when it runs.
            Some(Op::ForLoopGlobal) => {
                (0..block.globals.len()).for_each(|global| add(global, MANY))
            }
            _ => {}
        }
        if !block.global_registers.is_empty() {
            for_each_register_written(*instruction, |register| {
                let bound =
                    (block.global_registers.iter()).find(|bound| bound.register == register);
                if let Some(bound) = bound {
                    add(bound.global as usize, count);
                }
            });
        }
    }
    stores
}

/// The instructions that jumps backwards leap over, from the target to the jump.
fn loops_of(block: &CodeBlock) -> Vec<(u32, u32)> {
    let jumps = block.instructions.iter().zip(0_u32..);
    let back = jumps.filter_map(|(instruction, position)| {
        let target = u32::try_from(instruction.jump_target(position)?).ok()?;
        (target <= position).then_some((target, position))
    });
    back.collect()
}

fn for_each_register_written(instruction: Instruction, mut written: impl FnMut(Register)) {
    let Some(op) = instruction.op() else { return };
    for operand in op.info().operands {
        let register = Register(instruction.field(operand.field));
        match operand.role {
            Role::Out => written(register),
            Role::InOutPair => {
                written(register);
                written(register.offset(1));
            }
            _ => {}
        }
    }
}

impl Vm {
    /// Makes `dependent` rely on the prototype epoch: members found along `__isa` or in type maps stay where they are.
    pub fn watch_prototypes(&self, dependent: &Arc<Validity>) {
        self.prototype_dependents.add(dependent);
    }

    /// What reading the global variable with this number yields, if that will not change as far as can be told: its value, if it was
    /// stored once, or the intrinsic of its name, if it never was. `dependent` relies on it from now on.
    ///
    /// Compiled code must keep the value where the collector finds it.
    pub fn constant_global(&mut self, number: u32, dependent: &Arc<Validity>) -> Option<Value> {
        self.globals.constant(number, dependent)
    }

    /// Whether the global variable with this number has a value. If so, `dependent` relies on its having one from now on.
    pub fn assigned_global(&mut self, number: u32, dependent: &Arc<Validity>) -> bool {
        self.globals.is_assigned(number, dependent)
    }

    /// The value of a prototype's slot, which an inline cache or a look-up has led to, if it will not change as far as can be told: it
    /// has not been stored to since anybody relied on it. `dependent` relies on it from now on. That instances find it there is
    /// another matter, see [`Vm::watch_prototypes`].
    ///
    /// The prototype may get another shape by this. Compiled code must keep the value where the collector finds it.
    pub fn constant_slot(
        &mut self,
        prototype: Gc<MapCell>,
        slot: Slot,
        dependent: &Arc<Validity>,
    ) -> Option<Value> {
        self.watch_slot(prototype, slot, dependent)
            .then(|| prototype.slot(slot).get())
    }

    /// Lets inline caches know the shapes that prototypes have got because of [`Vm::constant_slot`], as far as they only read. False if
    /// there are none.
    pub fn follow_watched_prototypes(&mut self) -> bool {
        let renamed = self.shapes.take_renamed();
        let renamed: HashMap<ShapeId, ShapeId> = renamed.into_iter().collect();
        if renamed.is_empty() {
            return false;
        }
        let latest = |shape: ShapeId| {
            let mut shape = *renamed.get(&shape)?;
            while let Some(next) = renamed.get(&shape) {
                shape = *next;
            }
            Some(shape)
        };
        for instance in &self.instances {
            let mut is_wide = false;
            for instruction in &instance.instructions {
                let op = instruction.get().op();
                let reads = matches!(op, Some(Op::GetMember | Op::CallMember | Op::CallSuper));
                if reads
                    && !is_wide
                    && let Some(cell) = instance.feedback.get(usize::from(instruction.get().c()))
                {
                    cell.rename_shapes(latest);
                }
                is_wide = op == Some(Op::Wide);
            }
        }
        true
    }
}
