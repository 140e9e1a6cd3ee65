//! The string cell: its layout, and reading it.

use std::cell::Cell;
use std::mem::offset_of;

use super::{MAX_LENGTH, rope};
use crate::error::{Fallible, RuntimeError};
use crate::heap::{CellType, Gc, Header, Kind, Marker};
use crate::object::allocator::Allocator;

/// The flags in a string's header.
pub mod flags {
    /// All code points are below 128.
    pub const ASCII: u8 = 1;
    /// A concatenation that is not flattened yet.
    pub const ROPE: u8 = 1 << 1;
    /// The bytes lie in another cell.
    pub const VIEW: u8 = 1 << 2;
    /// Room for text that views refer to; no string of the program.
    pub const BUFFER: u8 = 1 << 3;
    /// No other interned string has the same contents.
    pub const INTERNED: u8 = 1 << 4;
}

use flags::{ASCII, BUFFER, INTERNED, ROPE, VIEW};

/// A string, or the buffer behind one: the part all forms share. The module's text shows what
/// follows.
#[repr(C)]
pub struct StringCell {
    header: Header,
    length: Cell<u32>,
    hash: Cell<u32>,
}

// SAFETY: the struct is `repr(C)`, starts with a header and needs no drop.
unsafe impl CellType for StringCell {
    const KIND: Kind = Kind::String;
}

impl StringCell {
    /// Where compiled code finds the length in code points.
    pub const LENGTH_OFFSET: usize = offset_of!(StringCell, length);
    /// Where compiled code finds the owner of a view.
    pub const OWNER_OFFSET: usize = size_of::<StringCell>() + offset_of!(ViewBody, owner);
    /// Where compiled code finds how many bytes of the owner precede a view.
    pub const START_BYTE_OFFSET: usize = size_of::<StringCell>() + offset_of!(ViewBody, start_byte);
    /// Where the bytes of an inline ASCII string begin.
    pub const ASCII_BYTES_OFFSET: usize = text_offset(ASCII);
    /// Where the bytes of a buffer, or of any other inline string, begin.
    pub const OTHER_BYTES_OFFSET: usize = text_offset(0);
}

/// What follows in a rope.
#[repr(C)]
pub(super) struct RopeBody {
    pub left: Cell<Gc<StringCell>>,
    pub right: Cell<Gc<StringCell>>,
}

/// What follows in a view.
#[repr(C)]
pub(super) struct ViewBody {
    pub owner: Cell<Gc<StringCell>>,
    start_byte: Cell<u32>,
    start_character: Cell<u32>,
}

impl ViewBody {
    fn new(owner: Gc<StringCell>, start: Extent) -> ViewBody {
        ViewBody {
            owner: Cell::new(owner),
            start_byte: Cell::new(start.bytes as u32),
            start_character: Cell::new(start.length as u32),
        }
    }

    /// How much of the owner precedes the view.
    #[inline]
    pub fn start(&self) -> Extent {
        Extent {
            bytes: self.start_byte.get() as usize,
            length: self.start_character.get() as usize,
        }
    }
}

/// What follows in a buffer or an inline string that is not ASCII; the bytes come next.
#[repr(C)]
pub(super) struct IndexBody {
    pub index: Cell<Option<Gc<Header>>>,
}

// A rope becomes a view where it stands.
const _: () = assert!(size_of::<ViewBody>() == size_of::<RopeBody>());
const _: () = assert!(size_of::<StringCell>() == 16);

/// How many bytes precede the text of an inline string or buffer.
pub(super) const fn text_offset(flags: u8) -> usize {
    if flags & ASCII != 0 {
        size_of::<StringCell>()
    } else {
        size_of::<StringCell>() + size_of::<IndexBody>()
    }
}

/// The size of a rope or view.
pub(super) const LINK_BYTES: usize = size_of::<StringCell>() + size_of::<RopeBody>();

/// Keeps a cell alive up to this call although only addresses derived from it are used in between.
#[inline(always)]
pub fn keep_alive<T>(cell: Gc<T>) {
    std::hint::black_box(cell);
}

impl Gc<StringCell> {
    /// The length in code points.
    #[inline(always)]
    pub fn length(self) -> usize {
        self.length.get() as usize
    }

    /// The length in bytes.
    #[inline(always)]
    pub fn byte_length(self) -> usize {
        self.header.word.get() as usize
    }

    /// The length in both units.
    #[inline(always)]
    pub(super) fn extent(self) -> Extent {
        Extent {
            bytes: self.byte_length(),
            length: self.length(),
        }
    }

    /// Whether this is the empty string.
    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self.length.get() == 0
    }

    /// Whether all code points are below 128.
    #[inline(always)]
    pub fn is_ascii(self) -> bool {
        self.header.has_flag(ASCII)
    }

    /// Whether no other interned string has the same contents.
    #[inline(always)]
    pub fn is_interned(self) -> bool {
        self.header.has_flag(INTERNED)
    }

    /// The text, if no concatenation is outstanding.
    #[inline]
    pub fn if_flat(&self) -> Option<&str> {
        if self.is_rope() {
            return None;
        }
        // SAFETY: the string is no rope.
        Some(unsafe { self.text() })
    }

    /// The text, flattened if need be. It stays valid as long as the collector finds it or the
    /// string: see the [module](super)'s text.
    ///
    /// # Errors
    /// Fails if flattening finds no memory.
    #[inline]
    pub fn flat_str(&self, alloc: &mut impl Allocator) -> Fallible<&str> {
        if self.is_rope() {
            rope::flatten(alloc, *self)?;
        }
        // SAFETY: the string is no rope any more.
        Ok(unsafe { self.text() })
    }

    /// The character at `index` of an ASCII string; none also if a concatenation is outstanding.
    #[inline(always)]
    pub fn byte_if_ascii(self, index: usize) -> Option<u8> {
        if self.is_rope() || !self.is_ascii() || index >= self.length() {
            return None;
        }
        // SAFETY: the string is no rope, and an ASCII string has as many bytes as code points.
        Some(unsafe { *self.bytes().add(index) })
    }

    #[inline(always)]
    pub(super) fn is_rope(self) -> bool {
        self.header.has_flag(ROPE)
    }

    #[inline(always)]
    pub(super) fn is_view(self) -> bool {
        self.header.has_flag(VIEW)
    }

    #[inline(always)]
    pub(super) fn is_inline(self) -> bool {
        self.header.flags.get() & (ROPE | VIEW) == 0
    }

    #[inline(always)]
    pub(super) fn is_buffer(self) -> bool {
        self.header.has_flag(BUFFER)
    }

    /// The hash, if it has been computed.
    #[inline(always)]
    /// The hash, if it has been computed.
    pub fn cached_hash(self) -> Option<u32> {
        let hash = self.hash.get();
        (hash != 0).then_some(hash)
    }

    pub(super) fn cache_hash(self, hash: u32) {
        debug_assert!(hash != 0 && !self.is_buffer());
        self.hash.set(hash);
    }

    /// How many bytes a buffer has room for.
    #[inline]
    pub(super) fn capacity(self) -> usize {
        debug_assert!(self.is_buffer());
        self.hash.get() as usize
    }

    /// Makes the buffer's used part longer.
    pub(super) fn extend_buffer(self, by: Extent) {
        debug_assert!(self.byte_length() + by.bytes <= self.capacity());
        self.header.word.set((self.byte_length() + by.bytes) as u32);
        self.length.set((self.length() + by.length) as u32);
    }

    #[inline(always)]
    fn body<T>(self) -> *mut T {
        // SAFETY: every string cell is larger than the part all forms share.
        unsafe { self.as_ptr().add(1).cast() }
    }

    /// The body of a rope.
    ///
    /// # Safety
    /// The string must be a rope.
    #[inline(always)]
    pub(super) unsafe fn rope<'a>(self) -> &'a RopeBody {
        debug_assert!(self.is_rope());
        // SAFETY: a rope's body is initialized when it is made.
        unsafe { &*self.body() }
    }

    /// The body of a view.
    ///
    /// # Safety
    /// The string must be a view.
    #[inline(always)]
    pub(super) unsafe fn view<'a>(self) -> &'a ViewBody {
        debug_assert!(self.is_view());
        // SAFETY: a view's body is initialized when it is made, or by `become_view`.
        unsafe { &*self.body() }
    }

    /// The body of a string that holds its bytes and has an index.
    ///
    /// # Safety
    /// The cell must be a buffer or an inline string that is not ASCII.
    #[inline(always)]
    pub(super) unsafe fn indexed<'a>(self) -> &'a IndexBody {
        debug_assert!(self.is_inline() && !self.is_ascii());
        // SAFETY: the index is initialized when the cell is made.
        unsafe { &*self.body() }
    }

    /// The address of the bytes in a buffer or inline string.
    #[inline(always)]
    pub(super) fn own_bytes(self) -> *mut u8 {
        debug_assert!(self.is_inline());
        // SAFETY: an inline string's cell extends at least to its text.
        unsafe {
            self.as_ptr()
                .cast::<u8>()
                .add(text_offset(self.header.flags.get()))
        }
    }

    /// The address of the first byte.
    ///
    /// # Safety
    /// The string must not be a rope.
    #[inline(always)]
    pub(super) unsafe fn bytes(self) -> *const u8 {
        if self.is_view() {
            // SAFETY: it is a view, and it starts within the bytes of its owner.
            unsafe {
                let view = self.view();
                view.owner.get().own_bytes().add(view.start().bytes)
            }
        } else {
            self.own_bytes()
        }
    }

    /// The text.
    ///
    /// # Safety
    /// The string must not be a rope. The result must not outlive the cell.
    #[inline(always)]
    pub(super) unsafe fn text<'a>(self) -> &'a str {
        // SAFETY: the bytes lie within a cell, never change once written, and are UTF-8, since they
        // are copied from whole strings and cut between code points only.
        unsafe {
            std::str::from_utf8_unchecked(std::slice::from_raw_parts(
                self.bytes(),
                self.byte_length(),
            ))
        }
    }

    /// Turns a rope into a view of text that is equal to its own.
    ///
    /// # Safety
    /// The string must be a rope; `owner` must be inline or a buffer and hold the text at this
    /// place.
    pub(super) unsafe fn become_view(
        self,
        alloc: &mut impl Allocator,
        owner: Gc<StringCell>,
        start: Extent,
    ) {
        self.header.clear_flag(ROPE);
        self.header.set_flag(VIEW);
        // SAFETY: the cell is a view now, and a view's body fits a rope's.
        unsafe { self.body::<ViewBody>().write(ViewBody::new(owner, start)) };
        alloc.write_barrier(self.header());
    }
}

/// The size of a new string.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// In bytes.
    pub bytes: usize,
    /// In code points.
    pub length: usize,
}

impl Extent {
    #[inline]
    fn of(text: &str) -> Extent {
        let length = if text.is_ascii() {
            text.len()
        } else {
            text.chars().count()
        };
        Extent {
            bytes: text.len(),
            length,
        }
    }

    #[inline]
    fn ascii_flag(self) -> u8 {
        if self.bytes == self.length { ASCII } else { 0 }
    }

    /// A string that holds its bytes, which the caller writes at once.
    #[inline]
    pub fn new_inline(self, alloc: &mut impl Allocator) -> Fallible<Gc<StringCell>> {
        let flags = self.ascii_flag();
        let cell = allocate(alloc, self, flags, text_offset(flags) + self.bytes)?;
        if flags & ASCII == 0 {
            // SAFETY: text that is not ASCII leaves room for the index.
            unsafe {
                cell.body::<IndexBody>().write(IndexBody {
                    index: Cell::new(None),
                })
            };
        }
        Ok(cell)
    }

    /// A concatenation.
    #[inline]
    pub fn new_rope(
        self,
        alloc: &mut impl Allocator,
        left: Gc<StringCell>,
        right: Gc<StringCell>,
    ) -> Fallible<Gc<StringCell>> {
        let cell = allocate(alloc, self, self.ascii_flag() | ROPE, LINK_BYTES)?;
        // SAFETY: the cell has the size of a rope.
        unsafe {
            cell.body::<RopeBody>().write(RopeBody {
                left: Cell::new(left),
                right: Cell::new(right),
            })
        };
        alloc.write_barrier(cell.header());
        Ok(cell)
    }

    /// A piece of an inline string or buffer.
    #[inline]
    pub fn new_view(
        self,
        alloc: &mut impl Allocator,
        owner: Gc<StringCell>,
        start: Extent,
    ) -> Fallible<Gc<StringCell>> {
        debug_assert!(owner.is_inline());
        let cell = allocate(alloc, self, self.ascii_flag() | VIEW, LINK_BYTES)?;
        // SAFETY: the cell has the size of a view.
        unsafe { cell.body::<ViewBody>().write(ViewBody::new(owner, start)) };
        alloc.write_barrier(cell.header());
        Ok(cell)
    }
}

/// A new inline string with this text, however short.
///
/// # Errors
/// Fails if the text is too long or the heap is full.
pub(super) fn new_copy(alloc: &mut impl Allocator, text: &str) -> Fallible<Gc<StringCell>> {
    let extent = Extent::of(text);
    if extent.length > MAX_LENGTH {
        return Err(RuntimeError::StringTooLarge.into());
    }
    let cell = extent.new_inline(alloc)?;
    // SAFETY: the new cell has room for the bytes, and no other cell overlaps it.
    unsafe {
        cell.own_bytes()
            .copy_from_nonoverlapping(text.as_ptr(), text.len())
    };
    Ok(cell)
}

/// Makes a cell of `size` bytes. The caller fills in the body at once.
#[inline]
fn allocate(
    alloc: &mut impl Allocator,
    extent: Extent,
    flags: u8,
    size: usize,
) -> Fallible<Gc<StringCell>> {
    let header = alloc.allocate(Kind::String, size)?;
    header.flags.set(flags);
    header.small.set(0);
    header.word.set(extent.bytes as u32);
    // SAFETY: the cell is new, of this kind and large enough for the fields, which are written
    // before they are read.
    unsafe {
        let cell: Gc<StringCell> = Gc::from_address(header.address());
        (&raw mut (*cell.as_ptr()).length).write(Cell::new(extent.length as u32));
        (&raw mut (*cell.as_ptr()).hash).write(Cell::new(0));
        Ok(cell)
    }
}

/// An empty buffer.
pub(super) fn new_buffer(alloc: &mut impl Allocator, capacity: usize) -> Fallible<Gc<StringCell>> {
    let empty = Extent {
        bytes: 0,
        length: 0,
    };
    let buffer = allocate(alloc, empty, BUFFER, text_offset(BUFFER) + capacity)?;
    // SAFETY: a buffer has room for the index.
    unsafe {
        buffer.body::<IndexBody>().write(IndexBody {
            index: Cell::new(None),
        })
    };
    buffer.hash.set(capacity as u32);
    Ok(buffer)
}

/// Marks what a string or buffer refers to.
pub fn trace_string(cell: Gc<StringCell>, marker: &mut Marker) {
    // SAFETY: the flags say which body the cell has.
    unsafe {
        if cell.is_rope() {
            marker.cell(cell.rope().left.get());
            marker.cell(cell.rope().right.get());
        } else if cell.is_view() {
            marker.cell(cell.view().owner.get());
        } else if !cell.is_ascii()
            && let Some(index) = cell.indexed().index.get()
        {
            marker.cell(index);
        }
    }
}
