//! Strings: immutable sequences of code points, stored as UTF-8.
//!
//! # Layout
//!
//! A string cell starts with the same 16 bytes in every form; the flags say how it goes on.
//!
//! ```text
//!  0        header: flags (see `flags`), small = appends (see `rope`), word = length in bytes
//!  8        length in code points           u32
//! 12        hash, 0 while not computed      u32     (in a buffer: its capacity in bytes)
//!
//!           inline, ASCII      inline, other, buffer      ROPE           VIEW
//! 16        bytes …            index or null              left           owner
//! 24                           bytes …                    right          start in owner: byte u32
//! 28                                                                     start in owner: code point u32
//! ```
//!
//! * An *inline* string holds its bytes itself.
//! * A *rope* is a concatenation nobody has looked at yet. Its first reader flattens it: the text
//!   goes to a buffer, and the rope and all ropes below it become views of the buffer.
//! * A *view* is a piece of an inline string or of a buffer, its *owner*. An owner is never a rope
//!   or a view.
//! * A *buffer* is no string of the program. It has room behind its bytes, into which a string that
//!   ends where the buffer ends can be extended without copying it. Bytes once written never
//!   change.
//! * The *index* of text that is not ASCII says where every 16th code point starts (see `index`).
//!
//! A string changes its form only from rope to view. Its contents, length and ASCII flag never
//! change.
//!
//! # Borrowed text
//!
//! [`Gc::flat_str`](crate::heap::Gc::flat_str) lends the bytes of the cell. Cells do not move, and
//! the collector honours pointers into a cell's middle, so a `&str` held in a local of a function
//! that runs on the script stack stays valid across allocations. A function that keeps the text
//! elsewhere, or only an address computed from it, ends with [`keep_alive`].

mod cell;
mod compare;
mod index;
mod intern;
mod recent;
mod rope;
mod slice;
#[cfg(test)]
mod tests;

pub use cell::{StringCell, flags, keep_alive, trace_string};
pub use compare::{compare, equals, find, hash, hash_of};
pub use index::{char_at, code_point_at};
pub use intern::{
    SHARED_CHARACTERS, Strings, empty, from_char, intern, intern_cell, lookup_interned_cell,
    shared_character,
};
pub use rope::{concat, join_all, new_string, replicate};
pub use slice::substring;

/// The greatest length of a string, in code points.
pub const MAX_LENGTH: usize = 16_777_215;
