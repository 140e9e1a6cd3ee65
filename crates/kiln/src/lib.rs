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
mod interpreter;

pub use compile::{CompileErrors, CompileOptions, compile};
pub use interpreter::{Interpreter, Outcome};
pub use kiln_bytecode::CodeBlock;
pub use kiln_vm::error::{Position, RuntimeError, ScriptError};
pub use kiln_vm::frame::{Interrupter, Limits};
pub use kiln_vm::host::{Host, Identity, Keyboard, Library, NoHost};
pub use kiln_vm::vm::StartError;
