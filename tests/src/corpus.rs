//! The language corpus: every program in `tests/corpus/`, compared byte for byte with its expected output.
//!
//! `tests/corpus/README.md` describes the files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};

use crate::diff::difference;
use crate::mode::{self, MODES, Mode, PLAIN};
use crate::process::{Ending, Finished, Limits, Streams, run};

/// First words of the reports that go with exit status 1.
const REPORTS: [&[u8]; 3] = [b"Runtime Error", b"Compiler Error", b"Lexer Error"];

/// The folder name of modules: their programs are imported by tests and are none themselves.
const MODULE_FOLDER: &str = "lib";

/// Runs the suite as the command line says. `built` is the `kiln` program that cargo built.
pub fn main(built: &str) -> ExitCode {
    let binary = crate::binary(built);
    let trials = match trials(&binary) {
        Ok(trials) => trials,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trials(binary: &Path) -> Result<Vec<Trial>, Box<dyn std::error::Error>> {
    let modes = mode::from_environment(binary)?;
    let bless = std::env::var_os("KILN_BLESS").is_some_and(|value| value == "1");
    let root = crate::repository().join("tests").join("corpus");
    let mut programs = Vec::new();
    find_programs(&root, &mut programs)?;
    programs.sort();
    let mut trials = Vec::new();
    for mode in modes {
        for program in &programs {
            // A directive that cannot be read is reported by the test itself.
            let directives = Directives::parse(&fs::read(program)?).unwrap_or_default();
            if directives.not_in.iter().any(|name| mode.is_called(name)) {
                continue;
            }
            let name = program.strip_prefix(&root)?.with_extension("");
            let name = mode.test_name(&name.to_string_lossy().replace('\\', "/"));
            let (binary, program) = (binary.to_owned(), program.clone());
            trials.push(Trial::test(name, move || {
                let bless = bless && mode == PLAIN;
                check(&binary, mode, &program, bless)
            }));
        }
    }
    Ok(trials)
}

fn find_programs(folder: &Path, programs: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != MODULE_FOLDER) {
                find_programs(&path, programs)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "ms") {
            programs.push(path);
        }
    }
    Ok(())
}

/// How a program is run and checked, from the comments at its top.
#[derive(Debug, Default, PartialEq, Eq)]
struct Directives {
    exit: Option<i32>,
    arguments: Vec<String>,
    stdin: Vec<u8>,
    error_prefix: bool,
    /// The names of modes in which the program would take too long.
    not_in: Vec<String>,
}

impl Directives {
    fn parse(source: &[u8]) -> Result<Directives, String> {
        let mut directives = Directives::default();
        let source = source.strip_prefix(b"\xef\xbb\xbf").unwrap_or(source);
        for line in source.split(|&byte| byte == b'\n' || byte == b'\r') {
            let line = String::from_utf8_lossy(line);
            let line = line.trim();
            if line.is_empty() || line.starts_with("#!") {
                continue;
            }
            let Some(comment) = line.strip_prefix("//") else {
                break;
            };
            let Some(directive) = comment.trim_start().strip_prefix("test:") else {
                continue;
            };
            let directive = directive.trim_start();
            match directive.split_once('=') {
                Some(("exit", status)) => {
                    let status = status.trim().parse();
                    directives.exit = Some(status.map_err(|_| format!("wrong status: {line}"))?);
                }
                Some(("args", arguments)) => {
                    directives.arguments =
                        arguments.split_whitespace().map(str::to_owned).collect();
                }
                Some(("stdin", text)) => directives.stdin = text.replace("\\n", "\n").into_bytes(),
                Some(("not-in", name)) if MODES.iter().any(|mode| mode.name == name) => {
                    directives.not_in.push(name.to_owned());
                }
                None if directive == "error-prefix" => directives.error_prefix = true,
                _ => return Err(format!("unknown directive: {line}")),
            }
        }
        Ok(directives)
    }
}

/// The expected exit status of a program that says nothing about it.
fn usual_status(expected_errors: &[u8]) -> i32 {
    let reported = expected_errors
        .split(|&byte| byte == b'\n')
        .any(|line| REPORTS.iter().any(|report| line.starts_with(report)));
    i32::from(reported)
}

fn first_line(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == b'\n').next().unwrap_or_default()
}

/// An expected output; a file that is not there stands for an empty one.
fn read_expected(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other,
    }
}

fn write_expected(path: &Path, text: &[u8]) -> io::Result<()> {
    if !text.is_empty() {
        return fs::write(path, text);
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn check(binary: &Path, mode: Mode, program: &Path, bless: bool) -> Result<(), Failed> {
    let directives = Directives::parse(&fs::read(program)?)?;
    let folder = program.parent().unwrap_or(Path::new("."));
    let file = program.file_name().unwrap_or_default();
    let mut command = Command::new(binary);
    command.current_dir(folder).args(mode.arguments);
    command.arg(file).args(&directives.arguments);
    let finished = run(
        &mut command,
        &directives.stdin,
        Streams::Apart,
        mode.limits(Limits::default()),
    )?;

    let mut problems = compare(&directives, program, &finished)?;
    if bless && !problems.is_empty() && matches!(finished.ending, Ending::Status(_)) {
        write_expected(&program.with_extension("out"), &finished.stdout)?;
        let errors: Vec<u8> = if directives.error_prefix {
            [first_line(&finished.stderr), b"\n"].concat()
        } else {
            finished.stderr.clone()
        };
        write_expected(&program.with_extension("err"), &errors)?;
        // What blessing cannot mend is a failure still.
        problems = compare(&directives, program, &finished)?;
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n").into())
    }
}

/// Everything in which a run departs from what the files beside the program expect.
fn compare(
    directives: &Directives,
    program: &Path,
    finished: &Finished,
) -> io::Result<Vec<String>> {
    let expected_output = read_expected(&program.with_extension("out"))?;
    let expected_errors = read_expected(&program.with_extension("err"))?;
    let (errors, actual_errors) = if directives.error_prefix {
        (first_line(&expected_errors), first_line(&finished.stderr))
    } else {
        (&expected_errors[..], &finished.stderr[..])
    };
    let expected_status = directives
        .exit
        .unwrap_or_else(|| usual_status(&expected_errors));

    let mut problems = Vec::new();
    if finished.ending != Ending::Status(expected_status) {
        let ending = finished.ending;
        problems.push(format!(
            "expected exit status {expected_status}, got {ending}"
        ));
    }
    problems.extend(difference("output", &expected_output, &finished.stdout));
    problems.extend(difference("errors", errors, actual_errors));
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_stand_in_the_first_comments() {
        let source = b"\xef\xbb\xbf#!/usr/bin/env kiln\r\n// Shows input.\r\n// test: exit=3\n\n\
            // test: args=a -b c\n// test: stdin=one\\ntwo\\n\n// test: error-prefix\n// test: not-in=gc-stress\n// test: not-in=evict\nprint 1\n// test: exit=4\n";
        let expected = Directives {
            exit: Some(3),
            arguments: vec!["a".into(), "-b".into(), "c".into()],
            stdin: b"one\ntwo\n".to_vec(),
            error_prefix: true,
            not_in: vec!["gc-stress".into(), "evict".into()],
        };
        assert_eq!(Directives::parse(source), Ok(expected));
    }

    #[test]
    fn a_misspelt_directive_is_an_error() {
        assert!(Directives::parse(b"// test: exits=3\n").is_err());
        assert!(Directives::parse(b"// test: exit=three\n").is_err());
        assert!(Directives::parse(b"// test: not-in=no-such-mode\n").is_err());
    }

    #[test]
    fn an_error_report_means_status_1() {
        assert_eq!(usual_status(b""), 0);
        assert_eq!(usual_status(b"Warning: something\n"), 0);
        assert_eq!(usual_status(b"Warning: x\nRuntime Error: y [line 1]\n"), 1);
        assert_eq!(usual_status(b"Lexer Error: y [line 1]\n"), 1);
    }

    #[test]
    fn every_departure_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("hello.ms");
        fs::write(program.with_extension("out"), "hello\n").unwrap();
        let finished = Finished {
            stdout: b"hallo\n".to_vec(),
            stderr: b"Runtime Error: x\n".to_vec(),
            ending: Ending::Status(1),
        };
        let problems = compare(&Directives::default(), &program, &finished).unwrap();
        assert_eq!(problems.len(), 3, "{problems:?}");
    }
}
