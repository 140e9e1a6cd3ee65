//! Why data cannot be converted, and where.

use std::fmt::{self, Display, Formatter};

use crate::error::Error;

/// Why data cannot be converted: what is wrong, and the path to it, as in `items[2].weight: invalid type: string "x", expected f64`.
///
/// ```
/// # let engine = kiln::Engine::new();
/// # let mut interpreter = engine.interpreter().build()?;
/// use kiln::{Data, Error};
///
/// interpreter.run(&engine.compile("x.ms", "x = {\"sizes\": [1, -1]}")?)?;
/// let result = interpreter.global::<Data<std::collections::BTreeMap<String, Vec<u8>>>>("x");
/// let Err(Error::Data(error)) = result else { panic!("an error was expected") };
/// assert_eq!(error.path(), "sizes[1]");
/// assert_eq!(error.message(), "invalid value: integer `-1`, expected u8");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DataError {
    /// From the inside to the outside.
    path: Vec<Step>,
    reason: Reason,
}

#[derive(Debug)]
enum Step {
    Field(Box<str>),
    Index(usize),
}

#[derive(Debug)]
enum Reason {
    Message(Box<str>),
    /// Something that is no fault of the data, such as a full heap.
    Other(Box<Error>),
}

impl DataError {
    pub(super) fn new(message: impl Into<Box<str>>) -> DataError {
        DataError {
            path: Vec::new(),
            reason: Reason::Message(message.into()),
        }
    }

    /// The path from the value that was converted to the one that is wrong: `items[2].weight`, empty if that is the value itself.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for step in self.path.iter().rev() {
            match step {
                Step::Field(name) if path.is_empty() => path.push_str(name),
                Step::Field(name) => path.extend([".", name]),
                Step::Index(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }

    /// What is wrong there.
    pub fn message(&self) -> String {
        match &self.reason {
            Reason::Message(message) => message.to_string(),
            Reason::Other(error) => error.to_string(),
        }
    }

    /// The error of a field, of whatever it lies in.
    pub(super) fn in_field(mut self, name: &str) -> DataError {
        self.path.push(Step::Field(name.into()));
        self
    }

    /// The error of an element, of its list.
    pub(super) fn in_element(mut self, index: usize) -> DataError {
        self.path.push(Step::Index(index));
        self
    }
}

impl Display for DataError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path())?;
        }
        f.write_str(&self.message())
    }
}

impl std::error::Error for DataError {}

impl serde::ser::Error for DataError {
    fn custom<T: Display>(message: T) -> DataError {
        DataError::new(message.to_string())
    }
}

impl serde::de::Error for DataError {
    fn custom<T: Display>(message: T) -> DataError {
        DataError::new(message.to_string())
    }
}

impl From<Error> for DataError {
    fn from(error: Error) -> DataError {
        DataError {
            path: Vec::new(),
            reason: Reason::Other(Box::new(error)),
        }
    }
}

impl From<DataError> for Error {
    fn from(error: DataError) -> Error {
        match error.reason {
            Reason::Other(other) => *other,
            Reason::Message(_) => Error::Data(error),
        }
    }
}
