//! The `kiln` program: runs scripts, talks to people at a prompt, and shows what the engine makes of a program.

mod arguments;
mod bench;
mod console;
mod inspect;
mod interrupt;
mod listing;
mod profile;
mod repl;
mod run;
mod size;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        None => run::run(arguments.program, arguments.options),
        Some(Command::Run { program, options }) => run::run(program, options),
        Some(Command::Repl { arguments, options }) => repl::repl(arguments, options),
        Some(Command::Check { files }) => inspect::check(&files),
        Some(Command::Compile { file, output }) => inspect::compile(&file, &output),
        Some(Command::Dump {
            stage,
            optimized,
            file,
        }) => match (optimized.form(&stage), stage.code_form()) {
            (Some(form), _) => inspect::dump_optimized(&file, form, optimized.jit()),
            (None, Some(form)) => inspect::dump_machine_code(&file, form),
            (None, None) => inspect::dump(&file, stage.stage()),
        },
        Some(Command::Bench(options)) => bench::bench(&options).map_err(Error::from),
        Some(Command::Profile(arguments)) => profile::profile(arguments),
        Some(Command::Explain(arguments)) => profile::explain(arguments),
        Some(Command::Hotspots(arguments)) => profile::hotspots(arguments),
        Some(Command::Intrinsics { name }) => listing::print(name.as_deref()),
        Some(Command::Completions { shell }) => arguments::print_completions(shell),
    };
    match result {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("kiln: {error}");
            ExitCode::from(error.status())
        }
    }
}

/// The exit status after a script error or a compile error.
const SCRIPT_ERROR: u8 = 1;

/// Why a command could not do its work. What is wrong with a script is no such error: it has been reported by then.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// A file cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        path: String,
        reason: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {reason}")]
    Unwritable {
        path: String,
        reason: std::io::Error,
    },
    /// A file of compiled code is damaged or of another version.
    #[error("cannot run {path}: {reason}")]
    NotLoadable {
        path: String,
        reason: kiln::FileError,
    },
    /// No machine code can be shown.
    #[error(transparent)]
    MachineCode(#[from] kiln::MachineCodeError),
    /// No memory for the interpreter.
    #[error(transparent)]
    Start(#[from] kiln::StartError),
    /// Nothing was executed at a line.
    #[error("no function of {path} was executed at line {line}")]
    NothingThere { path: String, line: u32 },
    /// A program from a pipe is gone when it has been read.
    #[error("the program is run twice: give a file")]
    NotTwice,
    /// Standard output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(std::io::Error),
    /// A benchmark could not be made.
    #[error(transparent)]
    Bench(#[from] bench::Error),
    /// There is no intrinsic of this name.
    #[error("there is no intrinsic named {0:?}; `kiln intrinsics` lists all")]
    NoIntrinsic(String),
}

impl Error {
    /// The exit status: 2 if the command was called wrongly, unreadable files included, else 1.
    fn status(&self) -> u8 {
        match self {
            Error::Unreadable { .. }
            | Error::NotLoadable { .. }
            | Error::NothingThere { .. }
            | Error::NotTwice
            | Error::NoIntrinsic(_) => 2,
            Error::Bench(error) => error.status(),
            Error::Unwritable { .. }
            | Error::Start(_)
            | Error::Output(_)
            | Error::MachineCode(_) => 1,
        }
    }
}

/// Reads a file, or standard input if the path is `-`.
fn read(path: &std::path::Path) -> Result<Vec<u8>, Error> {
    let contents = if path.as_os_str() == "-" {
        let mut contents = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut contents).map(|_| contents)
    } else {
        std::fs::read(path)
    };
    contents.map_err(|reason| Error::Unreadable {
        path: path.display().to_string(),
        reason,
    })
}

/// Whether reports on standard error are coloured.
fn colour() -> bool {
    std::io::IsTerminal::is_terminal(&std::io::stderr())
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
