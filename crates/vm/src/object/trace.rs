//! Tells the collector what each kind of cell refers to.

use std::ops::Range;

use crate::heap::{Gc, Header, Kind, Marker, Tracer};
use crate::object::{function, handle, list, map, string, values};

/// How the collector finds references in cells.
pub const TRACER: Tracer = Tracer {
    whole: trace,
    part: trace_part,
};

/// Marks what the cell refers to.
fn trace(cell: Gc<Header>, marker: &mut Marker) {
    let address = cell.address();
    // SAFETY: a cell's kind fixes its type (see `CellType`).
    unsafe {
        match cell.kind() {
            Kind::Free | Kind::Bytes | Kind::Range => {}
            Kind::String => string::trace_string(Gc::from_address(address), marker),
            Kind::List => list::trace(Gc::from_address(address), marker),
            Kind::Values => values::trace(Gc::from_address(address), 0..usize::MAX, marker),
            Kind::Map => map::trace(Gc::from_address(address), marker),
            Kind::Dictionary => {
                map::trace_dictionary(Gc::from_address(address), 0..usize::MAX, marker);
            }
            Kind::Function => function::trace(Gc::from_address(address), marker),
            Kind::Handle => handle::trace(Gc::from_address(address), marker),
        }
    }
}

/// Marks what a part of a row of values or of a table refers to.
fn trace_part(cell: Gc<Header>, part: Range<usize>, marker: &mut Marker) {
    let address = cell.address();
    // SAFETY: a cell's kind fixes its type (see `CellType`).
    unsafe {
        match cell.kind() {
            Kind::Values => values::trace(Gc::from_address(address), part, marker),
            Kind::Dictionary => map::trace_dictionary(Gc::from_address(address), part, marker),
            _ => trace(cell, marker),
        }
    }
}
