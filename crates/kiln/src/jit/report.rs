//! What became of code, for the profiler and for people.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// Something that happened to the code of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct TierEvent {
    /// When, since the interpreter was made.
    pub time: Duration,
    /// The function, as profilers call it.
    pub function: String,
    /// What.
    pub kind: TierEventKind,
}

/// What happened to the code of a function.
#[derive(Clone, Debug, PartialEq)]
pub enum TierEventKind {
    /// It was found hot and handed to the compiler.
    Queued,
    /// Its machine code was installed.
    Installed {
        /// The length of the code in bytes.
        bytes: usize,
        /// The number of bytecode instructions.
        instructions: usize,
        /// The processor time of the compilation.
        compile_time: Duration,
    },
    /// Optimized code was installed, for calls or for a loop.
    Optimized {
        /// The loop's index.
        for_loop: Option<usize>,
        /// The length of the code in bytes.
        bytes: usize,
        /// The number of instructions of the optimizer's form.
        instructions: usize,
        /// The processor time of the compilation.
        compile_time: Duration,
    },
    /// Optimized code gave up too often, or what it took for granted has changed: it was thrown away.
    Deoptimized {
        /// The line of the place where it gave up last.
        line: u32,
    },
    /// Its machine code was thrown away for want of room.
    Evicted,
    /// It cannot be compiled; the interpreter goes on running it.
    Refused {
        /// Why.
        reason: String,
    },
    /// Compilation is limited for the whole program: there is no thread for it, or no memory for its code.
    Limited {
        /// Why, and what that means.
        reason: String,
    },
}

impl Display for TierEvent {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:>9.1?}  {}: ", self.time, self.function)?;
        match &self.kind {
            TierEventKind::Queued => f.write_str("hot"),
            TierEventKind::Installed {
                bytes,
                instructions,
                compile_time,
            } => write!(
                f,
                "{instructions} instructions, {bytes} bytes in {compile_time:.0?}"
            ),
            TierEventKind::Optimized {
                bytes,
                instructions,
                compile_time,
                ..
            } => write!(
                f,
                "optimized: {instructions} operations, {bytes} bytes in {compile_time:.0?}"
            ),
            TierEventKind::Deoptimized { line } => write!(f, "given up in line {line}"),
            TierEventKind::Evicted => f.write_str("evicted"),
            TierEventKind::Refused { reason } => write!(f, "refused: {reason}"),
            TierEventKind::Limited { reason } => f.write_str(reason),
        }
    }
}

/// What an interpreter has compiled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JitReport {
    /// How many functions were compiled.
    pub compiled: usize,
    /// How many pieces of optimized code were made.
    pub optimized: usize,
    /// How many of these were thrown away because they gave up too often, or were no longer valid.
    pub deoptimized: usize,
    /// How many could not be.
    pub refused: usize,
    /// How many lost their code again.
    pub evicted: usize,
    /// The length of all code made, in bytes.
    pub code_bytes: usize,
    /// The number of bytecode instructions it was made from.
    pub instructions: usize,
    /// The time spent compiling, on any thread.
    pub compile_time: Duration,
    /// What happened, in order, if [`JitOptions::record`](super::JitOptions::record) is set.
    pub events: Vec<TierEvent>,
    /// What was optimized, as text, if [`JitOptions::list`](super::JitOptions::list) is set.
    pub listings: Vec<CodeListing>,
}

/// A piece of optimized code as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeListing {
    /// The function.
    pub function: String,
    /// The loop it is for, by its index; none if it is for calls.
    pub for_loop: Option<usize>,
    /// The optimizer's form behind each pass, with the pass's name.
    pub passes: Vec<(&'static str, String)>,
    /// Cranelift's intermediate form.
    pub clif: String,
    /// Machine instructions.
    pub assembly: String,
}
