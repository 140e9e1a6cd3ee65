//! What the object model needs of the interpreter around it.

use crate::error::Fallible;
use crate::heap::{Gc, Header, Kind};
use crate::object::string::Strings;
use crate::value::Value;

/// Makes cells. The interpreter implements it; object code that only allocates asks for no more than this.
pub trait Allocator {
    /// A new cell of `bytes` bytes, header included. Everything behind the header is undefined and must be
    /// filled in before the next allocation, which may collect garbage.
    ///
    /// # Errors
    /// Fails if the heap limit is reached.
    fn allocate(&mut self, kind: Kind, bytes: usize) -> Fallible<Gc<Header>>;

    /// Must be called after references are stored in `owner`, before the next allocation.
    fn write_barrier(&mut self, owner: &Header);

    /// Must be called after a reference is stored at `place` in `owner`, which may be large, before the next allocation. In a
    /// table, `place` is where the changed entry begins.
    fn write_barrier_at(&mut self, owner: &Header, place: *const Value);

    /// Tells that a row of values, to which only one cell referred, has been replaced there by another.
    fn abandon(&mut self, row: Gc<Header>);

    /// The strings this interpreter shares: one-character strings and interned ones.
    fn strings(&mut self) -> &mut Strings;
}
