//! Programs that arrive line by line, as at a prompt.

use std::sync::Arc;

use kiln_bytecode::CodeBlock;
use kiln_frontend::miniscript::repl::{Input, Reply};

use crate::compile::{CompileErrors, emit};

/// Collects lines until they make a program.
///
/// ```
/// use kiln::{Engine, Line, LineReader};
///
/// let mut interpreter = Engine::new().interpreter().build()?;
/// let mut lines = LineReader::new();
/// assert!(matches!(lines.feed("sum = 1 +")?, Line::Incomplete));
/// let Line::Program(program) = lines.feed("2; sum * 2")? else { panic!("the line is complete") };
/// assert_eq!(interpreter.run_line(&program)?.result.as_deref(), Some("6"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LineReader {
    input: Input,
}

/// What a line led to.
#[derive(Clone, Debug)]
pub enum Line {
    /// A block, a function or the line itself is open: more is needed.
    Incomplete,
    /// There is something to run, with [`Interpreter::run_line`](crate::Interpreter::run_line).
    Program(Arc<CodeBlock>),
}

impl Default for LineReader {
    fn default() -> LineReader {
        LineReader::new()
    }
}

impl LineReader {
    /// Nothing read yet.
    ///
    /// ```
    /// assert!(!kiln::LineReader::new().is_incomplete());
    /// ```
    pub fn new() -> LineReader {
        LineReader {
            input: Input::new("input"),
        }
    }

    /// Takes a line, without its line end.
    ///
    /// ```
    /// use kiln::{Line, LineReader};
    ///
    /// let mut lines = LineReader::new();
    /// assert!(matches!(lines.feed("if true then")?, Line::Incomplete));
    /// assert!(lines.feed("x = )").is_err());
    /// assert!(matches!(lines.feed("end if")?, Line::Program(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// What is wrong with the line. It is dropped; what was open before stays open.
    pub fn feed(&mut self, line: &str) -> Result<Line, CompileErrors> {
        match self.input.feed(line).map_err(CompileErrors::unreadable)? {
            Reply::Incomplete => Ok(Line::Incomplete),
            Reply::Complete { source, program } => emit(&program, source, true).map(Line::Program),
            Reply::Error {
                source,
                diagnostics,
            } => Err(CompileErrors::in_source(source, diagnostics)),
        }
    }

    /// Whether a block, a function or a line is open.
    ///
    /// ```
    /// let mut lines = kiln::LineReader::new();
    /// lines.feed("while true")?;
    /// assert!(lines.is_incomplete());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_incomplete(&self) -> bool {
        self.input.is_incomplete()
    }

    /// Drops everything that is open.
    ///
    /// ```
    /// let mut lines = kiln::LineReader::new();
    /// lines.feed("while true")?;
    /// lines.reset();
    /// assert!(!lines.is_incomplete());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reset(&mut self) {
        self.input.reset();
    }
}
