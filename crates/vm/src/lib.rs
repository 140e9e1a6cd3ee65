//! A whole language system without a compiler: values, heap, object model, interpreter and intrinsics.

pub mod error;
pub mod feedback;
pub mod file_system;
pub mod frame;
pub mod heap;
pub mod host;
mod interp;
pub mod intrinsics;
mod member_cache;
pub mod object;
pub mod profile;
mod results;
mod rooted;
pub mod runtime;
pub mod safepoint;
pub mod semantics;
pub mod stack;
pub mod text;
pub mod tier;
pub mod value;
pub mod vm;
pub mod watch;

pub use rooted::Rooted;
pub use value::Value;
pub use vm::Vm;
