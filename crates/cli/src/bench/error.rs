//! Why `kiln bench` could not do its work.

use std::io;
use std::path::{Path, PathBuf};

use kiln_bench::process::Run;
use kiln_bench::{document, history};

/// How many lines of a failed run's standard error are shown.
const ERROR_LINES: usize = 10;

/// Why `kiln bench` could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: io::Error },
    #[error("cannot write {}: {reason}", path.display())]
    Unwritable { path: PathBuf, reason: io::Error },
    #[error("a script from standard input could be read only once: put it into a file")]
    StandardInput,
    #[error("--vs {command:?}: {reason}")]
    WrongCommand { command: String, reason: String },
    #[error("cannot run {}: {reason}", program.display())]
    NotRunnable { program: PathBuf, reason: io::Error },
    #[error("cannot run {}: {reason}", path.display())]
    NotLoadable {
        path: PathBuf,
        reason: kiln::FileError,
    },
    /// With the rendered errors.
    #[error("the script does not compile\n{0}")]
    NotCompilable(String),
    #[error(transparent)]
    Start(#[from] kiln::StartError),
    #[error("cannot find this program's own file: {0}")]
    NoProgram(io::Error),
    #[error("there is no such engine")]
    NoEngine,
    #[error("cannot tell what this process uses: {0}")]
    NoUsage(io::Error),
    #[error("{} failed on {engine} with {status}{message} (--ignore-status lets that pass)", script.display())]
    Failed {
        script: PathBuf,
        engine: String,
        status: String,
        /// Begins with a line end and is indented, unless it is empty.
        message: String,
    },
    #[error(
        "the output of {first} differs from that of {second} in line {line}: {first_line} against {second_line} \
         (--ignore-output lets that pass)"
    )]
    Difference {
        /// Counted from 1.
        line: usize,
        first: String,
        first_line: String,
        second: String,
        second_line: String,
    },
    #[error("the baseline {} {reason}", path.display())]
    Baseline {
        path: PathBuf,
        reason: document::LoadError,
    },
    #[error("the baseline {} was measured with other arguments, or with --in-process where this is without", .0.display())]
    OtherBaseline(PathBuf),
    #[error("the history {} {reason}", path.display())]
    History {
        path: PathBuf,
        reason: history::LoadError,
    },
    #[error("cannot draw the chart: {0}")]
    Chart(String),
    #[error("cannot write the output: {0}")]
    Output(io::Error),
}

impl Error {
    /// The error about a run that ended with a status other than 0, with the first lines of what it complained about.
    pub fn failed(script: &Path, engine: &str, run: &Run) -> Error {
        let errors = String::from_utf8_lossy(&run.errors);
        let message: String = errors
            .lines()
            .take(ERROR_LINES)
            .map(|line| format!("\n  {line}"))
            .collect();
        Error::Failed {
            script: script.to_path_buf(),
            engine: engine.to_owned(),
            status: run.status.to_string(),
            message: if message.is_empty() {
                message
            } else {
                format!("{message}\n ")
            },
        }
    }

    /// The exit status: 2 if the command was called wrongly, with files or commands that are not usable, else 1.
    pub fn status(&self) -> u8 {
        match self {
            Error::Unreadable { .. }
            | Error::StandardInput
            | Error::WrongCommand { .. }
            | Error::NotRunnable { .. }
            | Error::NotLoadable { .. }
            | Error::Baseline { .. }
            | Error::OtherBaseline(_)
            | Error::History { .. } => 2,
            Error::Unwritable { .. }
            | Error::NotCompilable(_)
            | Error::Start(_)
            | Error::NoProgram(_)
            | Error::NoEngine
            | Error::NoUsage(_)
            | Error::Failed { .. }
            | Error::Difference { .. }
            | Error::Chart(_)
            | Error::Output(_) => 1,
        }
    }
}
