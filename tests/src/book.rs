//! The book: every program in `docs/` does what the page says.
//!
//! A program is a block of code whose language is `miniscript`; a block whose language is `output`, if one follows, is exactly what
//! it prints, with the error it ends by, if it does. Without one it prints nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};

use crate::diff::difference;
use crate::mode::{self, Mode};
use crate::process::{Ending, Limits, Streams, run};

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
    let docs = crate::repository().join("docs");
    let mut programs = Vec::new();
    for page in pages(&docs)? {
        let name = page.strip_prefix(&docs).unwrap_or(&page).to_owned();
        for program in parse(&fs::read_to_string(&page)?) {
            programs.push((name.display().to_string(), program));
        }
    }
    let mut trials = Vec::new();
    for mode in mode::from_environment(binary)? {
        for (page, program) in &programs {
            let name = mode.test_name(&format!("{page} line {}", program.line));
            let (binary, program) = (binary.to_owned(), program.clone());
            trials.push(Trial::test(name, move || check(&binary, mode, &program)));
        }
    }
    Ok(trials)
}

/// The pages in a folder and in the folders in it, sorted.
fn pages(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut pages = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            pages.extend(self::pages(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    Ok(pages)
}

/// A program in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Program {
    /// The line of the page on which it begins.
    line: usize,
    code: String,
    output: String,
}

/// The programs of a page.
fn parse(page: &str) -> Vec<Program> {
    let mut programs: Vec<Program> = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        let mut text = String::new();
        for (_, line) in lines.by_ref().take_while(|(_, line)| *line != "```") {
            text.push_str(line);
            text.push('\n');
        }
        match (language, programs.last_mut()) {
            ("miniscript", _) => programs.push(Program {
                line: index + 2,
                code: text,
                output: String::new(),
            }),
            ("output", Some(program)) => program.output = text,
            _ => {}
        }
    }
    programs
}

fn check(binary: &Path, mode: Mode, program: &Program) -> Result<(), Failed> {
    let mut command = Command::new(binary);
    command.args(mode.arguments).arg("-");
    let code = program.code.as_bytes();
    let finished = run(&mut command, code, Streams::Apart, Limits::default())?;
    let mut printed = finished.stdout;
    printed.extend(&finished.stderr);
    let expected_status = i32::from(!finished.stderr.is_empty());
    let mut problems = Vec::new();
    if finished.ending != Ending::Status(expected_status) {
        problems.push(format!("it ended with {}", finished.ending));
    }
    problems.extend(difference("output", program.output.as_bytes(), &printed));
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_come_with_their_output() {
        let page = "Text\n```miniscript\nprint 1\n```\nprints\n```output\n1\n```\n\n```sh\nkiln\n```\n```miniscript\nx = 1\n```\n";
        let expected = [
            Program {
                line: 3,
                code: "print 1\n".into(),
                output: "1\n".into(),
            },
            Program {
                line: 14,
                code: "x = 1\n".into(),
                output: String::new(),
            },
        ];
        assert_eq!(parse(page), expected);
    }
}
