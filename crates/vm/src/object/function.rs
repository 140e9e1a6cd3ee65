//! Functions: a script's code with the scope it was made in, or an intrinsic.

use std::cell::Cell;
use std::mem::offset_of;

use crate::error::Fallible;
use crate::feedback::CodeInstance;
use crate::heap::{CellType, Gc, Header, Kind, Marker};
use crate::intrinsics::{Intrinsic, Shortcut};
use crate::object::allocator::Allocator;
use crate::value::Value;

/// Set in `header.flags` of an intrinsic.
const INTRINSIC: u8 = 1;
/// Set in `header.flags` of an intrinsic to which a method call passes the object.
const TAKES_SELF: u8 = 2;

/// What a call runs.
#[derive(Clone, Copy)]
pub enum Callee {
    /// Bytecode.
    Script(*const CodeInstance),
    /// A Rust function.
    Intrinsic(&'static Intrinsic),
}

/// The layout of a function.
#[repr(C)]
pub struct FunctionCell {
    header: Header,
    /// A `*const CodeInstance`, or an `&'static Intrinsic` if the flag says so.
    code: usize,
    /// The variable map of the call that created the function, else null.
    outer: Cell<Value>,
    /// `self` of the call that created the function, else unassigned.
    outer_self: Cell<Value>,
}

// SAFETY: `repr(C)`, starts with a header, nothing to drop.
unsafe impl CellType for FunctionCell {
    const KIND: Kind = Kind::Function;
}

impl FunctionCell {
    /// The flag in the header of an intrinsic.
    pub const INTRINSIC_FLAG: u8 = INTRINSIC;
    /// Where compiled code finds the address of the code instance.
    pub const CODE_OFFSET: usize = offset_of!(FunctionCell, code);
    /// Where compiled code finds the variable map of the function's creator.
    pub const OUTER_OFFSET: usize = offset_of!(FunctionCell, outer);

    /// Where compiled code finds `self` of the call that created the function.
    pub const OUTER_SELF_OFFSET: usize = offset_of!(FunctionCell, outer_self);
    /// The header's small byte in functions of the script.
    pub const PLAIN: u8 = Shortcut::None as u8;

    fn allocate(
        heap: &mut impl Allocator,
        code: usize,
        flags: u8,
        outer: Value,
        outer_self: Value,
    ) -> Fallible<Gc<FunctionCell>> {
        let header = heap.allocate(Kind::Function, size_of::<FunctionCell>())?;
        header.flags.set(flags);
        header.small.set(Shortcut::None as u8);
        // SAFETY: the cell was allocated with the kind and size of this type; every field is written.
        Ok(unsafe {
            let function = header.address() as *mut FunctionCell;
            (&raw mut (*function).code).write(code);
            (&raw mut (*function).outer).write(Cell::new(outer));
            (&raw mut (*function).outer_self).write(Cell::new(outer_self));
            Gc::from_address(function as usize)
        })
    }

    /// A function of the script. The instance must live as long as the interpreter.
    pub fn script(
        heap: &mut impl Allocator,
        code: *const CodeInstance,
        outer: Value,
        outer_self: Value,
    ) -> Fallible<Gc<FunctionCell>> {
        FunctionCell::allocate(heap, code as usize, 0, outer, outer_self)
    }

    /// An intrinsic.
    pub fn intrinsic(
        heap: &mut impl Allocator,
        intrinsic: &'static Intrinsic,
    ) -> Fallible<Gc<FunctionCell>> {
        let takes_self = if intrinsic.takes_self() {
            TAKES_SELF
        } else {
            0
        };
        FunctionCell::allocate(
            heap,
            std::ptr::from_ref(intrinsic) as usize,
            INTRINSIC | takes_self,
            Value::NULL,
            Value::UNASSIGNED,
        )
    }
}

impl Gc<FunctionCell> {
    /// What a call runs.
    #[inline(always)]
    pub fn callee(self) -> Callee {
        if self.header().has_flag(INTRINSIC) {
            // SAFETY: a cell with this flag was made from an `&'static Intrinsic`.
            Callee::Intrinsic(unsafe { &*(self.code as *const Intrinsic) })
        } else {
            Callee::Script(self.code as *const CodeInstance)
        }
    }

    /// The code, if this is a function of the script.
    #[inline(always)]
    pub fn script_code(self) -> Option<*const CodeInstance> {
        (!self.header().has_flag(INTRINSIC)).then_some(self.code as *const CodeInstance)
    }

    /// Whether this is an intrinsic.
    #[inline(always)]
    pub fn is_intrinsic(self) -> bool {
        self.header().has_flag(INTRINSIC)
    }

    /// What may be done instead of calling the function.
    #[inline(always)]
    pub fn shortcut(self) -> Shortcut {
        Shortcut::from_byte(self.header().small.get())
    }

    /// Allows the interpreter to do this instead of calling the function.
    pub(crate) fn set_shortcut(self, shortcut: Shortcut) {
        self.header().small.set(shortcut as u8);
    }

    /// Whether this is an intrinsic to which a method call passes the object.
    #[inline(always)]
    pub fn takes_self(self) -> bool {
        self.header().has_flag(TAKES_SELF)
    }

    /// The variable map of the call that created the function, else null.
    #[inline(always)]
    pub fn outer(self) -> Value {
        self.outer.get()
    }

    /// `self` of the call that created the function, else unassigned.
    pub fn outer_self(self) -> Value {
        self.outer_self.get()
    }
}

/// Marks what a function refers to.
pub fn trace(function: Gc<FunctionCell>, marker: &mut Marker) {
    marker.value(function.outer.get());
    marker.value(function.outer_self.get());
}
