//! The kinds of cells: layout, and the operations that know it.

pub mod allocator;
pub mod function;
pub mod handle;
pub mod list;
pub mod map;
pub mod range;
pub mod string;
mod trace;
pub mod values;

pub use trace::TRACER;
