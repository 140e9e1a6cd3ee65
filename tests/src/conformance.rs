//! The MiniScript 1.6 conformance suite, which is not part of this repository.
//!
//! It is one text file: programs, each followed by what it must print. Output and errors count as one stream; of an
//! error only the first line counts, and it ends the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};

use crate::diff::difference;
use crate::mode::{self, Mode};
use crate::process::{Ending, Limits, Streams, run};

/// Where the suite is looked for, from the folder that holds the repository's.
const USUAL_PLACE: &str = "shared/conformance/miniscript-1/TestSuite.txt";

/// A case in which Kiln departs from the suite on purpose.
struct Departure {
    /// The case's title in the suite.
    title: &'static str,
    reason: &'static str,
    expected: &'static [&'static str],
}

/// All of them.
const DEPARTURES: &[Departure] = &[Departure {
    title: "List sort.",
    reason: "`sort` puts numbers before strings: comparing a number with a string as text is no order",
    expected: &[
        "[3, 5, 9, 12, 45]",
        "[45, 12, 9, 5, 3]",
        r#"[5, 42, "3"]"#,
        r#"["3", 42, 5]"#,
        "[1, 2, null]",
        r#"["a", "b", null]"#,
        r#"[{"name": "one", "val": 1}, {"name": "three", "val": 3}, {"name": "two", "val": 2}]"#,
        r#"[{"name": "one", "val": 1}, {"name": "two", "val": 2}, {"name": "three", "val": 3}]"#,
        r#"[{"name": "two", "val": 2}, {"name": "three", "val": 3}, {"name": "one", "val": 1}]"#,
        r#"[{"name": "three", "val": 3}, {"name": "two", "val": 2}, {"name": "one", "val": 1}]"#,
    ],
}];

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
    let path = match std::env::var_os("KILN_CONFORMANCE") {
        Some(path) => PathBuf::from(path),
        None => {
            let folder = crate::repository().parent().unwrap_or(Path::new("."));
            let path = folder.join(USUAL_PLACE);
            if !path.exists() {
                println!(
                    "\nThe conformance suite is skipped: it is not part of this repository, and there is no\n\
                     ../{USUAL_PLACE} beside it. KILN_CONFORMANCE can name another place."
                );
                return Ok(Vec::new());
            }
            path
        }
    };
    let suite = fs::read_to_string(&path)
        .map_err(|error| format!("the conformance suite {}: {error}", path.display()))?;
    let cases = parse(&suite);
    if cases.is_empty() {
        return Err(format!("there is no test in {}", path.display()).into());
    }
    for departure in DEPARTURES {
        if !cases.iter().any(|case| case.title == departure.title) {
            return Err(format!("the suite has no case {:?}", departure.title).into());
        }
        println!(
            "departs on purpose: {} ({})",
            departure.title, departure.reason
        );
    }
    let mut trials = Vec::new();
    for mode in mode::from_environment(binary)? {
        for case in &cases {
            let name = mode.test_name(&format!("line {}: {}", case.line, case.title));
            let (binary, case) = (binary.to_owned(), case.clone());
            trials.push(Trial::test(name, move || check(&binary, mode, &case)));
        }
    }
    Ok(trials)
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Case {
    title: String,
    /// The line of the suite in which the program begins.
    line: usize,
    source: Vec<String>,
    expected: Vec<String>,
}

/// Cuts the suite into cases. `====` begins a case, the text behind it is its title; `----` begins the expected
/// output.
fn parse(suite: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = Case::default();
    let mut in_output = false;
    for (index, line) in suite.lines().enumerate() {
        if line.starts_with("====") {
            if !case.source.is_empty() {
                cases.push(std::mem::take(&mut case));
            }
            in_output = false;
            let title = line.trim_start_matches('=').trim();
            if case.title.is_empty() {
                title.clone_into(&mut case.title);
            }
        } else if line.starts_with("----") {
            in_output = true;
        } else if in_output {
            case.expected.push(line.to_owned());
        } else {
            if case.source.is_empty() {
                case.line = index + 1;
            }
            case.source.push(line.to_owned());
        }
    }
    if !case.source.is_empty() {
        cases.push(case);
    }
    cases
}

fn check(binary: &Path, mode: Mode, case: &Case) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("case.ms"), case.source.join("\n"))?;
    let mut command = Command::new(binary);
    command.current_dir(folder.path()).args(mode.arguments);
    command.arg("case.ms");
    let finished = run(
        &mut command,
        b"",
        Streams::Merged,
        mode.limits(Limits::default()),
    )?;

    let mut problems = Vec::new();
    if !matches!(finished.ending, Ending::Status(0 | 1)) {
        problems.push(format!(
            "expected exit status 0 or 1, got {}",
            finished.ending
        ));
    }
    let departure = DEPARTURES.iter().find(|other| other.title == case.title);
    let expected = match departure {
        Some(departure) => lines(departure.expected),
        None => lines(&case.expected),
    };
    let actual = without_details(&finished.stdout);
    problems.extend(difference(
        "output and errors",
        expected.as_bytes(),
        &actual,
    ));
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n").into())
    }
}

fn lines<T: AsRef<str>>(lines: &[T]) -> String {
    lines
        .iter()
        .map(|line| format!("{}\n", line.as_ref()))
        .collect()
}

/// The output up to the first line of an error report; stack and excerpt are Kiln's own.
fn without_details(output: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    for line in output.split_inclusive(|&byte| byte == b'\n') {
        kept.extend_from_slice(line);
        let reports: [&[u8]; 3] = [b"Runtime Error: ", b"Compiler Error: ", b"Lexer Error: "];
        if reports.iter().any(|report| line.starts_with(report)) {
            break;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suite_is_cut_at_its_separators() {
        let suite = "\
====
==== Printing
==== in two lines of title
print 1

----
1

====
==== A title without a program
====
==== Nothing printed
x = 1
----
====
print 2
----
2";
        let case = |title: &str, line, source: &[&str], expected: &[&str]| Case {
            title: title.to_owned(),
            line,
            source: source.iter().map(|&line| line.to_owned()).collect(),
            expected: expected.iter().map(|&line| line.to_owned()).collect(),
        };
        let expected = [
            case("Printing", 4, &["print 1", ""], &["1", ""]),
            case("A title without a program", 13, &["x = 1"], &[]),
            case("", 16, &["print 2"], &["2"]),
        ];
        assert_eq!(parse(suite), expected);
    }

    #[test]
    fn only_the_first_line_of_an_error_counts() {
        let output = b"1\nRuntime Error: no [line 2]\n  (current program) line 2\n";
        assert_eq!(without_details(output), b"1\nRuntime Error: no [line 2]\n");
        assert_eq!(without_details(b"1\n2\n"), b"1\n2\n");
    }
}
