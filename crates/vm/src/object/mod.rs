//! The kinds of cells: layout and the operations that know it.

pub mod allocator;
pub mod function;
pub mod list;
pub mod map;
pub mod string;
