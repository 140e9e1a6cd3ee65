//! Orders for compiled code, and the compilers that carry them out.

use std::time::{Duration, Instant};

use kiln_codegen::baseline::{CompileError, Compiler, Job};
use kiln_codegen::code_memory::MachineCode;
use kiln_codegen::optimizing::{
    Listing, OptimizedCode, OptimizingCompiler, OptimizingError, OptimizingJob, PassOptions,
};
use kiln_codegen::processor_time;

use super::CompilePhases;

/// A function to be compiled. The address identifies its code instance.
pub(super) struct Order {
    pub code: usize,
    pub work: Work,
    pub ordered: Instant,
}

impl Order {
    pub fn new(code: usize, work: Work) -> Order {
        Order {
            code,
            work,
            ordered: Instant::now(),
        }
    }

    /// What the function is called.
    pub fn name(&self) -> &str {
        match &self.work {
            Work::Baseline(job) => &job.name,
            Work::Optimize(optimize) => &optimize.job.name,
        }
    }

    pub fn kind(&self) -> Kind {
        match &self.work {
            Work::Baseline(_) => Kind::Baseline,
            Work::Optimize(optimize) => Kind::Optimize(optimize.number),
        }
    }
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Order({}, {:?})", self.name(), self.kind())
    }
}

/// Which compiler an order is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Baseline,
    /// With the order's number.
    Optimize(u64),
}

/// What is to be made.
pub(super) enum Work {
    Baseline(Box<Job>),
    Optimize(Box<Optimize>),
}

/// An order for optimized code.
pub(super) struct Optimize {
    /// Identifies the order.
    pub number: u64,
    pub job: OptimizingJob,
    pub passes: PassOptions,
    /// Write down what becomes of the function.
    pub lists: bool,
}

/// What became of an order.
pub(super) struct Delivery {
    pub goods: Goods,
    pub making: Making,
}

/// How an order was carried out.
pub(super) struct Making {
    /// The address of the code instance.
    pub code: usize,
    pub name: String,
    /// The processor time.
    pub time: Duration,
    phases: CompilePhases,
    finished: Instant,
}

impl Making {
    /// Where the time went, up to now.
    pub fn phases(&self) -> CompilePhases {
        CompilePhases {
            installed: self.finished.elapsed(),
            ..self.phases
        }
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Delivery({})", self.making.name)
    }
}

impl Delivery {
    /// Nothing could be made.
    pub fn failed(code: usize, name: String, kind: Kind, error: CompileError) -> Delivery {
        let goods = match kind {
            Kind::Baseline => Goods::Baseline(Err(error)),
            Kind::Optimize(number) => Goods::Optimized(number, Box::new(Err(error.into())), None),
        };
        let making = Making {
            code,
            name,
            time: Duration::ZERO,
            phases: CompilePhases::default(),
            finished: Instant::now(),
        };
        Delivery { goods, making }
    }
}

/// What was made.
pub(super) enum Goods {
    Baseline(Result<MachineCode, CompileError>),
    /// The number of the order; what was written down on the way, if that was asked for.
    Optimized(
        u64,
        Box<Result<Optimized, OptimizingError>>,
        Option<Box<Listing>>,
    ),
}

/// Optimized code with its job, which knows names.
pub(super) struct Optimized {
    pub code: OptimizedCode,
    pub job: OptimizingJob,
}

/// Both compilers.
pub(super) struct Compilers {
    baseline: Compiler,
    optimizing: OptimizingCompiler,
}

impl Compilers {
    /// Compilers for this machine.
    ///
    /// # Errors
    /// Nothing can be compiled for it.
    pub fn new() -> Result<Compilers, CompileError> {
        Ok(Compilers {
            baseline: Compiler::new()?,
            optimizing: OptimizingCompiler::new()?,
        })
    }

    /// What is said of an order that made a compiler panic.
    pub fn defect() -> CompileError {
        CompileError::Backend("internal error".into())
    }

    /// Carries an order out.
    pub fn carry_out(&mut self, order: Order) -> Delivery {
        let start = processor_time::of_this_thread();
        let began = Instant::now();
        let mut phases = CompilePhases {
            waited: began.saturating_duration_since(order.ordered),
            ..CompilePhases::default()
        };
        let (name, goods) = match order.work {
            Work::Baseline(job) => {
                let result = self.baseline.compile(&job, None);
                (job.name, Goods::Baseline(result))
            }
            Work::Optimize(optimize) => {
                let Optimize {
                    number,
                    job,
                    passes,
                    lists,
                } = *optimize;
                let mut listing = lists.then(Box::<Listing>::default);
                let listed = listing.as_deref_mut();
                let result = self.optimizing.compile(&job, &passes, listed);
                let name = job.name.clone();
                let result = result.map(|code| {
                    phases.optimized = code.optimizer_time;
                    Optimized { code, job }
                });
                (name, Goods::Optimized(number, Box::new(result), listing))
            }
        };
        phases.generated = began.elapsed().saturating_sub(phases.optimized);
        let making = Making {
            code: order.code,
            name,
            time: processor_time::of_this_thread().saturating_sub(start),
            phases,
            finished: Instant::now(),
        };
        Delivery { goods, making }
    }
}
