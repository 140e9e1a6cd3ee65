//! Functions as text: for dumps, for tests, for bisecting passes.
//!
//! ```text
//! function "countdown"
//! b0:
//!   v0: tagged = argument r3
//!   v1: f64 = guard_number v0, frame0
//!   jump b1(v1)
//! b1(v2: f64):
//!   v3: f64 truth = number 1.0
//!   v4: f64 = subtract_f64 v2, v3
//!   v5: f64 truth = number 0.0
//!   v6: bool = compare_f64 greater, v4, v5
//!   branch v6, b1(v4), b2
//! b2 cold:
//!   v7: tagged null = null
//!   return_value v7
//! frame0 = code0@0 r3=v0
//! end
//! ```
//!
//! The first block is the entry. A value is followed by its type: the representation, and the kinds unless they are all that the
//! representation can hold. Frame states stand behind the blocks: code, position, registers and global variables with their values; an inlined
//! function's window is given as `+12`, its distance from the outermost one, and its caller's frame state behind `in`. What stands
//! behind `;` is a comment.
//!
//! [`Function`](crate::ir::Function) displays as this text; [`parse`] reads it.

mod parser;
mod printer;
mod scanner;

pub use parser::{ParseError, parse};
pub use scanner::{Problem, Scanner};
