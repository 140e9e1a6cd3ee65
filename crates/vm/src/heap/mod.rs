//! The heap of one interpreter: cells that never move.
//!
//! Every cell starts with an 8-byte [`Header`]. [`Gc`] is a plain pointer to a cell.
//!
//! # Where references may live
//!
//! The collector finds references in three places: in cells (traced precisely), on the script stack and the
//! value stack (conservatively: any word that looks like a live cell's address or a value referring to one keeps it
//! alive), and in registered roots. A `Gc` or `Value` in a local variable of a function that runs on the
//! script stack is therefore safe. Nowhere else: not in a `Vec`, a `Box` or a struct on the Rust heap.

mod cell;

pub use cell::{CellType, Gc, Header, Kind};

use crate::error::{Fallible, RuntimeError};
use crate::value::Value;

/// Receives the references of a cell or a root while marking.
pub struct Marker {}

impl Marker {
    /// A reference that a cell or root holds.
    #[inline]
    pub fn value(&mut self, _value: Value) {}

    /// A reference to a cell.
    #[inline]
    pub fn cell<T>(&mut self, _cell: Gc<T>) {}

    /// A range of words of which any may be a reference.
    pub fn conservative(&mut self, _start: *const u64, _end: *const u64) {}
}

/// Tells after marking which cells survive.
pub struct Survivors {}

impl Survivors {
    /// Whether the cell stays.
    pub fn contains<T>(&self, _cell: Gc<T>) -> bool {
        true
    }
}

/// The rest of the interpreter, as the collector sees it.
pub trait Roots {
    /// Marks everything that is reachable from outside the heap.
    fn trace(&mut self, marker: &mut Marker);
    /// Forgets weak references to cells that do not survive.
    fn forget_dead(&mut self, survivors: &Survivors);
}

/// Marks what a cell refers to.
pub type Tracer = fn(Gc<Header>, &mut Marker);

/// The cells of one interpreter.
pub struct Heap {
    limit: usize,
    used: usize,
}

impl Heap {
    /// An empty heap that may grow to `limit` bytes.
    pub fn new(_tracer: Tracer, limit: usize) -> Heap {
        Heap { limit, used: 0 }
    }

    /// Memory for a cell of `bytes` bytes, header included; none if a collection should come first or the limit is reached.
    #[inline]
    pub fn try_allocate(&mut self, kind: Kind, bytes: usize) -> Option<Gc<Header>> {
        if self.used + bytes > self.limit {
            return None;
        }
        self.used += bytes;
        let layout = std::alloc::Layout::from_size_align(bytes.max(16), 16).ok()?;
        // SAFETY: the size is not zero; a null result is checked.
        let memory = unsafe { std::alloc::alloc_zeroed(layout) };
        if memory.is_null() {
            return None;
        }
        // SAFETY: the memory is large enough and aligned for a header.
        unsafe {
            memory.cast::<Header>().write(Header::new(kind));
            Some(Gc::from_address(memory as usize))
        }
    }

    /// Collects garbage.
    pub fn collect(&mut self, _roots: &mut dyn Roots) {}

    /// The error of an allocation that stays impossible.
    #[cold]
    pub fn exhausted<T>(&self) -> Fallible<T> {
        Err(RuntimeError::OutOfMemory(self.limit >> 20).into())
    }

    /// Must be called after a reference is stored in `owner`.
    #[inline(always)]
    pub fn write_barrier(&mut self, _owner: &Header) {}
}
