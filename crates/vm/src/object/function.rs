//! Functions: a script's code with the scope it was made in, or an intrinsic.

use std::cell::Cell;

use crate::error::Fallible;
use crate::feedback::CodeInstance;
use crate::heap::{CellType, Gc, Header, Kind, Marker};
use crate::intrinsics::Intrinsic;
use crate::object::allocator::Allocator;
use crate::value::Value;

/// Set in `header.flags` of an intrinsic.
const INTRINSIC: u8 = 1;

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
    fn allocate(
        heap: &mut impl Allocator,
        code: usize,
        flags: u8,
        outer: Value,
        outer_self: Value,
    ) -> Fallible<Gc<FunctionCell>> {
        let header = heap.allocate(Kind::Function, size_of::<FunctionCell>())?;
        header.flags.set(flags);
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
        FunctionCell::allocate(
            heap,
            std::ptr::from_ref(intrinsic) as usize,
            INTRINSIC,
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
