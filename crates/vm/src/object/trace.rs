//! Tells the collector what each kind of cell refers to.

use crate::heap::{Gc, Header, Kind, Marker};
use crate::object::values::{ElementKind, ValuesCell};
use crate::object::{function, handle, list, map, string};

/// Marks what the cell refers to.
pub fn trace(cell: Gc<Header>, marker: &mut Marker) {
    let address = cell.address();
    // SAFETY: a cell's kind fixes its type (see `CellType`).
    unsafe {
        match cell.kind() {
            Kind::Free | Kind::Bytes | Kind::Range => {}
            Kind::String => string::trace_string(Gc::from_address(address), marker),
            Kind::List => list::trace(Gc::from_address(address), marker),
            Kind::Values => {
                let values: Gc<ValuesCell> = Gc::from_address(address);
                if values.element_kind() == ElementKind::Mixed {
                    marker.values(values.start(), values.capacity());
                }
            }
            Kind::Map => map::trace(Gc::from_address(address), marker),
            Kind::Dictionary => map::trace_dictionary(Gc::from_address(address), marker),
            Kind::Function => function::trace(Gc::from_address(address), marker),
            Kind::Handle => handle::trace(Gc::from_address(address), marker),
        }
    }
}
