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
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use crate::error::{Fallible, RuntimeError};
use crate::heap::{CellType, Gc, Header, Kind, Marker, Survivors};
use crate::object::allocator::Allocator;
use crate::object::map::MapCell;
use crate::object::map::Member;
use crate::object::string::StringCell;
use crate::value::Value;
use crate::vm::Vm;

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

/// An object of the host.
pub type Object = Box<dyn Any + Send>;

/// Reads a property of an object: none if the object has no such property.
pub type Getter = Box<dyn Fn(&mut Vm, Gc<HandleCell>, &str) -> Fallible<Option<Value>> + Send>;

/// Writes a property of an object: false if the object has no such property.
pub type Setter = Box<dyn Fn(&mut Vm, Gc<HandleCell>, &str, Value) -> Fallible<bool> + Send>;

/// What scripts can do with the objects of a class.
pub struct Class {
    /// Tells classes apart: the same for the same class in all interpreters.
    pub key: usize,
    /// The name, for error messages.
    pub name: Box<str>,
    /// The methods: functions by name. Looked at before properties.
    pub methods: Gc<MapCell>,
    /// Reads properties.
    pub get: Getter,
    /// Writes properties.
    pub set: Setter,
}

/// A class of an interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassId(u32);

/// The objects of the host that handles stand for, and their classes.
#[derive(Default)]
pub struct HandleTable {
    entries: Vec<Option<Entry>>,
    /// Indexes of entries without an object.
    free: Vec<u32>,
    /// Objects that no script can reach any more, to be dropped when the collector is done.
    dead: Vec<Object>,
    classes: Vec<Rc<Class>>,
}

struct Entry {
    handle: Gc<HandleCell>,
    /// None while somebody uses it.
    object: Option<Object>,
    class: Option<ClassId>,
}

impl HandleTable {
    fn entry(&mut self, handle: Gc<HandleCell>) -> Option<&mut Entry> {
        if handle.is_buffer() {
            return None;
        }
        self.entries.get_mut(handle.index())?.as_mut()
    }

    /// The object of a handle, if it is of this type.
    pub fn get<T: 'static>(&mut self, handle: Gc<HandleCell>) -> Option<&mut T> {
        self.entry(handle)?.object.as_mut()?.downcast_mut()
    }

    /// Takes out the objects of handles that do not survive.
    pub fn forget_dead(&mut self, survivors: &Survivors) {
        for (index, place) in self.entries.iter_mut().enumerate() {
            if let Some(entry) = place.take_if(|entry| !survivors.contains(entry.handle)) {
                self.dead.extend(entry.object);
                self.free.push(index as u32);
            }
        }
    }

    /// Marks what classes refer to.
    pub(crate) fn trace(&self, marker: &mut Marker) {
        for class in &self.classes {
            marker.cell(class.methods);
        }
    }
}

impl Vm {
    /// A new handle for an object of the host, which is dropped when no script can reach the handle any more.
    ///
    /// # Errors
    /// Fails if the heap limit is reached.
    pub fn new_handle(&mut self, object: impl Any + Send) -> Fallible<Gc<HandleCell>> {
        self.new_object(Box::new(object), None)
    }

    /// [`Vm::new_handle`] for an object of a class.
    ///
    /// # Errors
    /// Fails if the heap limit is reached.
    pub fn new_object(
        &mut self,
        object: Object,
        class: Option<ClassId>,
    ) -> Fallible<Gc<HandleCell>> {
        // The allocation may collect, which only adds free places.
        let index = match self.handles.free.pop() {
            Some(index) => index,
            None => {
                self.handles.entries.push(None);
                (self.handles.entries.len() - 1) as u32
            }
        };
        let handle =
            HandleCell::allocate(self, 0, index).inspect_err(|_| self.handles.free.push(index))?;
        self.handles.entries[index as usize] = Some(Entry {
            handle,
            object: Some(object),
            class,
        });
        Ok(handle)
    }

    /// Takes an object out, to use it together with the interpreter; [`Vm::put_object`] puts it back. None if it is in use.
    pub fn take_object(&mut self, handle: Gc<HandleCell>) -> Option<Object> {
        self.handles.entry(handle)?.object.take()
    }

    /// Puts an object back.
    pub fn put_object(&mut self, handle: Gc<HandleCell>, object: Object) {
        if let Some(entry) = self.handles.entry(handle) {
            entry.object = Some(object);
        }
    }

    /// Enters a class.
    pub fn new_class(&mut self, class: Class) -> ClassId {
        self.handles.classes.push(Rc::new(class));
        ClassId((self.handles.classes.len() - 1) as u32)
    }

    /// The class with this key, if it has been entered.
    pub fn known_class(&self, key: usize) -> Option<ClassId> {
        let at = self
            .handles
            .classes
            .iter()
            .position(|class| class.key == key)?;
        Some(ClassId(at as u32))
    }

    /// The class of a value that is an object of the host.
    pub fn class_of(&mut self, value: Value) -> Option<(Gc<HandleCell>, Rc<Class>)> {
        let handle: Gc<HandleCell> = value.as_other(Kind::Handle)?;
        let ClassId(class) = self.handles.entry(handle)?.class?;
        Some((handle, self.handles.classes.get(class as usize)?.clone()))
    }

    /// The member of an object: a method, or a property.
    pub(crate) fn object_member(
        &mut self,
        object: Value,
        key: Gc<StringCell>,
    ) -> Fallible<Option<Member>> {
        let Some((_, class)) = self.class_of(object) else {
            return Err(RuntimeError::LookUpInWrongType(self.text_of(key)).into());
        };
        let holder = class.methods;
        drop(class);
        if let Some(value) = self.map_get_interned(holder, key) {
            return Ok(Some(Member { value, holder, key }));
        }
        // Pinned, since the name and the class are owned here.
        let value = self.call_host("property", |vm| {
            let Some((handle, class)) = vm.class_of(object) else {
                return Ok(None);
            };
            let name = vm.text_of(key);
            (class.get)(vm, handle, &name)
        })?;
        match value {
            Some(value) => Ok(Some(Member { value, holder, key })),
            None => Err(RuntimeError::KeyNotFound(self.text_of(key)).into()),
        }
    }

    /// Writes a property of an object: false if the value is none or the key no name.
    pub(crate) fn set_object_member(
        &mut self,
        object: Value,
        key: Value,
        value: Value,
    ) -> Fallible<bool> {
        let (Some(_), Some(key)) = (self.class_of(object), key.as_string()) else {
            return Ok(false);
        };
        let known = self.call_host("property", |vm| {
            let Some((handle, class)) = vm.class_of(object) else {
                return Ok(false);
            };
            let name = vm.text_of(key);
            (class.set)(vm, handle, &name, value)
        })?;
        if known {
            Ok(true)
        } else {
            Err(RuntimeError::KeyNotFound(self.text_of(key)).into())
        }
    }

    /// Drops the objects that the last collection found dead.
    pub(crate) fn drop_dead_objects(&mut self) {
        while let Some(object) = self.handles.dead.pop() {
            // It is the host's code, and this may be in the middle of anything. Nobody is left to hear of a panic.
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(object))) {
                std::mem::forget(payload);
            }
        }
    }
}
