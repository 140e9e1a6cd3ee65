//! Runtime errors of scripts.

use kiln_bytecode::SourceSpan;
use thiserror::Error;

/// Why a script ended. The text is exactly what follows `Runtime Error: `.
#[derive(Clone, Debug, Error, PartialEq)]
#[allow(missing_docs)]
pub enum RuntimeError {
    #[error("Undefined Identifier: '{0}' is unknown in this context")]
    UndefinedIdentifier(Box<str>),
    #[error("Undefined Local Identifier: '{0}' is unknown in this context")]
    UndefinedLocalIdentifier(Box<str>),
    #[error("Key Not Found: '{0}' not found in map")]
    KeyNotFound(Box<str>),
    #[error("Index Error (list index {0} out of range)")]
    ListIndexOutOfRange(Box<str>),
    #[error("Index Error (string index {0} out of range)")]
    StringIndexOutOfRange(Box<str>),
    #[error("Index Error: index ({index}) out of range ({low} to {high})")]
    IndexOutOfRange { index: i64, low: i64, high: i64 },
    #[error("index {0} out of range for map")]
    MapIndexOutOfRange(i64),
    #[error("List index must be numeric")]
    ListIndexNotNumeric,
    #[error("String index must be numeric")]
    StringIndexNotNumeric,
    #[error("Null Reference Exception: can't index into null")]
    IndexIntoNull,
    #[error("Type Error (while attempting to look up {0})")]
    LookUpInWrongType(Box<str>),
    #[error("Type Exception: can't index into this type")]
    CannotIndex,
    #[error("can't set indexed element of null")]
    SetElementOfNull,
    #[error("can't set an indexed element in this type")]
    CannotSetElement,
    #[error("Too Many Arguments")]
    TooManyArguments,
    #[error("got {got} where a {required} was required ({operation})")]
    WrongType {
        got: &'static str,
        required: &'static str,
        operation: &'static str,
    },
    #[error("string too large")]
    StringTooLarge,
    #[error("list too large")]
    ListTooLarge,
    #[error("map too large")]
    MapTooLarge,
    #[error("out of memory: the heap limit of {0} MB is reached")]
    OutOfMemory(usize),
    #[error("Call stack overflow")]
    CallStackOverflow,
    #[error("__isa depth exceeded (perhaps a reference loop?)")]
    IsaDepthExceeded,
    #[error("Assignment to protected map")]
    ProtectedMap,
    #[error("interrupted")]
    Interrupted,
    /// The script has used up the time it may take in all.
    #[error("the time limit is reached")]
    TimeUp,
    /// A function that cannot be suspended, since the host waits for it, wants to wait.
    #[error("a function called by the host cannot wait")]
    CannotWait,
    /// An imported module does not compile: the whole report, which has its own prefix and position.
    #[error("{0}")]
    BrokenModule(Box<str>),
    /// Any other message, written out by the intrinsic or instruction that raises it.
    #[error("{0}")]
    Message(Box<str>),
}

/// What travels through Rust code when script code cannot go on.
///
/// One pointer wide, so that `Result<Value, Throw>` stays in two registers.
#[derive(Debug)]
pub struct Throw(Box<Ending>);

/// Why execution ends before the program does.
#[derive(Debug)]
pub enum Ending {
    /// A runtime error.
    Error(RuntimeError),
    /// The intrinsic `exit`, with the status it was given.
    Exit(u8),
    /// An error whose position and stack are already known: it came out of a nested run, such as an imported module.
    Reported(Box<ScriptError>),
}

impl Throw {
    /// A message of an intrinsic.
    #[cold]
    pub fn message(text: impl Into<Box<str>>) -> Throw {
        RuntimeError::Message(text.into()).into()
    }

    /// The intrinsic `exit`.
    #[cold]
    pub fn exit(status: u8) -> Throw {
        Throw(Box::new(Ending::Exit(status)))
    }

    /// An error that has its position already.
    #[cold]
    pub fn reported(error: ScriptError) -> Throw {
        Throw(Box::new(Ending::Reported(Box::new(error))))
    }

    /// What happened.
    pub fn into_ending(self) -> Ending {
        *self.0
    }
}

impl From<RuntimeError> for Throw {
    #[cold]
    fn from(error: RuntimeError) -> Throw {
        Throw(Box::new(Ending::Error(error)))
    }
}

/// The result of everything that can end in a script error.
pub type Fallible<T> = Result<T, Throw>;

/// A place in a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The name of the imported module with its extension; none for the program itself.
    pub module: Option<Box<str>>,
    /// The line, counted from 1.
    pub line: u32,
    /// The name of the function, empty if it has none.
    pub function: Box<str>,
    /// The expression, or the statement, that was being evaluated: where the error happened, or the call. None in code without spans,
    /// such as what was written as bytecode.
    pub span: Option<SourceSpan>,
}

impl std::fmt::Display for Position {
    /// As `stackTrace` lists it: `(current program) line 3`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.module {
            Some(module) => write!(f, "{module} line {}", self.line),
            None => write!(f, "(current program) line {}", self.line),
        }
    }
}

/// A runtime error with the place it happened and the calls that led there.
#[derive(Clone, Debug, PartialEq, Error)]
pub struct ScriptError {
    /// Why.
    pub error: RuntimeError,
    /// The calls, innermost first; the first is where the error happened.
    pub stack: Vec<Position>,
    /// How many calls are left out of the middle of a long stack, behind its first three quarters.
    pub omitted: usize,
}

impl ScriptError {
    /// The lines that show the stack, indented: one for each call, and one for those left out.
    pub fn stack_lines(&self) -> impl Iterator<Item = String> {
        let (inner, outer) = self.stack.split_at(self.stack.len() - self.stack.len() / 4);
        let gap = (self.omitted > 0).then(|| format!("  ... {} more calls ...", self.omitted));
        let line = |position: &Position| format!("  {position}");
        inner
            .iter()
            .map(line)
            .chain(gap)
            .chain(outer.iter().map(line))
    }
}

impl std::fmt::Display for ScriptError {
    /// The first line of a report: `Runtime Error: TEXT [line N]`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let RuntimeError::BrokenModule(report) = &self.error {
            return f.write_str(report);
        }
        write!(f, "Runtime Error: {}", self.error)?;
        match self.stack.first() {
            Some(Position {
                module: Some(module),
                line,
                ..
            }) => write!(f, " [{module} line {line}]"),
            Some(Position { line, .. }) => write!(f, " [line {line}]"),
            None => Ok(()),
        }
    }
}
