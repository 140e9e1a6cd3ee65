//! Kiln: a tiered runtime for dynamic scripting languages.
//!
//! ```
//! use kiln::{CompileOptions, Interpreter, Limits, NoHost, Outcome};
//!
//! let program = kiln::compile("answer.ms", b"answer = 6 * 7", CompileOptions::default())?;
//! let mut interpreter = Interpreter::new(Limits::default(), Box::new(NoHost))?;
//! assert_eq!(interpreter.run(&program)?, Outcome::Finished);
//! assert_eq!(interpreter.global_text("answer").as_deref(), Some("42"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod compile;
mod dump;
mod interpreter;
mod jit;
mod modules;
pub mod profile;
mod session;

/// The functions that every program finds, for listings and completion.
pub mod intrinsics {
    pub use kiln_vm::intrinsics::{Default, Intrinsic, Parameter, families, members};
}

pub use compile::{
    CompileErrors, CompileOptions, compile, is_compiled, load_compiled, save_compiled,
};
pub use dump::{Stage, dump};
pub use interpreter::{Interpreter, Interrupter, LineOutcome, Outcome};
pub use jit::{JitOptions, JitReport, Tier, TierEvent, TierEventKind};
pub use kiln_bytecode::{CodeBlock, FileError};
pub use kiln_frontend::diagnostic::Diagnostic;
pub use kiln_vm::error::{Position, RuntimeError, ScriptError};
pub use kiln_vm::frame::Limits;
pub use kiln_vm::heap::Statistics;
pub use kiln_vm::host::{Host, Identity, Keyboard, Library, NoHost};
pub use kiln_vm::vm::StartError;
pub use modules::Modules;
pub use session::{Line, LineReader};
