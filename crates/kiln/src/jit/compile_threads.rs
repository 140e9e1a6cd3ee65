//! The compile threads of an engine, which all of its interpreters share.
//!
//! Each interpreter has a queue of its own; [`Turns`] says which order is next. Nobody waits: an interpreter that finds its queue full
//! asks again when the code has been hot for some more time, and what has been made lies in a tray until the interpreter comes to
//! its next safepoint.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use kiln_vm::safepoint::{Reason, Safepoint};

use super::turns::Turns;
use super::worker::{Compilers, Delivery, Order};

/// Threads that compile, for any number of interpreters. They start when they are needed, and end with this.
#[derive(Debug)]
pub(crate) struct CompileThreads {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Something is waiting, or the end has come.
    changed: Condvar,
    most_threads: usize,
    /// Whether anything can be compiled for this machine, once that is known.
    is_possible: OnceLock<bool>,
}

#[derive(Debug, Default)]
struct State {
    turns: Turns<Client, Order>,
    threads: usize,
    idle: usize,
    has_ended: bool,
}

/// An interpreter, as compile threads know it.
#[derive(Debug)]
struct Client {
    safepoint: Safepoint,
    /// What has been made and not been fetched.
    tray: Mutex<Vec<Delivery>>,
}

/// An interpreter's access to the threads. When it is dropped its orders are forgotten; what is being compiled at that time is
/// thrown away when it is done.
pub(super) struct Orders {
    client: Arc<Client>,
    shared: Arc<Shared>,
}

impl CompileThreads {
    /// Up to so many threads.
    pub fn new(most_threads: usize) -> CompileThreads {
        CompileThreads {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                changed: Condvar::new(),
                most_threads,
                is_possible: OnceLock::new(),
            }),
        }
    }

    /// Whether anything can be compiled for this machine.
    pub fn is_possible(&self) -> bool {
        *self
            .shared
            .is_possible
            .get_or_init(kiln_codegen::baseline::is_possible)
    }

    /// Whether there may be any.
    pub fn may_start(&self) -> bool {
        self.shared.most_threads > 0
    }

    /// An interpreter's access; each delivery requests a safepoint of it.
    pub(super) fn orders(&self, safepoint: Safepoint) -> Orders {
        Orders {
            client: Arc::new(Client {
                safepoint,
                tray: Mutex::default(),
            }),
            shared: self.shared.clone(),
        }
    }
}

impl Drop for CompileThreads {
    fn drop(&mut self) {
        let left = {
            let mut state = self.shared.lock();
            state.has_ended = true;
            std::mem::take(&mut state.turns)
        };
        self.shared.changed.notify_all();
        drop(left);
    }
}

/// A panic under a lock leaves what it guards in order: everything is changed in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Orders {
    /// Sees to it that a thread will carry orders out.
    ///
    /// # Errors
    /// There is none, and the system refuses one.
    pub fn start_thread(&self) -> std::io::Result<()> {
        let mut state = self.shared.lock();
        let will_do = state.idle > state.turns.clients();
        if will_do || state.threads >= self.shared.most_threads {
            return Ok(());
        }
        let shared = self.shared.clone();
        let thread = std::thread::Builder::new().name("kiln-compile".into());
        match thread.spawn(move || shared.work()) {
            Ok(_) => {
                state.threads += 1;
                Ok(())
            }
            // Those that are there have to do.
            Err(_) if state.threads > 0 => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether another order may wait.
    pub fn has_room(&self) -> bool {
        self.shared.lock().turns.has_room(&self.client)
    }

    /// Hands a function to the threads, of which there is one at least. Those with the most `gain` come first.
    pub fn order(&self, order: Order, gain: u64) {
        let mut state = self.shared.lock();
        state.turns.add(&self.client, order.code, gain, order);
        drop(state);
        self.shared.changed.notify_one();
    }

    /// More is to be gained by a function that is waiting.
    pub fn raise(&self, code: usize, gain: u64) {
        self.shared.lock().turns.raise(&self.client, code, gain);
    }

    /// What has been delivered meanwhile.
    pub fn deliveries(&self) -> Vec<Delivery> {
        std::mem::take(&mut *lock(&self.client.tray))
    }
}

impl Drop for Orders {
    fn drop(&mut self) {
        let left = self.shared.lock().turns.remove(&self.client);
        drop(left);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// What a thread does.
    fn work(&self) {
        let mut compilers = None;
        while let Some((client, order)) = self.wait_for_order() {
            let delivery = carry_out(&mut compilers, order);
            lock(&client.tray).push(delivery);
            client.safepoint.request(Reason::InstallCode);
        }
    }

    /// The next order; none when the end has come.
    fn wait_for_order(&self) -> Option<(Arc<Client>, Order)> {
        let mut state = self.lock();
        loop {
            if state.has_ended {
                return None;
            }
            if let Some(next) = state.turns.next() {
                return Some(next);
            }
            state.idle += 1;
            let woken = self.changed.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

/// Carries an order out. A defect of the compiler costs this one function its code, and nobody else anything.
fn carry_out(compilers: &mut Option<Compilers>, order: Order) -> Delivery {
    let (code, name, kind) = (order.code, order.name().to_owned(), order.kind());
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let compilers = match compilers {
            Some(compilers) => compilers,
            None => compilers.insert(Compilers::new()?),
        };
        Ok(compilers.carry_out(order))
    }));
    match outcome {
        Ok(Ok(delivery)) => delivery,
        Ok(Err(error)) => Delivery::failed(code, name, kind, error),
        Err(_) => {
            // What a panic has left of them is not to be trusted.
            *compilers = None;
            Delivery::failed(code, name, kind, Compilers::defect())
        }
    }
}
