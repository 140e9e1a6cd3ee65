//! Kiln: a tiered runtime for dynamic scripting languages, as a library.
//!
//! An [`Engine`] makes [`Interpreter`]s, each a script world of its own; programs are compiled once and run by any of them.
//!
//! ```
//! use kiln::{Engine, Intrinsic};
//!
//! let engine = Engine::new();
//! let program = engine.compile("greet.ms", "greeting = \"Hello, \" + userName + \"!\"")?;
//! let user = Intrinsic::new("userName", |_| Ok("world"));
//! let mut interpreter = engine.interpreter().intrinsic(user).build()?;
//! interpreter.run(&program)?;
//! assert_eq!(interpreter.global::<String>("greeting")?, "Hello, world!");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod compile;
mod context;
mod convert;
mod data;
mod deferred;
mod dump;
mod engine;
mod error;
mod files;
mod interpreter;
mod intrinsic;
mod jit;
mod limits;
mod modules;
mod object;
pub mod profile;
mod session;
mod timer;
mod value;

/// The functions that every program finds, for listings and completion.
pub mod intrinsics {
    pub use kiln_vm::intrinsics::{Default, Intrinsic, Parameter, families, members};
}

pub use builder::InterpreterBuilder;
pub use compile::{
    CompileErrors, CompileOptions, compile, is_compiled, load_compiled, save_compiled,
};
pub use context::{AsContext, Context};
pub use convert::{FromValue, IntoArguments, IntoValue};
pub use data::{Data, DataError, Record};
pub use deferred::{Completer, Deferred, deferred};
pub use dump::{Stage, dump};
pub use engine::{Engine, EngineOptions};
pub use error::Error;
pub use files::{FolderFiles, MemoryFiles};
pub use interpreter::{Interpreter, Interrupter, LineOutcome, Outcome, Progress, Reply};
pub use intrinsic::{Call, IntoDefault, Intrinsic};
pub use jit::{
    CodeForm, CodeListing, CompilePhases, FaultOptions, JitOptions, JitReport, MachineCodeError,
    PassOptions, Tier, TierEvent, TierEventKind, machine_code,
};
pub use kiln_bytecode::{CodeBlock, FileError, SourceSpan};
pub use kiln_frontend::diagnostic::Diagnostic;
pub use kiln_vm::error::{Position, RuntimeError, ScriptError};
pub use kiln_vm::file_system::{FileInfo, FileStream, FileSystem, OpenOptions, SystemFiles};
pub use kiln_vm::heap::Statistics;
pub use kiln_vm::host::{Host, Identity, Keyboard, Library, NoHost};
pub use kiln_vm::vm::StartError;
pub use limits::Limits;
pub use modules::Modules;
pub use object::Class;
pub use session::{Line, LineReader};
pub use value::{Function, List, Map, Object, Value};

/// The programs on the page about embedding.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/embedding.md")]
struct EmbeddingPage;
