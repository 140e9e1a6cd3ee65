//! Compilation on a thread of its own.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use kiln_codegen::baseline::{CompileError, Compiler, Job};
use kiln_codegen::code_memory::MachineCode;
use kiln_codegen::optimizing::{
    Listing, OptimizedCode, OptimizingCompiler, OptimizingError, OptimizingJob,
};
use kiln_codegen::processor_time;
use kiln_vm::safepoint::{Reason, Safepoint};

use super::JitOptions;

/// A function to be compiled. The address identifies its code instance.
pub(super) struct Order {
    pub code: usize,
    pub work: Work,
}

/// What is to be made.
pub(super) enum Work {
    Baseline(Box<Job>),
    /// The number identifies the order.
    Optimize(u64, Box<OptimizingJob>),
}

/// What became of an order.
pub(super) struct Delivery {
    pub code: usize,
    pub name: String,
    pub goods: Goods,
    pub time: Duration,
}

/// What was made.
pub(super) enum Goods {
    Baseline(Result<MachineCode, CompileError>),
    /// The number of the order; what was written down on the way, if that was asked for.
    Optimized(
        u64,
        Box<Result<OptimizedCode, OptimizingError>>,
        Option<Box<Listing>>,
    ),
}

/// Both compilers.
pub(super) struct Compilers {
    baseline: Compiler,
    optimizing: OptimizingCompiler,
    /// Write down what becomes of optimized functions.
    lists: bool,
}

impl Compilers {
    /// Compilers for this machine.
    ///
    /// # Errors
    /// Nothing can be compiled for it.
    pub fn new(options: &JitOptions) -> Result<Compilers, CompileError> {
        Ok(Compilers {
            baseline: Compiler::new()?,
            optimizing: OptimizingCompiler::new(options.passes.clone())?,
            lists: options.list,
        })
    }

    /// Carries an order out.
    pub fn carry_out(&mut self, order: Order) -> Delivery {
        let start = processor_time::of_this_thread();
        let (name, goods) = match order.work {
            Work::Baseline(job) => {
                let result = self.baseline.compile(&job, None);
                (job.name, Goods::Baseline(result))
            }
            Work::Optimize(number, job) => {
                let mut listing = self.lists.then(Box::<Listing>::default);
                let result = self.optimizing.compile(&job, listing.as_deref_mut());
                (
                    job.name,
                    Goods::Optimized(number, Box::new(result), listing),
                )
            }
        };
        Delivery {
            code: order.code,
            name,
            goods,
            time: processor_time::of_this_thread().saturating_sub(start),
        }
    }
}

/// The thread. It starts with the first order, since most interpreters of a program with many never have one, and ends when this is
/// dropped and its current compilation is done.
pub(super) struct Worker {
    /// What the thread begins with, until it is started.
    start: Option<Box<Start>>,
    orders: Sender<Order>,
    deliveries: Receiver<Delivery>,
}

struct Start {
    compilers: Compilers,
    safepoint: Safepoint,
    incoming: Receiver<Order>,
    outgoing: Sender<Delivery>,
}

impl Worker {
    /// A thread that starts when it has something to do; each delivery requests a safepoint of the interpreter.
    pub fn new(compilers: Compilers, safepoint: Safepoint) -> Worker {
        let (orders, incoming) = channel();
        let (outgoing, deliveries) = channel();
        Worker {
            start: Some(Box::new(Start {
                compilers,
                safepoint,
                incoming,
                outgoing,
            })),
            orders,
            deliveries,
        }
    }

    /// Starts the thread unless it has been started.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(&mut self) -> std::io::Result<()> {
        if let Some(start) = self.start.take() {
            let thread = std::thread::Builder::new().name("kiln-compile".into());
            thread.spawn(move || start.work())?;
        }
        Ok(())
    }

    /// Hands a function to the thread, which has been started. False if it is gone.
    pub fn order(&self, order: Order) -> bool {
        self.orders.send(order).is_ok()
    }

    /// What has been delivered meanwhile.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.deliveries.try_iter().collect()
    }
}

impl Start {
    /// What the thread does.
    fn work(mut self) {
        while let Ok(order) = self.incoming.recv() {
            let delivery = self.compilers.carry_out(order);
            if self.outgoing.send(delivery).is_err() {
                return;
            }
            self.safepoint.request(Reason::InstallCode);
        }
    }
}
