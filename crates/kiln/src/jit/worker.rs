//! Compilation on a thread of its own.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use kiln_codegen::baseline::{CompileError, Compiler, Job};
use kiln_codegen::code_memory::MachineCode;
use kiln_vm::safepoint::{Reason, Safepoint};

/// A function to be compiled. The address identifies its code instance.
pub(super) struct Order {
    pub code: usize,
    pub job: Job,
}

/// What became of an order.
pub(super) struct Delivery {
    pub code: usize,
    pub name: String,
    pub result: Result<MachineCode, CompileError>,
    pub time: Duration,
}

impl Order {
    /// Compiles the function.
    pub fn carry_out(self, compiler: &mut Compiler) -> Delivery {
        let start = Instant::now();
        let result = compiler.compile(&self.job, None);
        Delivery {
            code: self.code,
            name: self.job.name,
            result,
            time: start.elapsed(),
        }
    }
}

/// The thread. It ends when this is dropped and its current compilation is done.
pub(super) struct Worker {
    orders: Sender<Order>,
    deliveries: Receiver<Delivery>,
}

impl Worker {
    /// Starts the thread; each delivery requests a safepoint of the interpreter.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(mut compiler: Compiler, safepoint: Safepoint) -> std::io::Result<Worker> {
        let (orders, incoming) = channel::<Order>();
        let (outgoing, deliveries) = channel();
        let work = move || {
            while let Ok(order) = incoming.recv() {
                if outgoing.send(order.carry_out(&mut compiler)).is_err() {
                    return;
                }
                safepoint.request(Reason::InstallCode);
            }
        };
        std::thread::Builder::new()
            .name("kiln-compile".into())
            .spawn(work)?;
        Ok(Worker { orders, deliveries })
    }

    /// Hands a function to the thread. False if the thread is gone.
    pub fn order(&self, order: Order) -> bool {
        self.orders.send(order).is_ok()
    }

    /// What has been delivered meanwhile.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.deliveries.try_iter().collect()
    }
}
