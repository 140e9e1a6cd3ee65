//! One script world.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kiln_bytecode::CodeBlock;
use kiln_vm::error::{Ending, Fallible, RuntimeError, ScriptError};
use kiln_vm::frame::Limits;
use kiln_vm::host::Host;
use kiln_vm::profile::MemoryCensus;
use kiln_vm::safepoint::{Reason, Safepoint};
use kiln_vm::stack::{Progress, Suspension};
use kiln_vm::vm::{StartError, Vm};

use crate::jit::{Jit, JitOptions, JitReport};

/// How a program ended, if not by an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ran to its end.
    Finished,
    /// It called `exit` with this status.
    Exit(u8),
}

/// How a line of an interactive session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineOutcome {
    /// How the program ended.
    pub outcome: Outcome,
    /// The text of the line's value, if it had one other than null.
    pub result: Option<String>,
}

/// A script world: its own heap, globals, code and limits.
pub struct Interpreter {
    vm: Box<Vm>,
    jit: Jit,
}

/// Stops a script from another thread or a signal handler.
#[derive(Clone, Debug)]
pub struct Interrupter {
    safepoint: Safepoint,
}

impl Interrupter {
    /// Makes the script end with the error `interrupted` at its next call or loop pass.
    pub fn interrupt(&self) {
        self.safepoint.request(Reason::Stop);
    }
}

/// How often a waiting script looks for an interrupt.
const INTERRUPT_INTERVAL: Duration = Duration::from_millis(20);

/// How long `yield` lets the rest of the world run.
const YIELD: Duration = Duration::from_millis(1);

impl Interpreter {
    /// A new world.
    ///
    /// # Errors
    /// The system refuses memory, or the limits leave no room to begin with.
    pub fn new(limits: Limits, host: Box<dyn Host>) -> Result<Interpreter, StartError> {
        Interpreter::with_jit(limits, host, &JitOptions::default())
    }

    /// A new world whose code is compiled as the options say.
    ///
    /// # Errors
    /// As [`Interpreter::new`]. Where code cannot be compiled it is interpreted; that is no error.
    pub fn with_jit(
        limits: Limits,
        host: Box<dyn Host>,
        options: &JitOptions,
    ) -> Result<Interpreter, StartError> {
        let mut vm = Vm::new(limits, host)?;
        let jit = Jit::new(&mut vm, options);
        Ok(Interpreter { vm, jit })
    }

    /// What has been compiled so far.
    pub fn jit_report(&self) -> JitReport {
        self.jit.report()
    }

    /// Runs a program to its end. Its globals stay for the next one. A program that is run several times in a row keeps what
    /// the engine has learnt about it.
    ///
    /// # Errors
    /// The runtime error that ended it.
    pub fn run(&mut self, program: &Arc<CodeBlock>) -> Result<Outcome, ScriptError> {
        let program = program.clone();
        match self.on_script_stack(move |vm| {
            vm.run_program(&program)?;
            Ok(())
        }) {
            Ok(()) => Ok(Outcome::Finished),
            Err(Ending::Exit(status)) => Ok(Outcome::Exit(status)),
            Err(Ending::Reported(error)) => Err(*error),
            Err(Ending::Error(error)) => Err(ScriptError {
                error,
                stack: Vec::new(),
                omitted: 0,
            }),
        }
    }

    /// Runs a line of an interactive session, compiled by a [`LineReader`](crate::LineReader).
    ///
    /// # Errors
    /// The runtime error that ended it.
    pub fn run_line(&mut self, program: &Arc<CodeBlock>) -> Result<LineOutcome, ScriptError> {
        // Without memory for the name of the result there is none for the line either.
        let _ = self.on_script_stack(|vm| vm.begin_line());
        let outcome = self.run(program);
        let result = self.on_script_stack(|vm| vm.end_line());
        Ok(LineOutcome {
            outcome: outcome?,
            result: result.ok().flatten(),
        })
    }

    /// The names of the global variables.
    pub fn global_names(&mut self) -> Vec<String> {
        self.on_script_stack(|vm| vm.global_names())
            .unwrap_or_default()
    }

    /// The names of the members of a global variable that holds a map, inherited ones included.
    pub fn member_names(&mut self, global: &str) -> Vec<String> {
        let global = global.to_owned();
        let names = self.on_script_stack(move |vm| {
            let name = vm.intern(&global)?;
            match vm.global(name) {
                Some(value) => vm.key_texts(value),
                None => Ok(Vec::new()),
            }
        });
        names.unwrap_or_default()
    }

    /// The text of a global variable's value, as `str` makes it.
    pub fn global_text(&mut self, name: &str) -> Option<String> {
        let name = name.to_owned();
        self.on_script_stack(move |vm| {
            let name = vm.intern(&name)?;
            let mut text = String::new();
            Ok(match vm.global(name) {
                Some(value) => {
                    vm.append_text(value, &mut text)?;
                    Some(text)
                }
                None => None,
            })
        })
        .ok()
        .flatten()
    }

    /// Collects all garbage and looks at what is left; none if the system has no memory for a stack to do that on.
    pub fn memory_census(&mut self) -> Option<MemoryCensus> {
        self.on_script_stack(|vm| Ok(vm.memory_census())).ok()
    }

    /// A handle with which any thread can stop the script.
    pub fn interrupter(&self) -> Interrupter {
        Interrupter {
            safepoint: self.vm.safepoint_handle(),
        }
    }

    /// Takes back an interrupt that came when nothing was running.
    pub fn clear_interrupt(&mut self) {
        self.vm.withdraw(Reason::Stop);
    }

    /// The interpreter behind this one.
    pub fn vm(&mut self) -> &mut Vm {
        &mut self.vm
    }

    /// Runs work on the script stack, waiting where the script waits.
    fn on_script_stack<T: 'static>(
        &mut self,
        work: impl FnOnce(&mut Vm) -> Fallible<T> + 'static,
    ) -> Result<T, Ending> {
        let refused =
            |error: std::io::Error| Ending::Error(RuntimeError::Message(error.to_string().into()));
        let mut activity = self.vm.start(work).map_err(refused)?;
        self.vm.begin_profiled_run();
        loop {
            match self.vm.resume(&mut activity) {
                Some(Progress::Done(result)) => {
                    self.vm.end_profiled_run();
                    return result.map_err(|throw| throw.into_ending());
                }
                Some(Progress::Suspended(suspension)) => {
                    self.vm.host().flush();
                    let started = Instant::now();
                    match suspension {
                        Suspension::Yield => std::thread::sleep(YIELD),
                        Suspension::Wait(seconds) => self.sleep(seconds),
                        Suspension::SliceOver => {}
                    }
                    if let Some(profiler) = self.vm.profiler() {
                        profiler.pause(started.elapsed());
                    }
                }
                None => return Err(Ending::Error(RuntimeError::Interrupted)),
            }
        }
    }

    /// Sleeps for this many seconds, less if the script is interrupted.
    fn sleep(&self, seconds: f64) {
        let start = Instant::now();
        let span = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
        let safepoint = self.vm.safepoint_handle();
        // A profiler's question can wait until the script goes on.
        let may_sleep = || {
            let ends = [Reason::Stop, Reason::TimeUp, Reason::SliceOver];
            !ends.iter().any(|reason| safepoint.is_requested(*reason))
        };
        while may_sleep() {
            let left = span.saturating_sub(start.elapsed());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(INTERRUPT_INTERVAL));
        }
    }
}
