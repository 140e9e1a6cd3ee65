//! One script world.

mod run;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use kiln_bytecode::CodeBlock;
use kiln_vm::Rooted;
use kiln_vm::heap::Statistics;
use kiln_vm::host::{Host, NoHost};
use kiln_vm::profile::MemoryCensus;
use kiln_vm::vm::{StartError, Vm};

pub use run::{Interrupter, LineOutcome, Outcome, Progress, Reply};

use crate::builder::{InterpreterBuilder, Output};
use crate::compile::CompileErrors;
use crate::context::{self, AsContext, Context, sealed};
use crate::convert::{FromValue, IntoArguments, IntoValue};
use crate::engine::Engine;
use crate::error::Error;
use crate::intrinsic::Intrinsic;
use crate::jit::{Jit, JitOptions, JitReport};
use crate::limits::Limits;
use crate::session::LineReader;
use crate::timer::CallLimit;
use crate::value::{Function, List, Map, Value};
use run::Running;

/// A script world: its own heap, globals, code and limits. Made by [`Engine::interpreter`].
///
/// It may move from thread to thread, and be used by one at a time. Any number of interpreters may be used on one thread in turn, or on
/// many at once; they have nothing in common but the engine.
///
/// A program runs to its end with [`run`](Interpreter::run), or in pieces: after [`start`](Interpreter::start),
/// [`run_for`](Interpreter::run_for) runs it for some time, [`resume`](Interpreter::resume) until it gives control back by itself,
/// and [`step`](Interpreter::step) as little as possible. While it is suspended the host may read and assign its variables and call
/// its functions.
///
/// ```
/// use kiln::{Engine, Progress};
///
/// let engine = Engine::new();
/// let mut interpreter = engine.interpreter().build()?;
/// interpreter.start(&engine.compile("actor.ms", "x = 0\nwhile true\nx = x + speed\nyield\nend while")?)?;
/// interpreter.set_global("speed", 2)?;
/// for _frame in 0..3 {
///     assert_eq!(interpreter.resume()?, Progress::Yielded);
/// }
/// assert_eq!(interpreter.global::<f64>("x")?, 6.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Interpreter {
    /// Before the interpreter whose stack it is.
    activity: Option<Running>,
    vm: Box<Vm>,
    jit: Jit,
    engine: Engine,
    limits: Limits,
    /// What limits calls from Rust, once there has been one.
    call_limit: Option<CallLimit>,
    /// How long scripts have run, if that is limited.
    used: Duration,
    jit_options: JitOptions,
    /// To be defined again after a reset.
    intrinsics: Vec<Intrinsic>,
    implicit: Option<Output>,
    lines: LineReader,
    /// What the function that was started last has returned.
    result: Option<Rooted>,
}

// SAFETY: everything an interpreter consists of, its heap, its stacks and what they refer to, is reached through it alone, so it may
// change threads as a whole. Host objects, closures and data are `Send`. Code that is suspended on the script stack is the
// virtual machine's own, without thread-locals in use: functions of the host are never suspended. What is shared with other threads,
// safepoints and rooted values, is synchronized.
unsafe impl Send for Interpreter {}

impl Interpreter {
    pub(crate) fn configured(
        builder: InterpreterBuilder,
        host: Box<dyn Host>,
    ) -> Result<Interpreter, StartError> {
        let InterpreterBuilder {
            engine,
            limits,
            intrinsics,
            data,
            implicit,
            jit: jit_options,
            ..
        } = builder;
        let mut vm = Vm::new(limits.of_vm(), host)?;
        let jit = Jit::new(&mut vm, &jit_options, engine.compile_threads());
        let mut interpreter = Interpreter {
            activity: None,
            vm,
            jit,
            jit_options,
            engine,
            limits,
            call_limit: None,
            used: Duration::ZERO,
            intrinsics: Vec::new(),
            implicit,
            lines: LineReader::new(),
            result: None,
        };
        *interpreter.vm.host_data() = data;
        for intrinsic in intrinsics {
            interpreter
                .define(intrinsic)
                .map_err(|_| StartError::Heap)?;
        }
        Ok(interpreter)
    }

    /// Compiles a program; see [`Engine::compile`].
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// let program = interpreter.compile("x.ms", "x = 6 * 7")?;
    /// interpreter.run(&program)?;
    /// assert_eq!(interpreter.global::<f64>("x")?, 42.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong with the text.
    pub fn compile(&self, name: &str, text: &str) -> Result<Arc<CodeBlock>, CompileErrors> {
        self.engine.compile(name, text)
    }

    /// The engine.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// let mut sibling = interpreter.engine().interpreter().build()?;
    /// # let _ = &mut sibling;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Defines an intrinsic. One of the same name is replaced for what is compiled from now on.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use kiln::Intrinsic;
    ///
    /// interpreter.define(Intrinsic::new("answer", |_| Ok(42)))?;
    /// interpreter.run(&engine.compile("x.ms", "x = answer")?)?;
    /// assert_eq!(interpreter.global::<f64>("x")?, 42.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The heap limit is reached.
    pub fn define(&mut self, intrinsic: Intrinsic) -> Result<(), Error> {
        let definition = intrinsic.definition();
        context::enter(&mut self.vm, |context| Ok(context.vm.define(definition)?))?;
        self.intrinsics.push(intrinsic);
        Ok(())
    }

    /// Begins anew: no globals, nothing allocated, nothing running, no time used. Limits, grants, intrinsics and the host's data stay;
    /// references to values and [`Interrupter`]s made before are of no use any more.
    ///
    /// ```
    /// let engine = kiln::Engine::new();
    /// let mut interpreter = engine.interpreter().build()?;
    /// interpreter.set_global("x", 1)?;
    /// interpreter.reset()?;
    /// assert!(interpreter.global::<f64>("x").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The system refuses memory.
    pub fn reset(&mut self) -> Result<(), Error> {
        self.stop();
        let mut fresh = Vm::new(self.limits.of_vm(), Box::new(NoHost))
            .map_err(|error| Error::message(error.to_string()))?;
        self.vm.exchange_host(&mut fresh);
        self.jit = Jit::new(&mut fresh, &self.jit_options, self.engine.compile_threads());
        self.vm = fresh;
        self.call_limit = None;
        self.used = Duration::ZERO;
        self.result = None;
        self.lines.reset();
        for intrinsic in &self.intrinsics {
            let definition = intrinsic.definition();
            context::enter(&mut self.vm, |context| Ok(context.vm.define(definition)?))?;
        }
        Ok(())
    }

    /// The value of a global variable.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "name = \"Ada\"\nages = [36, 85]")?)?;
    /// assert_eq!(interpreter.global::<String>("name")?, "Ada");
    /// assert_eq!(interpreter.global::<Vec<u8>>("ages")?, [36, 85]);
    /// assert_eq!(interpreter.global::<f64>("name").unwrap_err().to_string(), "expected number, got string");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// There is no such variable, or its value is of another kind.
    pub fn global<T: FromValue>(&mut self, name: &str) -> Result<T, Error> {
        sealed::Sealed::quick(self, |context| context.global(name))
    }

    /// Assigns a global variable.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.set_global("names", vec!["Ada", "Grace"])?;
    /// interpreter.run(&engine.compile("x.ms", "count = names.len")?)?;
    /// assert_eq!(interpreter.global::<usize>("count")?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The value cannot be converted, or the heap limit is reached.
    pub fn set_global(&mut self, name: &str, value: impl IntoValue) -> Result<(), Error> {
        sealed::Sealed::quick(self, |context| context.set_global(name, value))
    }

    /// Calls a global function. It runs to its end: it cannot `wait`, and `yield` does nothing in it. If it is called often, get the
    /// [`Function`] once and call that.
    ///
    /// ```
    /// let engine = kiln::Engine::new();
    /// let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "greet = function(who)\nreturn \"Hello \" + who\nend function")?)?;
    /// assert_eq!(interpreter.call::<String>("greet", ("you",))?, "Hello you");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// There is no such function, the script's error, or the result is of another kind.
    pub fn call<R: FromValue>(
        &mut self,
        name: &str,
        arguments: impl IntoArguments,
    ) -> Result<R, Error> {
        self.with(|context| {
            let function: Function = context.global(name)?;
            function.call(context, arguments)
        })
    }

    /// A new, empty list.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// let list = interpreter.new_list()?;
    /// list.push(&mut interpreter, "first")?;
    /// assert_eq!(list.len(&mut interpreter)?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The heap limit is reached.
    pub fn new_list(&mut self) -> Result<List, Error> {
        List::new(self)
    }

    /// A new, empty map.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// let map = interpreter.new_map()?;
    /// map.set(&mut interpreter, "key", "value")?;
    /// assert_eq!(map.len(&mut interpreter)?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The heap limit is reached.
    pub fn new_map(&mut self) -> Result<Map, Error> {
        Map::new(self)
    }

    /// The text of a value, as `str` makes it.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "x = {\"a\": [1, null]}")?)?;
    /// let value: kiln::Value = interpreter.global("x")?;
    /// assert_eq!(interpreter.text(&value)?, "{\"a\": [1, null]}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The text is too long, or the heap limit is reached.
    pub fn text(&mut self, value: &Value) -> Result<String, Error> {
        sealed::Sealed::quick(self, |context| context.text(value))
    }

    /// What the host keeps with the interpreter, if it is of this type.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// let mut interpreter = engine.interpreter().data(String::from("a note")).build()?;
    /// assert_eq!(interpreter.data::<String>().map(|note| note.as_str()), Some("a note"));
    /// assert!(interpreter.data::<u32>().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn data<T: Any + Send>(&mut self) -> Option<&mut T> {
        self.vm.host_data().as_mut()?.downcast_mut()
    }

    /// The names of the global variables.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "x = 1\ny = 2")?)?;
    /// assert_eq!(interpreter.global_names(), ["x", "y"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn global_names(&mut self) -> Vec<String> {
        let names = context::enter(&mut self.vm, |context| Ok(context.vm.global_names()?));
        names.unwrap_or_default()
    }

    /// The names of the members of a global variable that holds a map, inherited ones included.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "point = {\"x\": 1, \"y\": 2}")?)?;
    /// assert_eq!(interpreter.member_names("point"), ["x", "y"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn member_names(&mut self, global: &str) -> Vec<String> {
        let names = context::enter(&mut self.vm, |context| {
            let name = context.vm.intern(global)?;
            match context.vm.global(name) {
                Some(value) => Ok(context.vm.key_texts(value)?),
                None => Ok(Vec::new()),
            }
        });
        names.unwrap_or_default()
    }

    /// The text of a global variable's value, as `str` makes it.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "x = [1, 2]")?)?;
    /// assert_eq!(interpreter.global_text("x").as_deref(), Some("[1, 2]"));
    /// assert_eq!(interpreter.global_text("y"), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn global_text(&mut self, name: &str) -> Option<String> {
        let value: Value = self.global(name).ok()?;
        self.text(&value).ok()
    }

    /// Collects all garbage and looks at what is left; none if the system has no memory for a stack to do that on.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "list = range(1, 1000)")?)?;
    /// assert!(interpreter.memory_census().is_some());
    /// assert!(interpreter.statistics().used_bytes > 8000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn memory_census(&mut self) -> Option<MemoryCensus> {
        context::enter(&mut self.vm, |context| Ok(context.vm.memory_census())).ok()
    }

    /// The virtual machine, for the engine's own tools and tests.
    #[doc(hidden)]
    pub fn vm(&mut self) -> &mut Vm {
        &mut self.vm
    }

    /// What has been compiled so far.
    ///
    /// ```
    /// use kiln::{Engine, JitOptions};
    ///
    /// let engine = Engine::new();
    /// let mut interpreter = engine.interpreter().jit(JitOptions::immediate()).build()?;
    /// interpreter.run(&engine.compile("x.ms", "x = 0\nwhile x < 1000\nx += 1\nend while")?)?;
    /// let report = interpreter.jit_report();
    /// assert!(report.compiled + report.refused > 0 || report == Default::default());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn jit_report(&self) -> JitReport {
        self.jit.report()
    }

    /// What the garbage collector has done, and how much memory is in use.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "for i in range(1, 100000)\nx = [i, i]\nend for")?)?;
    /// let statistics = interpreter.statistics();
    /// assert!(statistics.minor.count > 0 && statistics.used_bytes <= statistics.peak_bytes);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn statistics(&mut self) -> Statistics {
        self.vm.heap().statistics()
    }

    /// For finding errors in the engine: collects garbage at every allocation.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.set_gc_stress(true);
    /// interpreter.run(&engine.compile("x.ms", "x = [[1], [2]]")?)?;
    /// assert_eq!(interpreter.global::<Vec<Vec<u8>>>("x")?, [[1], [2]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_gc_stress(&mut self, stress: bool) {
        self.vm.heap().set_stress(stress);
    }
}

impl AsContext for Interpreter {
    fn with<T>(
        &mut self,
        work: impl FnOnce(&mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.timed(None, self.limits.call_time, |vm| context::enter(vm, work))?
    }
}

impl sealed::Sealed for Interpreter {
    fn quick<T>(
        &mut self,
        work: impl FnOnce(&mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        context::enter(&mut self.vm, work)
    }
}
