//! Handles: what scripts carry around without seeing inside.
//!
//! A handle takes one of two forms. One stands for an object of the host, which lives in the interpreter's
//! [`HandleTable`] until the collector finds the handle dead; the other owns a buffer of bytes on the heap.
//!
//! ```text
//! host object                      buffer
//! +--------------------+           +--------------------+         +--------+-----------+
//! | header: index      |           | header: length     |   +---->| header | bytes …   |
//! | null               |           | bytes              |---+     +--------+-----------+
//! +--------------------+           +--------------------+
//! ```

use std::any::Any;
use std::cell::Cell;

use crate::error::Fallible;
use crate::heap::{CellType, Gc, Header, Kind, Marker, Survivors};
use crate::object::allocator::Allocator;

/// Set in `header.flags` of a buffer.
const BUFFER: u8 = 1;

/// The layout of a handle.
#[repr(C)]
pub struct HandleCell {
    header: Header,
    /// The bytes of a buffer that is not empty.
    bytes: Cell<Option<Gc<BytesCell>>>,
}

// SAFETY: `repr(C)`, starts with a header, nothing to drop.
unsafe impl CellType for HandleCell {
    const KIND: Kind = Kind::Handle;
}

/// The memory of a buffer.
#[repr(C)]
struct BytesCell {
    header: Header,
    // The bytes follow.
}

impl Gc<BytesCell> {
    fn start(self) -> *mut u8 {
        // SAFETY: the bytes follow the header within the same allocation.
        unsafe { self.as_ptr().add(1).cast() }
    }
}

impl HandleCell {
    fn allocate(heap: &mut impl Allocator, flags: u8, word: u32) -> Fallible<Gc<HandleCell>> {
        let header = heap.allocate(Kind::Handle, size_of::<HandleCell>())?;
        header.flags.set(flags);
        header.word.set(word);
        // SAFETY: the cell was allocated with the kind and size of this type; every field is written.
        Ok(unsafe {
            (&raw mut (*(header.address() as *mut HandleCell)).bytes).write(Cell::new(None));
            Gc::from_address(header.address())
        })
    }

    /// A new, empty buffer.
    pub fn buffer(heap: &mut impl Allocator) -> Fallible<Gc<HandleCell>> {
        HandleCell::allocate(heap, BUFFER, 0)
    }
}

impl Gc<HandleCell> {
    /// Whether this is a buffer.
    pub fn is_buffer(self) -> bool {
        self.header().has_flag(BUFFER)
    }

    fn index(self) -> usize {
        self.header().word.get() as usize
    }

    /// The bytes of a buffer; none in any other handle. They must not be used across a call that may allocate or change them.
    #[allow(clippy::mut_from_ref)]
    pub fn bytes<'a>(self) -> &'a mut [u8] {
        match self.bytes.get() {
            // SAFETY: the bytes cell has room for as many bytes as the header says, all written; exclusive by contract.
            Some(bytes) => unsafe {
                std::slice::from_raw_parts_mut(bytes.start(), self.header().word.get() as usize)
            },
            None => &mut [],
        }
    }

    /// Changes the length of a buffer. New bytes are 0.
    ///
    /// # Errors
    /// Fails if the heap limit is reached.
    pub fn resize(self, heap: &mut impl Allocator, length: u32) -> Fallible<()> {
        debug_assert!(self.is_buffer());
        let mut bytes = None;
        if length > 0 {
            let header = heap.allocate(Kind::Bytes, size_of::<BytesCell>() + length as usize)?;
            // SAFETY: the cell was allocated with the kind and size of this type.
            let cell: Gc<BytesCell> = unsafe { Gc::from_address(header.address()) };
            let kept = self.bytes();
            let kept = &kept[..kept.len().min(length as usize)];
            // SAFETY: the new cell has room for `length` bytes, and is another than the old one.
            unsafe {
                cell.start()
                    .copy_from_nonoverlapping(kept.as_ptr(), kept.len());
                cell.start()
                    .add(kept.len())
                    .write_bytes(0, length as usize - kept.len());
            }
            bytes = Some(cell);
        }
        self.bytes.set(bytes);
        self.header().word.set(length);
        heap.write_barrier(self.header());
        Ok(())
    }
}

/// Marks what a handle refers to.
pub fn trace(handle: Gc<HandleCell>, marker: &mut Marker) {
    if let Some(bytes) = handle.bytes.get() {
        marker.cell(bytes);
    }
}

/// The objects of the host that handles stand for.
#[derive(Default)]
pub struct HandleTable {
    entries: Vec<Option<Entry>>,
}

struct Entry {
    handle: Gc<HandleCell>,
    object: Box<dyn Any>,
}

impl HandleTable {
    /// The object of a handle, if it is of this type.
    pub fn get<T: 'static>(&mut self, handle: Gc<HandleCell>) -> Option<&mut T> {
        if handle.is_buffer() {
            return None;
        }
        self.entries
            .get_mut(handle.index())?
            .as_mut()?
            .object
            .downcast_mut()
    }

    /// Drops the objects of handles that do not survive.
    pub fn forget_dead(&mut self, survivors: &Survivors) {
        for entry in &mut self.entries {
            if entry
                .as_ref()
                .is_some_and(|entry| !survivors.contains(entry.handle))
            {
                *entry = None;
            }
        }
    }

    fn free_index(&self) -> usize {
        self.entries
            .iter()
            .position(Option::is_none)
            .unwrap_or(self.entries.len())
    }
}

impl crate::vm::Vm {
    /// A new handle for an object of the host, which is dropped when no script can reach the handle any more.
    ///
    /// # Errors
    /// Fails if the heap limit is reached.
    pub fn new_handle(&mut self, object: impl Any) -> Fallible<Gc<HandleCell>> {
        // The allocation may collect, which only adds free places.
        let index = self.handles.free_index();
        let handle = HandleCell::allocate(self, 0, index as u32)?;
        let entry = Some(Entry {
            handle,
            object: Box::new(object),
        });
        match self.handles.entries.get_mut(index) {
            Some(free) => *free = entry,
            None => self.handles.entries.push(entry),
        }
        Ok(handle)
    }
}
