//! Handles: objects of the host that scripts carry around.
//!
//! The object itself lives in a table of the interpreter ([`crate::vm::Vm::handles`]); the cell holds its index.

use crate::error::Fallible;
use crate::heap::{CellType, Gc, Header, Kind, Marker};
use crate::object::allocator::Allocator;

/// The layout of a handle; `header.word` is the index into the table of host objects.
#[repr(C)]
pub struct HandleCell {
    header: Header,
    reserved: u64,
}

// SAFETY: `repr(C)`, starts with a header, nothing to drop.
unsafe impl CellType for HandleCell {
    const KIND: Kind = Kind::Handle;
}

impl HandleCell {
    /// A new handle for the host object at `index`.
    pub fn allocate(heap: &mut impl Allocator, index: u32) -> Fallible<Gc<HandleCell>> {
        let header = heap.allocate(Kind::Handle, size_of::<HandleCell>())?;
        header.word.set(index);
        // SAFETY: the cell was allocated with the kind and size of this type.
        unsafe {
            (&raw mut (*(header.address() as *mut HandleCell)).reserved).write(0);
            Ok(Gc::from_address(header.address()))
        }
    }
}

impl Gc<HandleCell> {
    /// The index into the table of host objects.
    pub fn index(self) -> usize {
        self.header().word.get() as usize
    }
}

/// Marks what a handle refers to: nothing.
pub fn trace(_handle: Gc<HandleCell>, _marker: &mut Marker) {}
