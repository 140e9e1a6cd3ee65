//! Hostile programs and surroundings: whatever happens, `kiln` ends by itself with a status and, if it failed, with a
//! report that a person can read. It never crashes, hangs, panics or runs away with memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};

use crate::process::{Ending, Finished, Limits, Streams, run};

mod scripts;

/// How a case has to end.
#[derive(Clone, Copy, Debug)]
enum End {
    /// With status 0, and this on standard output.
    Prints(&'static str),
    /// With status 0, whatever it prints.
    Succeeds,
    /// With status 1, no output, and a report whose first line contains this.
    Reports(&'static str),
    /// Either with status 0 or with a report: a limit that may be raised decides.
    SucceedsOrReports,
    /// With a small status, whatever it says: its output goes nowhere.
    Ends,
    /// With status 1 or 2 and a message: there was no program to run.
    Refuses,
}

/// One program and how it has to end.
struct Case {
    name: &'static str,
    files: Vec<(&'static str, Vec<u8>)>,
    arguments: &'static [&'static str],
    streams: Streams,
    end: End,
}

impl Case {
    /// A single program.
    fn new(name: &'static str, source: impl Into<Vec<u8>>, end: End) -> Case {
        Case {
            name,
            files: vec![("main.ms", source.into())],
            arguments: &["main.ms"],
            streams: Streams::Apart,
            end,
        }
    }

    /// With a further file in the folder.
    fn with_file(mut self, name: &'static str, text: impl Into<Vec<u8>>) -> Case {
        self.files.push((name, text.into()));
        self
    }

    /// With another command line.
    fn with_arguments(mut self, arguments: &'static [&'static str]) -> Case {
        self.arguments = arguments;
        self
    }

    /// With other streams.
    fn with_streams(mut self, streams: Streams) -> Case {
        self.streams = streams;
        self
    }

    fn check(&self, binary: &Path) -> Result<(), Failed> {
        let folder = tempfile::tempdir()?;
        for (name, text) in &self.files {
            fs::write(folder.path().join(name), text)?;
        }
        fs::create_dir(folder.path().join("folder"))?;
        let mut command = Command::new(binary);
        command.current_dir(folder.path()).args(self.arguments);
        let finished = run(&mut command, b"", self.streams, Limits::default())?;
        self.judge(&finished)
            .map_err(|problem| format!("{problem}\n{}", summary(&finished)).into())
    }

    fn judge(&self, finished: &Finished) -> Result<(), String> {
        let Ending::Status(status) = finished.ending else {
            return Err(format!("expected an orderly end, got {}", finished.ending));
        };
        let errors = String::from_utf8_lossy(&finished.stderr);
        if errors.contains("panicked at") {
            return Err("it panicked".to_owned());
        }
        let reported = status == 1 && is_report(&errors);
        match self.end {
            End::Prints(text) if status == 0 && finished.stdout == text.as_bytes() => Ok(()),
            End::Succeeds if status == 0 => Ok(()),
            End::Reports(text)
                if reported
                    && finished.stdout.is_empty()
                    && errors
                        .lines()
                        .next()
                        .is_some_and(|line| line.contains(text)) =>
            {
                Ok(())
            }
            End::SucceedsOrReports if status == 0 || reported => Ok(()),
            End::Ends if matches!(status, 0 | 1) => Ok(()),
            End::Refuses if matches!(status, 1 | 2) && !errors.trim().is_empty() => Ok(()),
            _ => Err(format!("expected {:?}, got exit status {status}", self.end)),
        }
    }
}

fn is_report(errors: &str) -> bool {
    ["Runtime Error: ", "Compiler Error: ", "Lexer Error: "]
        .iter()
        .any(|report| errors.starts_with(report))
}

/// The beginning of what a program wrote.
fn summary(finished: &Finished) -> String {
    let beginning = |bytes: &[u8]| {
        let shown = bytes.get(..1000).unwrap_or(bytes);
        String::from_utf8_lossy(shown).into_owned()
    };
    format!(
        "output: {}\nerrors: {}",
        beginning(&finished.stdout),
        beginning(&finished.stderr)
    )
}

/// Runs the suite as the command line says. `built` is the `kiln` program that cargo built.
pub fn main(built: &str) -> ExitCode {
    let binary: PathBuf = crate::binary(built);
    let trials = scripts::cases().into_iter().map(|case| {
        let binary = binary.clone();
        Trial::test(case.name, move || case.check(&binary))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(end: End, status: i32, stdout: &str, stderr: &str) -> Result<(), String> {
        let finished = Finished {
            stdout: stdout.into(),
            stderr: stderr.into(),
            ending: Ending::Status(status),
        };
        Case::new("case", "", end).judge(&finished)
    }

    #[test]
    fn a_report_needs_its_status_and_its_text() {
        let report = "Runtime Error: list too large [line 1]\n";
        assert!(judge(End::Reports("too large"), 1, "", report).is_ok());
        assert!(judge(End::Reports("too small"), 1, "", report).is_err());
        assert!(judge(End::Reports("too large"), 0, "", report).is_err());
        assert!(judge(End::Reports(""), 1, "", "").is_err());
    }

    #[test]
    fn a_panic_is_never_right() {
        let panic = "thread 'main' panicked at src/main.rs:1:1:\n";
        assert!(judge(End::Refuses, 1, "", panic).is_err());
        assert!(judge(End::Succeeds, 0, "", panic).is_err());
    }

    #[test]
    fn output_is_compared_as_a_whole() {
        assert!(judge(End::Prints("1\n"), 0, "1\n", "").is_ok());
        assert!(judge(End::Prints("1\n"), 0, "1\n2\n", "").is_err());
    }
}
