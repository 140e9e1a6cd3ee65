//! What the interpreters of a program share.

use std::sync::Arc;

use kiln_bytecode::CodeBlock;

use crate::builder::InterpreterBuilder;
use crate::compile::{CompileErrors, CompileOptions, compile};
use crate::timer::Timer;

/// What the interpreters of a program share: the thread that ends time slices.
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

#[derive(Debug, Default)]
struct Shared {
    timer: Timer,
}

impl Engine {
    /// A new engine.
    pub fn new() -> Engine {
        Engine::default()
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
    pub fn interpreter(&self) -> InterpreterBuilder {
        InterpreterBuilder::new(self.clone())
    }

    pub(crate) fn timer(&self) -> &Timer {
        &self.shared.timer
    }
}
