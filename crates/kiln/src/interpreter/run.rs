//! Running programs: whole, in time slices, step by step, line by line.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kiln_bytecode::CodeBlock;
use kiln_vm::error::{Ending, Fallible, RuntimeError, ScriptError};
use kiln_vm::safepoint::{Reason, Safepoint};
use kiln_vm::stack::{self, Activity, Suspension};
use kiln_vm::{Rooted, Vm};

use super::Interpreter;
use crate::context::{self, sealed};
use crate::convert::{FromValue, IntoArguments};
use crate::error::Error;
use crate::session::Line;
use crate::timer::Deadlines;
use crate::value::Function;

/// How a program ended, if not by an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ran to its end.
    Finished,
    /// It called `exit` with this status.
    Exit(u8),
}

/// What a script has come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Progress {
    /// It has ended.
    Done(Outcome),
    /// It called `yield`: it has nothing more to do in this frame.
    Yielded,
    /// It called `wait`, and need not be resumed before this much time has passed.
    Waiting(Duration),
    /// An intrinsic of the host is not done yet.
    Pending,
    /// Its time slice is over.
    SliceOver,
}

impl Progress {
    /// Whether the script has ended.
    ///
    /// ```
    /// use kiln::{Outcome, Progress};
    ///
    /// assert!(Progress::Done(Outcome::Exit(1)).is_done());
    /// assert!(!Progress::Yielded.is_done());
    /// ```
    pub fn is_done(&self) -> bool {
        matches!(self, Progress::Done(_))
    }
}

/// How a line of an interactive session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineOutcome {
    /// How the program ended.
    pub outcome: Outcome,
    /// The text of the line's value, if it had one other than null.
    pub result: Option<String>,
}

/// What a line given to [`Interpreter::read`] led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A block, a function or the line itself is open: more is needed.
    Incomplete,
    /// It was run.
    Done(Outcome),
}

/// A script that has been started.
pub(super) struct Running {
    activity: Activity<Option<Rooted>>,
    /// Whether it is a line of a session, whose value is implicit output.
    is_line: bool,
}

/// Stops a script from another thread or a signal handler.
#[derive(Clone, Debug)]
pub struct Interrupter {
    safepoint: Safepoint,
}

impl Interrupter {
    /// Makes the script end with the error `interrupted` at its next call or loop pass.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// let interrupter = interpreter.interrupter();
    /// // It could come from a signal handler, or when a window is closed.
    /// interrupter.interrupt();
    /// let error = interpreter.run(&engine.compile("x.ms", "while true\nend while")?).unwrap_err();
    /// assert_eq!(error.error.to_string(), "interrupted");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn interrupt(&self) {
        self.safepoint.request(Reason::Stop);
    }
}

/// How often a waiting script looks for an interrupt.
const INTERRUPT_INTERVAL: Duration = Duration::from_millis(20);

/// How long `yield` lets the rest of the world run.
const YIELD: Duration = Duration::from_millis(1);

impl Interpreter {
    /// Runs a program to its end, sleeping where it waits. Its globals stay for the next one.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use kiln::Outcome;
    ///
    /// assert_eq!(interpreter.run(&engine.compile("one.ms", "x = 1")?)?, Outcome::Finished);
    /// assert_eq!(interpreter.run(&engine.compile("two.ms", "exit x + 1")?)?, Outcome::Exit(2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The runtime error that ended it.
    pub fn run(&mut self, program: &Arc<CodeBlock>) -> Result<Outcome, ScriptError> {
        let outcome = self.start(program).and_then(|()| self.run_until_done());
        outcome.map_err(script_error)
    }

    /// Starts a program, which does not run before it is resumed.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.start(&engine.compile("x.ms", "x = 1")?)?;
    /// assert!(interpreter.is_running());
    /// assert!(interpreter.resume()?.is_done());
    /// assert_eq!(interpreter.global::<f64>("x")?, 1.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// There is a script that has not ended, or the system refuses memory.
    pub fn start(&mut self, program: &Arc<CodeBlock>) -> Result<(), Error> {
        self.start_program(program, false)
    }

    fn start_program(&mut self, program: &Arc<CodeBlock>, is_line: bool) -> Result<(), Error> {
        let program = program.clone();
        self.begin(is_line, move |vm| {
            vm.run_program(&program)?;
            Ok(None)
        })
    }

    /// Starts a call of a function, which may then be suspended like a program; [`Interpreter::result`] is what it has returned.
    ///
    /// ```
    /// use kiln::{Engine, Outcome, Progress};
    ///
    /// let engine = Engine::new();
    /// let mut interpreter = engine.interpreter().build()?;
    /// let program = "count = function(n)\nfor i in range(1, n)\nyield\nend for\nreturn n\nend function";
    /// interpreter.run(&engine.compile("x.ms", program)?)?;
    /// let count: kiln::Function = interpreter.global("count")?;
    /// interpreter.start_call(&count, (2,))?;
    /// assert_eq!(interpreter.resume()?, Progress::Yielded);
    /// assert_eq!(interpreter.resume()?, Progress::Yielded);
    /// assert_eq!(interpreter.resume()?, Progress::Done(Outcome::Finished));
    /// assert_eq!(interpreter.result::<f64>()?, 2.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// There is a script that has not ended, an argument cannot be converted, or the system refuses memory.
    pub fn start_call(
        &mut self,
        function: &Function,
        arguments: impl IntoArguments,
    ) -> Result<(), Error> {
        let call = context::enter(&mut self.vm, |context| {
            context.root_call(function, arguments)
        })?;
        self.begin(false, move |vm| vm.run_rooted_call(&call).map(Some))
    }

    fn begin(
        &mut self,
        is_line: bool,
        work: impl FnMut(&mut Vm) -> Fallible<Option<Rooted>> + 'static,
    ) -> Result<(), Error> {
        if self.activity.is_some() {
            return Err(Error::Busy);
        }
        self.result = None;
        self.activity = Some(Running {
            activity: self.vm.start(work)?,
            is_line,
        });
        self.vm.begin_profiled_run();
        Ok(())
    }

    /// Runs what was started until it ends, or gives control back for any reason of its own.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use std::time::Duration;
    /// use kiln::{Outcome, Progress};
    ///
    /// interpreter.start(&engine.compile("x.ms", "yield\nwait 0.01")?)?;
    /// assert_eq!(interpreter.resume()?, Progress::Yielded);
    /// let Progress::Waiting(time) = interpreter.resume()? else { panic!("the script waits") };
    /// assert!(time <= Duration::from_millis(10));
    /// std::thread::sleep(time);
    /// assert_eq!(interpreter.resume()?, Progress::Done(Outcome::Finished));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The runtime error that ended it.
    pub fn resume(&mut self) -> Result<Progress, Error> {
        self.run_slice(None)
    }

    /// Runs what was started for this long at most. It may take up to a millisecond longer, or the time of a single call of a
    /// built-in function on very much data, up to [`Limits::call_time`](crate::Limits::call_time).
    ///
    /// ```
    /// use std::time::Duration;
    /// use kiln::{Engine, Progress};
    ///
    /// let engine = Engine::new();
    /// let mut interpreter = engine.interpreter().build()?;
    /// interpreter.start(&engine.compile("endless.ms", "while true\nend while")?)?;
    /// assert_eq!(interpreter.run_for(Duration::from_millis(2))?, Progress::SliceOver);
    /// interpreter.stop();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The runtime error that ended it.
    pub fn run_for(&mut self, slice: Duration) -> Result<Progress, Error> {
        self.run_slice(Some(slice))
    }

    /// Runs what was started to the next point at which it can be suspended: the next call of a function or pass of a loop.
    ///
    /// ```
    /// use kiln::{Engine, Progress};
    ///
    /// let engine = Engine::new();
    /// let mut interpreter = engine.interpreter().build()?;
    /// interpreter.start(&engine.compile("x.ms", "n = 0\nwhile true\nn = n + 1\nend while")?)?;
    /// while interpreter.global::<f64>("n").unwrap_or(0.0) < 3.0 {
    ///     assert_eq!(interpreter.step()?, Progress::SliceOver);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The runtime error that ended it.
    pub fn step(&mut self) -> Result<Progress, Error> {
        self.vm.safepoint_handle().request(Reason::SliceOver);
        self.run_slice(None)
    }

    /// Runs what was started to its end, sleeping where it waits.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use kiln::Outcome;
    ///
    /// interpreter.start(&engine.compile("x.ms", "for i in range(1, 3)\nyield\nend for")?)?;
    /// assert_eq!(interpreter.run_until_done()?, Outcome::Finished);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The runtime error that ended it.
    pub fn run_until_done(&mut self) -> Result<Outcome, Error> {
        loop {
            let progress = self.resume()?;
            let paused = Instant::now();
            match progress {
                Progress::Done(outcome) => return Ok(outcome),
                Progress::Yielded => std::thread::sleep(YIELD),
                Progress::Waiting(span) => self.sleep(span),
                // Whoever delivers the result wakes this thread up.
                Progress::Pending => std::thread::park_timeout(INTERRUPT_INTERVAL),
                Progress::SliceOver => {}
            }
            if let Some(profiler) = self.vm.profiler() {
                profiler.pause(paused.elapsed());
            }
        }
    }

    /// Whether a script has been started and not ended.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// assert!(!interpreter.is_running());
    /// interpreter.start(&engine.compile("x.ms", "yield")?)?;
    /// interpreter.resume()?;
    /// assert!(interpreter.is_running());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_running(&self) -> bool {
        self.activity.is_some()
    }

    /// Gives up the script that was started. What it has assigned so far stays.
    ///
    /// To stop a script from another thread there is the [`Interrupter`].
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.start(&engine.compile("x.ms", "x = 1\nyield\nx = 2")?)?;
    /// interpreter.resume()?;
    /// interpreter.stop();
    /// assert_eq!(interpreter.global::<f64>("x")?, 1.0);
    /// assert!(!interpreter.is_running());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stop(&mut self) {
        if let Some(running) = self.activity.take() {
            self.abandon(running);
        }
    }

    /// Takes a line of an interactive session and runs what it completes. The value of an expression goes to
    /// [implicit output](crate::InterpreterBuilder::implicit_output).
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use kiln::{Engine, Outcome, Reply};
    ///
    /// let (sender, results) = mpsc::channel();
    /// let mut interpreter = Engine::new()
    ///     .interpreter()
    ///     .implicit_output(move |text| sender.send(text.to_owned()).unwrap())
    ///     .build()?;
    /// assert_eq!(interpreter.read("for i in [1, 2]")?, Reply::Incomplete);
    /// assert_eq!(interpreter.read("end for")?, Reply::Done(Outcome::Finished));
    /// interpreter.read("i * 21")?;
    /// assert_eq!(results.recv()?, "42");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The line does not compile, or ends with an error; the session can go on.
    pub fn read(&mut self, line: &str) -> Result<Reply, Error> {
        match self.lines.feed(line)? {
            Line::Incomplete => Ok(Reply::Incomplete),
            Line::Program(program) => {
                self.start_line(&program)?;
                self.run_until_done().map(Reply::Done)
            }
        }
    }

    /// Starts a line of an interactive session, compiled by a [`LineReader`](crate::LineReader); its value will go to
    /// [implicit output](crate::InterpreterBuilder::implicit_output).
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use kiln::{Line, LineReader, Progress};
    ///
    /// let Line::Program(program) = LineReader::new().feed("yield; 42")? else { panic!("the line is complete") };
    /// interpreter.start_line(&program)?;
    /// assert_eq!(interpreter.resume()?, Progress::Yielded);
    /// assert!(interpreter.resume()?.is_done());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// There is a script that has not ended, or the system refuses memory.
    pub fn start_line(&mut self, program: &Arc<CodeBlock>) -> Result<(), Error> {
        if self.activity.is_some() {
            return Err(Error::Busy);
        }
        context::enter(&mut self.vm, |context| Ok(context.vm.begin_line()?))?;
        self.start_program(program, true)
    }

    /// Runs a line of an interactive session, compiled by a [`LineReader`](crate::LineReader).
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use kiln::{Line, LineReader};
    ///
    /// let Line::Program(program) = LineReader::new().feed("6 * 7")? else { panic!("the line is complete") };
    /// assert_eq!(interpreter.run_line(&program)?.result.as_deref(), Some("42"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The runtime error that ended it.
    pub fn run_line(&mut self, program: &Arc<CodeBlock>) -> Result<LineOutcome, ScriptError> {
        let begun = context::enter(&mut self.vm, |context| Ok(context.vm.begin_line()?));
        let outcome = begun
            .and_then(|()| self.start(program))
            .and_then(|()| self.run_until_done());
        let result = context::enter(&mut self.vm, |context| Ok(context.vm.end_line()?));
        Ok(LineOutcome {
            outcome: outcome.map_err(script_error)?,
            result: result.ok().flatten(),
        })
    }

    /// What the function that was started last, with [`Interpreter::start_call`], has returned; null if there is nothing.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "f = function\nyield\nreturn \"done\"\nend function")?)?;
    /// let f: kiln::Function = interpreter.global("f")?;
    /// interpreter.start_call(&f, ())?;
    /// interpreter.run_until_done()?;
    /// assert_eq!(interpreter.result::<String>()?, "done");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// It is of another kind.
    pub fn result<T: FromValue>(&mut self) -> Result<T, Error> {
        let result = self.result.clone();
        sealed::Sealed::quick(self, |context| context.convert_rooted(result.as_ref()))
    }

    /// A handle with which any thread can stop the script.
    ///
    /// ```
    /// use std::thread;
    /// use std::time::Duration;
    /// use kiln::{Engine, RuntimeError};
    ///
    /// let engine = Engine::new();
    /// let mut interpreter = engine.interpreter().build()?;
    /// let interrupter = interpreter.interrupter();
    /// thread::spawn(move || {
    ///     thread::sleep(Duration::from_millis(5));
    ///     interrupter.interrupt();
    /// });
    /// let error = interpreter.run(&engine.compile("endless.ms", "while true\nend while")?).unwrap_err();
    /// assert_eq!(error.error, RuntimeError::Interrupted);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn interrupter(&self) -> Interrupter {
        Interrupter {
            safepoint: self.vm.safepoint_handle(),
        }
    }

    /// Takes back an interrupt that came when nothing was running.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.interrupter().interrupt();
    /// interpreter.clear_interrupt();
    /// interpreter.run(&engine.compile("x.ms", "x = 1")?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clear_interrupt(&mut self) {
        self.vm.withdraw(Reason::Stop);
    }

    /// Runs what was started until its slice ends, if it has one, or it gives control back.
    fn run_slice(&mut self, slice: Option<Duration>) -> Result<Progress, Error> {
        let Some(mut running) = self.activity.take() else {
            return Ok(Progress::Done(Outcome::Finished));
        };
        let progress = self.timed(slice, slice.and(self.limits.call_time), |vm| {
            vm.resume(&mut running.activity)
        });
        let progress = match progress {
            Ok(progress) => progress,
            Err(error) => {
                self.abandon(running);
                return Err(error);
            }
        };
        let suspension = match progress {
            None => return Ok(Progress::Done(Outcome::Finished)),
            Some(stack::Progress::Done(result)) => {
                return self.end(result, running.is_line);
            }
            Some(stack::Progress::Suspended(suspension)) => suspension,
        };
        self.activity = Some(running);
        self.vm.host().flush();
        Ok(match suspension {
            Suspension::Yield => Progress::Yielded,
            Suspension::Wait(seconds) => Progress::Waiting(
                Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX),
            ),
            Suspension::Pending => Progress::Pending,
            Suspension::SliceOver => Progress::SliceOver,
        })
    }

    fn abandon(&mut self, running: Running) {
        self.vm.abandon_activity(running.activity);
        self.vm.end_profiled_run();
    }

    /// Sees to what remains when a script has ended.
    fn end(&mut self, result: Fallible<Option<Rooted>>, is_line: bool) -> Result<Progress, Error> {
        self.vm.end_profiled_run();
        if is_line {
            let text = context::enter(&mut self.vm, |context| Ok(context.vm.end_line()?));
            if let Ok(Some(text)) = text {
                match &mut self.implicit {
                    Some(implicit) => implicit(&text),
                    None => self.vm.host().write_output(&format!("{text}\n")),
                }
            }
        }
        match result.map_err(|throw| throw.into_ending()) {
            Ok(result) => {
                self.result = result;
                Ok(Progress::Done(Outcome::Finished))
            }
            Err(Ending::Exit(status)) => Ok(Progress::Done(Outcome::Exit(status))),
            Err(ending) => Err(ending.into()),
        }
    }

    /// Does something within the limits on time: `slice`, `beyond` (by which the slice may be overrun), and the total.
    pub(super) fn timed<T>(
        &mut self,
        slice: Option<Duration>,
        beyond: Option<Duration>,
        work: impl FnOnce(&mut Vm) -> T,
    ) -> Result<T, Error> {
        if slice.is_none() && beyond.is_none() && self.limits.run_time.is_none() {
            let result = work(&mut self.vm);
            self.withdraw_requests();
            return Ok(result);
        }
        if let (None, Some(most), None) = (slice, beyond, self.limits.run_time) {
            return self.within_call_limit(most, work);
        }
        let left = self
            .limits
            .run_time
            .map(|limit| limit.saturating_sub(self.used));
        if left == Some(Duration::ZERO) {
            return Err(RuntimeError::TimeUp.into());
        }
        let begun = Instant::now();
        let beyond = beyond.map(|beyond| slice.unwrap_or_default().saturating_add(beyond));
        let most = match (left, beyond) {
            (Some(left), Some(beyond)) => Some(left.min(beyond)),
            (left, beyond) => left.or(beyond),
        };
        let deadlines = Deadlines {
            slice: slice.and_then(|slice| begun.checked_add(slice)),
            end: most.and_then(|most| begun.checked_add(most)),
        };
        let watch = self
            .engine
            .timer()
            .watch(|| self.vm.safepoint_handle(), deadlines)?;
        let result = work(&mut self.vm);
        drop(watch);
        self.withdraw_requests();
        if left.is_some() {
            self.used += begun.elapsed();
        }
        Ok(result)
    }

    /// Does something that may take so long, which is the limit of all calls of this interpreter.
    fn within_call_limit<T>(
        &mut self,
        most: Duration,
        work: impl FnOnce(&mut Vm) -> T,
    ) -> Result<T, Error> {
        let limit = match &mut self.call_limit {
            Some(limit) => limit,
            none => none.insert(
                self.engine
                    .timer()
                    .limit_calls(self.vm.safepoint_handle(), most)?,
            ),
        };
        let call = limit.begin();
        let result = work(&mut self.vm);
        drop(call);
        self.withdraw_requests();
        Ok(result)
    }

    /// Takes back what was requested for a piece of work that has ended meanwhile.
    fn withdraw_requests(&mut self) {
        if self.vm.has_requests() {
            self.vm.withdraw(Reason::SliceOver);
            self.vm.withdraw(Reason::TimeUp);
        }
    }

    /// Sleeps for this long, less if the script is interrupted.
    fn sleep(&self, span: Duration) {
        let start = Instant::now();
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

/// Any error as a script's, for those who run programs only.
fn script_error(error: Error) -> ScriptError {
    match error {
        Error::Script(error) => error,
        other => ScriptError {
            error: RuntimeError::Message(other.to_string().into()),
            stack: Vec::new(),
            omitted: 0,
        },
    }
}
