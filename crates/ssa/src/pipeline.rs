//! The order of the passes, with dumps, timings, checks, and a way to stop half-way in search of the pass that breaks something.

use std::time::{Duration, Instant};

use thiserror::Error;

use crate::build::{BuildError, build};
use crate::ir::Function;
use crate::job::CompileJob;
use crate::passes;
use crate::verifier::{VerifyError, verify_with_job};

/// A pass.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// The name in dumps.
    pub name: &'static str,
    /// What it does to a function.
    pub run: fn(&mut Function),
}

/// Names of passes to passes.
macro_rules! passes {
    ($($name:ident),* $(,)?) => {
        &[$(Pass { name: stringify!($name), run: passes::$name::run }),*]
    };
}

/// All passes in the order in which they run.
pub const PASSES: &[Pass] = passes![
    control_flow,
    dead_code,
    guards,
    global_promotion,
    dead_code,
    entry_guards,
    kinds,
    unboxing,
    value_numbering,
    memory,
    control_flow,
    dead_code,
    loop_rotation,
    control_flow,
    dead_code,
    loop_invariants,
    kinds,
    unboxing,
    value_numbering,
    dead_code,
    loop_invariants,
    ranges,
    value_numbering,
    memory,
    checkpoints,
    control_flow,
    dead_code,
    cold_blocks,
];

/// The pass with this name.
pub fn pass(name: &str) -> Option<Pass> {
    PASSES.iter().copied().find(|pass| pass.name == name)
}

/// How to run the passes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Run only so many passes; all if none.
    pub stop_after: Option<usize>,
    /// Leave out passes with these names.
    pub skip: Vec<String>,
    /// Check the rules after every pass, also in release builds.
    pub verify: bool,
}

/// What a pass did.
#[derive(Clone, Debug)]
pub struct Step {
    /// The pass; `build` for the first step.
    pub pass: &'static str,
    /// How long it took.
    pub time: Duration,
}

/// Why there is no optimized function.
#[derive(Clone, Debug, Error)]
pub enum OptimizeError {
    /// The job cannot be compiled.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A pass broke a rule: a defect of the pass.
    #[error("behind {pass}: {error}")]
    Invalid {
        /// The pass.
        pass: &'static str,
        /// The rule.
        error: VerifyError,
    },
}

/// Builds the function of a job and runs the passes.
///
/// `observe` sees the function after every step, with what the step was; dumps are made there.
///
/// # Errors
///
/// Declines functions that exceed the job's limits; reports passes that break rules, if checks are on.
pub fn optimize(
    job: &CompileJob,
    options: &Options,
    observe: &mut dyn FnMut(&Step, &Function),
) -> Result<Function, OptimizeError> {
    let start = Instant::now();
    let mut function = build(job)?;
    let mut finish = |name, start: Instant, function: &Function| {
        let step = Step {
            pass: name,
            time: start.elapsed(),
        };
        observe(&step, function);
        if options.verify || cfg!(debug_assertions) {
            verify_with_job(function, job)
                .map_err(|error| OptimizeError::Invalid { pass: name, error })?;
        }
        Ok::<(), OptimizeError>(())
    };
    finish("build", start, &function)?;
    let count = options.stop_after.unwrap_or(PASSES.len());
    for pass in PASSES.iter().take(count) {
        if options.skip.iter().any(|name| name == pass.name) {
            continue;
        }
        let start = Instant::now();
        (pass.run)(&mut function);
        finish(pass.name, start, &function)?;
    }
    Ok(function)
}
