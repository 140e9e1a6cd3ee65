//! What became of code, for the profiler and for people.

use std::fmt::{self, Display, Formatter};
use std::time::{Duration, Instant};

use super::optimization::{GuardFailure, Optimization};

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

/// Where the time went from the order of machine code to its being ready, as it passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompilePhases {
    /// Waiting until the compiler was free.
    pub waited: Duration,
    /// In the optimizer; nothing in baseline compilations.
    pub optimized: Duration,
    /// In the code generator.
    pub generated: Duration,
    /// From the end of the compilation to the code being in place: waiting for the script to take notice, and copying.
    pub installed: Duration,
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
        /// Where the time went.
        phases: CompilePhases,
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
        /// Where the time went.
        phases: CompilePhases,
        /// What the compiler made of the function, if that is recorded.
        optimization: Option<Box<Optimization>>,
    },
    /// Optimized code gave up too often, or what it took for granted has changed: it was thrown away.
    Deoptimized {
        /// The line of the place where it gave up last.
        line: u32,
        /// The guard that failed there, if that is recorded; none if an assumption was broken.
        failure: Option<Box<GuardFailure>>,
        /// Whether an assumption was broken: something was changed that the code took for granted.
        broken_assumption: bool,
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
                ..
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
            TierEventKind::Deoptimized {
                line,
                failure,
                broken_assumption,
            } => {
                write!(f, "given up in line {line}")?;
                match failure {
                    _ if *broken_assumption => f.write_str(": an assumption was broken"),
                    Some(failure) => write!(f, ": {}", failure.sentence()),
                    None => Ok(()),
                }
            }
            TierEventKind::Evicted => f.write_str("evicted"),
            TierEventKind::Refused { reason } => write!(f, "refused: {reason}"),
            TierEventKind::Limited { reason } => f.write_str(reason),
        }
    }
}

/// What an interpreter has compiled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JitReport {
    /// When the interpreter was made, from which events count; none if nothing can be compiled.
    pub started: Option<Instant>,
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
    /// The guards of optimized code that failed, in the order in which they first did, if that is recorded.
    pub guard_failures: Vec<GuardFailure>,
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
