//! What the interpreters of a program share.

use std::num::NonZero;
use std::sync::Arc;

use kiln_bytecode::CodeBlock;

use crate::builder::InterpreterBuilder;
use crate::compile::{CompileErrors, CompileOptions, compile};
use crate::jit::CompileThreads;
use crate::timer::Timer;

/// What the interpreters of a program share: the threads that compile hot code, and the one that ends time slices.
///
/// Copies are cheap and mean the same engine. One is enough for a program; interpreters on many threads may use it.
///
/// ```
/// use kiln::Engine;
///
/// let engine = Engine::new();
/// let program = engine.compile("answer.ms", "answer = 6 * 7")?;
/// let mut interpreter = engine.interpreter().build()?;
/// interpreter.run(&program)?;
/// assert_eq!(interpreter.global::<f64>("answer")?, 42.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Engine {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    timer: Timer,
    compile_threads: CompileThreads,
}

/// How an engine works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineOptions {
    /// The most threads that compile hot code, for all interpreters together. They start when there is something to compile. The
    /// interpreters are served in turn; of one interpreter's functions those from which most is expected come first. With 0,
    /// scripts wait while their code is compiled.
    pub compile_threads: usize,
}

/// More compile threads are of no use to most programs.
const MOST_COMPILE_THREADS: usize = 4;

impl Default for EngineOptions {
    /// A compile thread for each processor but one, though at least one and at most four.
    fn default() -> EngineOptions {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        EngineOptions {
            compile_threads: (processors - 1).clamp(1, MOST_COMPILE_THREADS),
        }
    }
}

impl Default for Shared {
    fn default() -> Shared {
        Shared::new(&EngineOptions::default())
    }
}

impl Shared {
    fn new(options: &EngineOptions) -> Shared {
        Shared {
            timer: Timer::default(),
            compile_threads: CompileThreads::new(options.compile_threads),
        }
    }
}

impl Engine {
    /// A new engine.
    ///
    /// ```
    /// let engine = kiln::Engine::new();
    /// assert!(engine.interpreter().build().is_ok());
    /// ```
    pub fn new() -> Engine {
        Engine::default()
    }

    /// A new engine with options.
    ///
    /// ```
    /// use kiln::{Engine, EngineOptions};
    ///
    /// let engine = Engine::with(&EngineOptions { compile_threads: 2 });
    /// let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "x = 0\nwhile x < 100000\nx += 1\nend while")?)?;
    /// assert_eq!(interpreter.global::<f64>("x")?, 100_000.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with(options: &EngineOptions) -> Engine {
        Engine {
            shared: Arc::new(Shared::new(options)),
        }
    }

    /// Compiles a program. Any number of interpreters, on any threads, can run the result.
    ///
    /// # Errors
    /// Everything that is wrong with the text.
    ///
    /// ```
    /// let errors = kiln::Engine::new().compile("broken.ms", "x = (1 + ").unwrap_err();
    /// assert!(errors.to_string().contains("[line 1]"));
    /// println!("{}", errors.render(false));
    /// ```
    pub fn compile(&self, name: &str, text: &str) -> Result<Arc<CodeBlock>, CompileErrors> {
        compile(name, text.as_bytes(), CompileOptions::default())
    }

    /// Begins the configuration of an interpreter.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// use kiln::Limits;
    ///
    /// let mut interpreter = engine.interpreter().limits(Limits::TRUSTED).output(|text| print!("{text}")).build()?;
    /// interpreter.run(&engine.compile("x.ms", "print \"hello\"")?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn interpreter(&self) -> InterpreterBuilder {
        InterpreterBuilder::new(self.clone())
    }

    pub(crate) fn timer(&self) -> &Timer {
        &self.shared.timer
    }

    pub(crate) fn compile_threads(&self) -> &CompileThreads {
        &self.shared.compile_threads
    }
}
