//! Compiled code: options, the policy that decides what is compiled when, and the threads that do it.

mod compile_threads;
mod delayed;
mod machine_code;
mod optimization;
mod optimized;
mod policy;
mod report;
mod turns;
mod worker;

use kiln_vm::Vm;

pub use kiln_codegen::optimizing::PassOptions;
pub use machine_code::{CodeForm, MachineCodeError, machine_code};
pub(crate) use optimization::with_article;
pub use optimization::{
    Assumption, BoxedVariable, CodePlace, DirectCall, GuardFailure, GuardKind, GuardSite,
    InlinedCall, InterpretedReason, InterpretedSite, Optimization, ValueSource,
};
pub use report::{CodeListing, CompilePhases, JitReport, TierEvent, TierEventKind};

pub(crate) use compile_threads::CompileThreads;
use policy::Policy;

/// The highest tier that code may reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tier {
    /// Only the interpreter runs.
    Off,
    /// Hot code is compiled by the baseline compiler.
    #[default]
    Baseline,
    /// What stays hot is compiled again by the optimizing compiler.
    Optimizing,
}

/// When and how code is compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JitOptions {
    /// The highest tier.
    pub tier: Tier,
    /// How often each instruction of a function must have been executed, on average, for the function to be compiled. Compiling an
    /// instruction takes about as long as interpreting it this often.
    pub threshold: u32,
    /// How often each instruction must have been executed for the function to be optimized.
    pub optimize_threshold: u32,
    /// The most bytes of machine code.
    pub code_bytes: usize,
    /// Compile on the engine's threads, while the script goes on. Without it the script waits for its code, and what is compiled when depends on the script
    /// alone.
    pub background: bool,
    /// For tests: throw away all code that is not running whenever anything gets hot.
    pub evict_always: bool,
    /// For tests: what goes wrong on purpose.
    pub faults: FaultOptions,
    /// List compiled code in a file for the profiler `perf`.
    pub perf_map: bool,
    /// Register compiled code with a debugger that knows the interface of GDB.
    pub debugger: bool,
    /// Write a line to standard error whenever something happens to code.
    pub log: bool,
    /// Keep a record of what happens to code, for [`JitReport::events`].
    pub record: bool,
    /// Keep the texts of optimized code, for [`JitReport::listings`].
    pub list: bool,
    /// Which passes of the optimizer run, for finding the one that is wrong.
    pub passes: PassOptions,
}

/// What goes wrong on purpose, for tests of what seldom happens. Programs do the same as ever. Each number means: every so often; 0
/// is never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultOptions {
    /// Optimized code gives up at every so many-th guard.
    pub fail_guards: u32,
    /// What optimized code takes for granted is declared broken at every so many-th look at it, which entries and calls take.
    pub invalidate: u32,
    /// Compiled code is installed late, by up to so many events of the policy, of which each hot call or loop is one.
    pub delay: u32,
}

impl FaultOptions {
    /// Whether optimized code gives up without a reason, so that no conclusions are drawn from it.
    fn leaves_code(&self) -> bool {
        self.fail_guards > 0 || self.invalidate > 0
    }
}

/// See [`JitOptions::threshold`]: a baseline instruction takes some 15 µs to compile and saves some 3 ns each time it is executed.
const THRESHOLD: u32 = 4000;

/// See [`JitOptions::optimize_threshold`]: optimizing takes some ten times as long, and saves a nanosecond or two.
const OPTIMIZE_THRESHOLD: u32 = 30_000;

impl Default for JitOptions {
    fn default() -> JitOptions {
        JitOptions {
            tier: Tier::default(),
            threshold: THRESHOLD,
            optimize_threshold: OPTIMIZE_THRESHOLD,
            code_bytes: 32 << 20,
            background: true,
            evict_always: false,
            faults: FaultOptions::default(),
            perf_map: false,
            debugger: false,
            log: false,
            record: false,
            list: false,
            passes: PassOptions::default(),
        }
    }
}

impl JitOptions {
    /// Only the interpreter.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// let mut interpreter = engine.interpreter().jit(kiln::JitOptions::off()).build()?;
    /// # let _ = &mut interpreter;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn off() -> JitOptions {
        JitOptions {
            tier: Tier::Off,
            ..JitOptions::default()
        }
    }

    /// For tests: everything is compiled when it is executed first.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// let mut interpreter = engine.interpreter().jit(kiln::JitOptions::immediate()).build()?;
    /// # let _ = &mut interpreter;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn immediate() -> JitOptions {
        JitOptions {
            threshold: 1,
            optimize_threshold: 2,
            background: false,
            ..JitOptions::default()
        }
    }
}

/// An interpreter's compiled code.
pub(crate) struct Jit {
    policy: Option<policy::Shared>,
}

impl Jit {
    /// Sets an interpreter up. If code cannot be compiled here, the interpreter runs everything.
    pub(crate) fn new(vm: &mut Vm, options: &JitOptions, threads: &CompileThreads) -> Jit {
        let policy = match options.tier {
            Tier::Off => None,
            Tier::Baseline | Tier::Optimizing => Policy::install(vm, options.clone(), threads),
        };
        Jit { policy }
    }

    /// What has been compiled so far.
    pub(crate) fn report(&self) -> JitReport {
        match &self.policy {
            Some(policy) => policy::report(policy),
            None => JitReport::default(),
        }
    }
}
