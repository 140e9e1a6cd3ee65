//! From source text to a code block.

use std::sync::Arc;

use kiln_bytecode::{CodeBlock, FileError};
use kiln_frontend::diagnostic::{Colour, Diagnostic};
use kiln_frontend::miniscript;
use kiln_frontend::source::{Source, SourceError};

/// What a source text is compiled for.
#[derive(Clone, Debug, Default)]
pub struct CompileOptions {
    /// Values of expression statements are stored in the global `_`, for an interactive session.
    pub keep_results: bool,
    /// The text is a module with this name, as error positions show it (`util.ms`).
    pub module: Option<String>,
}

/// Everything that is wrong with a source text.
///
/// Displayed, it is the first error's one line.
#[derive(Debug, thiserror::Error)]
pub struct CompileErrors {
    /// The text, if it could be read at all.
    source_text: Option<Box<Source>>,
    errors: Vec<Diagnostic>,
    /// Why the text could not be read.
    unreadable: Option<String>,
}

impl std::fmt::Display for CompileErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.errors.first(), &self.unreadable) {
            (Some(error), _) => write!(f, "{error}"),
            (None, Some(reason)) => write!(f, "Compiler Error: {reason}"),
            (None, None) => write!(f, "Compiler Error"),
        }
    }
}

impl CompileErrors {
    /// The errors, the most important one first.
    ///
    /// ```
    /// let errors = kiln::Engine::new().compile("broken.ms", "x = 1\ny = )").unwrap_err();
    /// assert_eq!(errors.errors()[0].line, Some(2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn errors(&self) -> &[Diagnostic] {
        &self.errors
    }

    /// The full report: for each error its line, then the source with the place marked.
    ///
    /// ```
    /// let errors = kiln::Engine::new().compile("broken.ms", "x = 1\ny = )").unwrap_err();
    /// assert!(errors.render(false).contains("y = )"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn render(&self, colour: bool) -> String {
        let Some(source) = &self.source_text else {
            return self.to_string();
        };
        let colour = if colour {
            Colour::Always
        } else {
            Colour::Never
        };
        let reports: Vec<String> = self
            .errors
            .iter()
            .map(|error| error.render(source, colour))
            .collect();
        reports.join("\n")
    }

    pub(crate) fn unreadable(error: SourceError) -> CompileErrors {
        CompileErrors {
            source_text: None,
            errors: Vec::new(),
            unreadable: Some(error.to_string()),
        }
    }

    pub(crate) fn in_source(source: Source, errors: Vec<Diagnostic>) -> CompileErrors {
        CompileErrors {
            source_text: Some(Box::new(source)),
            errors,
            unreadable: None,
        }
    }
}

/// Compiles a MiniScript program.
///
/// ```
/// use kiln::{CompileOptions, compile};
///
/// let options = CompileOptions { keep_results: true, ..CompileOptions::default() };
/// let program = compile("line", b"6 * 7", options)?;
/// let mut interpreter = kiln::Engine::new().interpreter().build()?;
/// interpreter.run(&program)?;
/// assert_eq!(interpreter.global::<f64>("_")?, 42.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Everything that is wrong with the text.
pub fn compile(
    name: &str,
    text: &[u8],
    options: CompileOptions,
) -> Result<Arc<CodeBlock>, CompileErrors> {
    let keep_results = options.keep_results;
    let (program, source) = parse(name, text, options)?;
    emit(&program, source, keep_results)
}

/// Parses a program.
pub(crate) fn parse(
    name: &str,
    text: &[u8],
    options: CompileOptions,
) -> Result<(miniscript::ast::Program, Source), CompileErrors> {
    let mut source = Source::from_file(name, text).map_err(CompileErrors::unreadable)?;
    if let Some(module) = options.module {
        source = source.into_module(module);
    }
    match miniscript::parse(&source) {
        Ok(program) => Ok((program, source)),
        Err(errors) => Err(CompileErrors::in_source(source, errors)),
    }
}

/// Emits a parsed program.
pub(crate) fn emit(
    program: &miniscript::ast::Program,
    source: Source,
    keep_results: bool,
) -> Result<Arc<CodeBlock>, CompileErrors> {
    let block = match miniscript::emit(program, &source, miniscript::Options { keep_results }) {
        Ok(block) => block,
        Err(errors) => return Err(CompileErrors::in_source(source, errors)),
    };
    #[cfg(debug_assertions)]
    if let Err(error) = kiln_bytecode::verify(&block) {
        panic!("the emitter made an invalid code block: {error}\n{block}");
    }
    Ok(block)
}

/// What files of compiled code start with.
const COMPILED: &[u8] = b"KILNBC";

/// Whether these are the contents of a file of compiled code, rather than source text.
///
/// ```
/// let program = kiln::Engine::new().compile("x.ms", "x = 1")?;
/// assert!(kiln::is_compiled(&kiln::save_compiled(&program)));
/// assert!(!kiln::is_compiled(b"x = 1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn is_compiled(contents: &[u8]) -> bool {
    contents.starts_with(COMPILED)
}

/// The contents of a file of compiled code.
///
/// ```
/// let engine = kiln::Engine::new();
/// let file = kiln::save_compiled(&*engine.compile("x.ms", "x = 6 * 7")?);
/// let mut interpreter = engine.interpreter().build()?;
/// interpreter.run(&kiln::load_compiled(&file)?)?;
/// assert_eq!(interpreter.global::<f64>("x")?, 42.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn save_compiled(program: &CodeBlock) -> Vec<u8> {
    kiln_bytecode::to_bytes(program)
}

/// Reads what [`save_compiled`] made. The code is verified, so files from anywhere are safe to load.
///
/// ```
/// assert!(kiln::load_compiled(b"KILNBC and then nothing of use").is_err());
/// ```
///
/// # Errors
/// The contents are no compiled code of this version of Kiln, or damaged.
pub fn load_compiled(contents: &[u8]) -> Result<Arc<CodeBlock>, FileError> {
    kiln_bytecode::from_bytes(contents).map(Arc::new)
}
