//! Kiln's optimizer: from bytecode and what the interpreter has observed to typed SSA form, ready to be lowered to machine code.
//!
//! The crate never touches an object of the running program. A [`job::CompileJob`] owns copies of all it needs and names objects by numbers, so
//! an optimization can run on any thread and be tested as text.
#![forbid(unsafe_code)]

pub mod analysis;
pub mod build;
pub mod entity;
pub mod ir;
pub mod job;
pub mod passes;
pub mod pipeline;
pub mod summary;
pub mod text;
pub mod verifier;

pub use ir::Function;
pub use job::CompileJob;
