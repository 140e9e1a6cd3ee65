//! Strings.
use std::cell::Cell;
use crate::heap::{CellType, Gc, Header, Kind};

/// A string.
#[repr(C)]
pub struct StringCell { header: Header, length: Cell<u32> }
// SAFETY: see the struct.
unsafe impl CellType for StringCell { const KIND: Kind = Kind::String; }
impl Gc<StringCell> { }
