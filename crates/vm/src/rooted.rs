//! Rooted values: references from outside the script stack.
//!
//! A [`Rooted`] stands for a value in the interpreter's [`RootTable`] and keeps it alive. It may be dropped on any thread, at any
//! time: it only leaves a note, which the table reads when it next has a reason to.

use std::sync::{Arc, Mutex, PoisonError};

use crate::heap::Marker;
use crate::value::Value;
use crate::vm::Vm;

/// The values of an interpreter that are referred to from outside.
#[derive(Default)]
pub(crate) struct RootTable {
    slots: Vec<Value>,
    free: Vec<u32>,
    released: Arc<Released>,
}

/// Slots that nobody refers to any more. Its address also tells interpreters apart.
#[derive(Debug, Default)]
struct Released(Mutex<Vec<u32>>);

/// Keeps a value of an interpreter alive. Copies are cheap and refer to the same value.
#[derive(Clone, Debug)]
pub struct Rooted {
    slot: Arc<Slot>,
}

#[derive(Debug)]
struct Slot {
    index: u32,
    table: Arc<Released>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut released = self.table.0.lock().unwrap_or_else(PoisonError::into_inner);
        released.push(self.index);
    }
}

impl RootTable {
    /// Frees the slots that nobody refers to any more.
    fn reclaim(&mut self) {
        let mut released = self
            .released
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for index in released.drain(..) {
            self.slots[index as usize] = Value::NULL;
            self.free.push(index);
        }
    }

    pub(crate) fn trace(&mut self, marker: &mut Marker) {
        self.reclaim();
        for value in &self.slots {
            marker.value(*value);
        }
    }
}

impl Vm {
    /// Keeps a value alive until the result and all its copies are dropped.
    pub fn root(&mut self, value: Value) -> Rooted {
        let table = &mut self.rooted;
        if table.free.is_empty() {
            table.reclaim();
        }
        let index = match table.free.pop() {
            Some(index) => {
                table.slots[index as usize] = value;
                index
            }
            None => {
                table.slots.push(value);
                (table.slots.len() - 1) as u32
            }
        };
        Rooted {
            slot: Arc::new(Slot {
                index,
                table: table.released.clone(),
            }),
        }
    }

    /// The value that is kept alive; none if it is another interpreter's.
    pub fn rooted(&self, rooted: &Rooted) -> Option<Value> {
        let Slot { index, table } = &*rooted.slot;
        Arc::ptr_eq(table, &self.rooted.released).then(|| self.rooted.slots[*index as usize])
    }
}
