//! `cargo xtask bench`: runs the programs in `benches/` on Kiln and its peers.
//!
//! Every program runs a number of rounds; within a round the engines take
//! turns, so that a change in the machine's speed touches all of them alike.
//! What counts is the processor time of the child process, all threads
//! included, so that background compilation is not free. Engines must agree on
//! the output.

mod chart;
mod engine;
mod history;
mod json;
mod manifest;
mod options;
mod overview;
mod page;
mod report;
mod table;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use engine::{Availability, Engine};
use kiln_bench::document::{self, Host};
use kiln_bench::history::Entry;
use kiln_bench::process;
use manifest::Program;
use options::Options;
use report::{Metric, Outcome, ProgramResult, Report};

/// The engine to which ratios refer, when it is installed.
const USUAL_BASELINE: &str = "lua5.4";

/// Why a benchmark session could not start or finish.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Options(#[from] options::Error),
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: {source}", path.display())]
    Manifest {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the history {} {source}", path.display())]
    History {
        path: PathBuf,
        source: kiln_bench::history::LoadError,
    },
    #[error("{}: {source}", path.display())]
    Results {
        path: PathBuf,
        source: json::ParseError,
    },
    #[error("no program matches the filter")]
    NoPrograms,
    #[error("none of the engines is installed")]
    NoEngines,
}

/// Runs the command with the arguments that follow its name.
///
/// The exit code tells whether every engine ran every program with the same
/// output.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    match session(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn session(arguments: impl Iterator<Item = OsString>) -> Result<bool, Error> {
    let options = Options::parse(arguments)?;
    if options.help {
        print!("{}", options::HELP);
        return Ok(true);
    }
    // Before the work, not after it: a damaged file would be noticed too late.
    let mut history = match &options.history {
        Some(path) => load_history(path)?,
        None => Vec::new(),
    };
    let report = match &options.from {
        Some(path) => recorded(path)?,
        None => measured(&options)?,
    };
    for metric in options.metrics() {
        println!("{}", table::render(&report, metric));
    }
    if let Some(path) = &options.json {
        write(path, &json::render(&report))?;
    }
    if let Some(path) = &options.svg {
        write(path, &chart::render(&report, Metric::ProcessorTime))?;
    }
    if let Some(path) = &options.overview {
        write(path, &overview::render(&report))?;
    }
    // What was measured earlier is in the history already, or belongs to another day.
    if let (Some(path), None) = (&options.history, &options.from) {
        let entries = history::entries(&report);
        kiln_bench::history::append(path, &entries).map_err(|source| Error::Write {
            path: path.clone(),
            source,
        })?;
        history.extend(entries);
    }
    if let Some(path) = &options.report {
        write(path, &page::render(&report, &history))?;
    }
    for failure in report.failures() {
        eprintln!("bench: {failure}");
    }
    Ok(report.failures().next().is_none())
}

/// Measures what the options ask for.
fn measured(options: &Options) -> Result<Report, Error> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches");
    let programs: Vec<Program> = manifest::load(&directory.join("manifest.json"))?
        .into_iter()
        .filter(|program| options.selects(program))
        .collect();
    if programs.is_empty() {
        return Err(Error::NoPrograms);
    }
    let engines = installed_engines(options)?;
    Ok(measure_all(&directory, programs, engines, options))
}

/// Results that were written earlier.
fn recorded(path: &Path) -> Result<Report, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    json::parse(&text).map_err(|source| Error::Results {
        path: path.to_owned(),
        source,
    })
}

fn load_history(path: &Path) -> Result<Vec<Entry>, Error> {
    kiln_bench::history::load(path).map_err(|source| Error::History {
        path: path.to_owned(),
        source,
    })
}

fn installed_engines(options: &Options) -> Result<Vec<Engine>, Error> {
    let mut engines = Vec::new();
    for candidate in engine::usual(options.kiln.as_deref())
        .iter()
        .filter(|usual| options.wants_engine(usual.name))
    {
        match candidate.probe() {
            Availability::Installed(kiln) if options.tiers && candidate.is_kiln() => {
                engines.extend(kiln.tiers());
            }
            Availability::Installed(engine) => engines.push(engine),
            Availability::Missing(reason) => eprintln!("{} is left out: {reason}", candidate.name),
        }
    }
    engines.extend(options.extra.iter().cloned());
    if engines.is_empty() {
        Err(Error::NoEngines)
    } else {
        Ok(engines)
    }
}

fn measure_all(
    directory: &Path,
    programs: Vec<Program>,
    engines: Vec<Engine>,
    options: &Options,
) -> Report {
    let baseline = engines
        .iter()
        .position(|engine| engine.name == USUAL_BASELINE)
        .unwrap_or(0);
    let mut results = Vec::new();
    for program in programs {
        eprintln!("running {}", program.name);
        let n = if options.small {
            program.small
        } else {
            program.default
        };
        let outcomes = measure_program(directory, &program, n, &engines, baseline, options.rounds);
        results.push(ProgramResult {
            program,
            n,
            outcomes,
        });
    }
    Report {
        created: Some(document::now()),
        host: Some(Host::this()),
        small: options.small,
        rounds: options.rounds,
        engines,
        baseline,
        results,
    }
}

/// Runs one program `rounds` times on each engine, engines taking turns.
///
/// An engine that fails once is not run again; its outcome is the failure.
fn measure_program(
    directory: &Path,
    program: &Program,
    n: u64,
    engines: &[Engine],
    baseline: usize,
    rounds: usize,
) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = engines
        .iter()
        .map(|_| Outcome::Measured(Vec::new()))
        .collect();
    // The baseline comes first in a round: its first output is what the
    // others are compared with.
    let order: Vec<usize> = std::iter::once(baseline)
        .chain((0..engines.len()).filter(|&engine| engine != baseline))
        .collect();
    let mut expected: Option<Vec<u8>> = None;
    for _ in 0..rounds {
        for &index in &order {
            let (Some(engine), Some(outcome)) = (engines.get(index), outcomes.get_mut(index))
            else {
                continue;
            };
            let Outcome::Measured(samples) = outcome else {
                continue;
            };
            let file = directory.join(program.file(engine.language.extension()));
            let failure = match process::run(engine.command(&file, n), b"") {
                Err(error) => Some(format!("cannot be run: {error}")),
                Ok(run) => run.failure().or_else(|| {
                    samples.push(run.sample);
                    let is_same = *expected.get_or_insert_with(|| run.output.clone()) == run.output;
                    (!is_same).then(|| "its output differs".to_owned())
                }),
            };
            if let Some(reason) = failure {
                *outcome = Outcome::Failed(reason);
            }
        }
    }
    outcomes
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn an_engine_fails_if_its_output_or_status_is_wrong() {
        // `echo` prints the name of the source, which is another one in Lua.
        let engines = [
            "differs=echo {lua}",
            "first=echo {}",
            "same=echo {}",
            "broken=false {}",
        ]
        .map(|text| Engine::extra(text).expect("it is valid"));
        let program = Program {
            name: "fib".to_owned(),
            group: "calls".to_owned(),
            default: 30,
            small: 3,
        };
        let outcomes = measure_program(Path::new("benches"), &program, 30, &engines, 1, 2);
        let summary: Vec<String> = outcomes
            .iter()
            .map(|outcome| match outcome {
                Outcome::Measured(samples) => format!("{} samples", samples.len()),
                Outcome::Failed(reason) => reason.clone(),
            })
            .collect();
        assert_eq!(
            summary,
            [
                "its output differs",
                "2 samples",
                "2 samples",
                "exit status: 1: nothing on standard error"
            ]
        );
    }
}
