//! What can go wrong between a host and its scripts.

use kiln_vm::error::{Ending, RuntimeError, ScriptError, Throw};

use crate::compile::CompileErrors;
use crate::data::DataError;

/// What can go wrong between a host and its scripts.
///
/// Returned from an intrinsic, it ends the script: a script error or an exit that came out of a call goes on as it is, anything
/// else becomes a script error with this text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text does not compile.
    #[error(transparent)]
    Compile(#[from] CompileErrors),
    /// A script ended with an error. It carries the script's stack.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// A script called `exit` in a call from Rust.
    #[error("the script ended with exit status {0}")]
    Exit(u8),
    /// A value is not of the kind that was asked for.
    #[error("expected {expected}, got {got}")]
    Conversion {
        /// What was asked for.
        expected: &'static str,
        /// What was there.
        got: &'static str,
    },
    /// Data, or a record, cannot be converted; it names the place.
    #[error(transparent)]
    Data(DataError),
    /// There is no global variable with this name.
    #[error("there is no global variable {0}")]
    NoGlobal(Box<str>),
    /// A value or object belongs to another interpreter.
    #[error("the value belongs to another interpreter")]
    Foreign,
    /// An object is already in use further out.
    #[error("the object is in use")]
    InUse,
    /// The interpreter has a script that has not ended.
    #[error("a script is suspended")]
    Busy,
    /// The system refuses something.
    #[error(transparent)]
    System(#[from] std::io::Error),
    /// Anything else, such as an intrinsic's complaint.
    #[error("{0}")]
    Message(Box<str>),
}

impl Error {
    /// A message for the script.
    ///
    /// ```
    /// use kiln::{Engine, Error, Intrinsic};
    ///
    /// let engine = Engine::new();
    /// let open = Intrinsic::new("openDoor", |_| -> Result<(), Error> { Err(Error::message("the door is locked")) });
    /// let mut interpreter = engine.interpreter().intrinsic(open).build()?;
    /// let error = interpreter.run(&engine.compile("house.ms", "openDoor")?).unwrap_err();
    /// assert_eq!(error.to_string(), "Runtime Error: the door is locked [line 1]");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn message(text: impl Into<Box<str>>) -> Error {
        Error::Message(text.into())
    }

    /// The script error, if it is one.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "f = function\nreturn 1 + nosuch\nend function")?)?;
    /// let error = interpreter.call::<f64>("f", ()).unwrap_err();
    /// let error = error.as_script_error().unwrap();
    /// assert_eq!(error.stack[0].line, 2);
    /// assert_eq!(error.stack[0].span.unwrap().to_string(), "2:12-2:18");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn as_script_error(&self) -> Option<&ScriptError> {
        match self {
            Error::Script(error) => Some(error),
            _ => None,
        }
    }

    pub(crate) fn into_throw(self) -> Throw {
        match self {
            Error::Script(error) if error.stack.is_empty() => error.error.into(),
            Error::Script(error) => Throw::reported(error),
            Error::Exit(status) => Throw::exit(status),
            other => Throw::message(other.to_string()),
        }
    }
}

impl From<Throw> for Error {
    fn from(throw: Throw) -> Error {
        throw.into_ending().into()
    }
}

impl From<Ending> for Error {
    fn from(ending: Ending) -> Error {
        match ending {
            Ending::Error(error) => error.into(),
            Ending::Exit(status) => Error::Exit(status),
            Ending::Reported(error) => Error::Script(*error),
        }
    }
}

impl From<RuntimeError> for Error {
    fn from(error: RuntimeError) -> Error {
        Error::Script(ScriptError {
            error,
            stack: Vec::new(),
            omitted: 0,
        })
    }
}
