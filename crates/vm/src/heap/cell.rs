//! Cells: header, kinds, and the pointer to them.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;

use super::barrier::WHITE;

/// What a cell is. The number stands in its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// No cell: unused memory of a block.
    Free = 0,
    /// A string, flat or a rope.
    String,
    /// Bytes without references: the buffer of a flattened rope, an index of code points.
    Bytes,
    /// A list.
    List,
    /// Values in a row: the elements of a list, the overflow slots of a map.
    Values,
    /// A map.
    Map,
    /// The ordered hash table of a map.
    Dictionary,
    /// A function of the script, or an intrinsic.
    Function,
    /// The sequence of a `for` loop over `range(…)`.
    Range,
    /// An object of the host.
    Handle,
}

impl Kind {
    /// The number of kinds.
    pub const COUNT: usize = Kind::Handle as usize + 1;
}

/// The first eight bytes of every cell.
///
/// ```text
/// byte 0     kind
/// byte 1     state: the collector's colour
/// byte 2     flags: their meaning belongs to the kind
/// byte 3     small: a byte whose meaning belongs to the kind
/// bytes 4-7  shape of a map; elsewhere a word whose meaning belongs to the kind
/// ```
#[derive(Debug)]
#[repr(C, align(8))]
pub struct Header {
    kind: Cell<u8>,
    /// The collector's colour.
    pub(super) state: Cell<u8>,
    /// Flags of the kind.
    pub flags: Cell<u8>,
    /// A byte of the kind.
    pub small: Cell<u8>,
    /// A word of the kind.
    pub word: Cell<u32>,
}

const _: () = assert!(size_of::<Header>() == 8);

impl Header {
    /// A header for a new cell.
    pub fn new(kind: Kind) -> Header {
        Header {
            kind: Cell::new(kind as u8),
            state: Cell::new(WHITE),
            flags: Cell::new(0),
            small: Cell::new(0),
            word: Cell::new(0),
        }
    }

    /// The kind.
    #[inline(always)]
    pub fn kind(&self) -> Kind {
        debug_assert!(usize::from(self.kind.get()) < Kind::COUNT);
        // SAFETY: headers are only made by `new`, from a `Kind`.
        unsafe { std::mem::transmute::<u8, Kind>(self.kind.get()) }
    }

    /// Whether the kind is one, and not `Free`: what the verifier asks of every cell.
    pub(super) fn has_valid_kind(&self) -> bool {
        (1..Kind::COUNT).contains(&usize::from(self.kind.get()))
    }

    /// Whether this flag is set.
    #[inline(always)]
    pub fn has_flag(&self, flag: u8) -> bool {
        self.flags.get() & flag != 0
    }

    /// Sets a flag.
    #[inline(always)]
    pub fn set_flag(&self, flag: u8) {
        self.flags.set(self.flags.get() | flag);
    }

    /// Clears a flag.
    #[inline(always)]
    pub fn clear_flag(&self, flag: u8) {
        self.flags.set(self.flags.get() & !flag);
    }
}

/// A Rust type that describes the layout of a kind of cell.
///
/// # Safety
/// The type must be `repr(C)`, start with a [`Header`], need no drop, and be valid for cells of `KIND` only.
pub unsafe trait CellType: Sized {
    /// The kind whose layout this is.
    const KIND: Kind;
}

/// A reference to a cell: a plain pointer that the collector may find in the places named in [`crate::heap`].
#[repr(transparent)]
pub struct Gc<T> {
    cell: NonNull<T>,
    kind: PhantomData<*const T>,
}

impl<T> Clone for Gc<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Gc<T> {}

impl<T> PartialEq for Gc<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cell == other.cell
    }
}

impl<T> Eq for Gc<T> {}

impl<T> Gc<T> {
    /// The reference with this address.
    ///
    /// # Safety
    /// A live cell of type `T` must start there.
    #[inline(always)]
    pub unsafe fn from_address(address: usize) -> Gc<T> {
        // SAFETY: no cell lies at address 0.
        let cell = unsafe { NonNull::new_unchecked(address as *mut T) };
        Gc {
            cell,
            kind: PhantomData,
        }
    }

    /// The address of the cell.
    #[inline(always)]
    pub fn address(self) -> usize {
        self.cell.as_ptr() as usize
    }

    /// A pointer to the cell.
    #[inline(always)]
    pub fn as_ptr(self) -> *mut T {
        self.cell.as_ptr()
    }

    /// The same reference, without what is known of the cell's type.
    #[inline(always)]
    pub fn untyped(self) -> Gc<Header> {
        Gc {
            cell: self.cell.cast(),
            kind: PhantomData,
        }
    }

    /// The cell's header.
    #[inline(always)]
    pub fn header<'a>(self) -> &'a Header {
        // SAFETY: every cell starts with a header and lives as long as a reference to it (see `crate::heap`).
        unsafe { self.cell.cast::<Header>().as_ref() }
    }
}

impl<T> Deref for Gc<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: a `Gc` is only kept where the collector finds it, so its cell is alive; fields that change are
        // `Cell`s, so shared references never conflict.
        unsafe { self.cell.as_ref() }
    }
}

impl<T> std::fmt::Debug for Gc<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gc({:p})", self.cell)
    }
}
