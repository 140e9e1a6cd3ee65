//! The book: every program in `docs/` and in `README.md` does what the page says.
//!
//! A program is a block of code whose language is `miniscript`; a block whose language is `output`, if one follows, is exactly what
//! it prints, with the error it ends by, if it does. Without one it prints nothing. A block of `console` that begins with the command
//! `kiln FILE` shows what the program before it prints in the same way. Every block names its language, so that none is left out
//! unnoticed.
//!
//! A block whose language is `dump OPTIONS FUNCTION` is what `kiln dump` shows of that function of the program above it. A line `…` stands
//! for any lines, and for a part of a line at its end; addresses are written `0x…`.

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
    let mut trials = Vec::new();
    let mut pages = pages(&docs)?;
    pages.push(crate::repository().join("README.md"));
    for page in pages {
        let name = page.strip_prefix(&docs).unwrap_or(&page);
        let name = name
            .file_name()
            .filter(|_| name.is_absolute())
            .map_or(name.display().to_string(), |name| {
                format!("/{}", name.display())
            });
        let text = fs::read_to_string(&page)?;
        for program in parse(&text) {
            programs.push((name.clone(), program));
        }
        let check = move || match blocks_without_language(&text).as_slice() {
            [] => Ok(()),
            lines => Err(format!("blocks without a language begin in lines {lines:?}").into()),
        };
        trials.push(Trial::test(
            format!("{name} blocks name their languages"),
            check,
        ));
    }
    for (page, program) in &programs {
        for dump in &program.dumps {
            let name = format!("{page} line {} (dump)", dump.line);
            let (binary, code, dump) = (binary.to_owned(), program.code.clone(), dump.clone());
            trials.push(Trial::test(name, move || check_dump(&binary, &code, &dump)));
        }
    }
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
    dumps: Vec<Dump>,
}

/// What a page shows of a program's way through the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Dump {
    /// The line of the page on which it begins.
    line: usize,
    options: Vec<String>,
    function: Option<String>,
    text: String,
}

impl Dump {
    fn new(line: usize, arguments: &str, text: String) -> Dump {
        let words = arguments.split_whitespace().map(str::to_owned);
        let (options, functions): (Vec<String>, Vec<String>) =
            words.partition(|word| word.starts_with('-'));
        Dump {
            line,
            options,
            function: functions.into_iter().next(),
            text,
        }
    }
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
                dumps: Vec::new(),
            }),
            ("output", Some(program)) => program.output = text,
            ("console", Some(program)) => {
                let is_run = |command: &str| {
                    let words: Vec<&str> = command.split(' ').collect();
                    matches!(words.as_slice(), ["$", "kiln", file] if file.ends_with(".ms"))
                };
                if let Some((command, output)) = text.split_once('\n')
                    && is_run(command)
                {
                    program.output = output.to_owned();
                }
            }

            (language, Some(program)) => {
                if let Some(arguments) = language.strip_prefix("dump ") {
                    program.dumps.push(Dump::new(index + 2, arguments, text));
                }
            }
            _ => {}
        }
    }
    programs
}

/// The lines in which blocks begin that do not say what they are.
fn blocks_without_language(page: &str) -> Vec<usize> {
    let fences = page.lines().zip(1..);
    let mut fences = fences.filter(|(line, _)| line.starts_with("```"));
    let mut found = Vec::new();
    while let Some((line, number)) = fences.next() {
        if line == "```" {
            found.push(number);
        }
        // Its end.
        fences.next();
    }
    found
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

fn check_dump(binary: &Path, code: &str, dump: &Dump) -> Result<(), Failed> {
    let name = format!("kiln-book-{}-{}.ms", std::process::id(), dump.line);
    let path = std::env::temp_dir().join(name);
    fs::write(&path, code)?;
    let mut target = path.clone().into_os_string();
    if let Some(function) = &dump.function {
        target.push(":");
        target.push(function);
    }
    let mut command = Command::new(binary);
    command.arg("dump").args(&dump.options).arg(target);
    let finished = run(&mut command, &[], Streams::Apart, Limits::default());
    fs::remove_file(&path)?;
    let finished = finished?;
    let shown = without_addresses(&String::from_utf8_lossy(&finished.stdout));
    let lines: Vec<&str> = shown.lines().collect();
    let expected: Vec<&str> = dump.text.lines().collect();
    if finished.ending == Ending::Status(0) && matches(&expected, &lines) {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&finished.stderr);
    Err(format!("ended with {}; {errors}it shows\n{shown}", finished.ending).into())
}

/// The text with numbers that depend on where things lie in memory written as `0x…`.
fn without_addresses(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("0x") {
        let digits = |c: char| !(c.is_ascii_hexdigit() || c == '_');
        let number = &rest[at + 2..];
        let end = number.find(digits).unwrap_or(number.len());
        result.push_str(&rest[..at]);
        let count = number[..end].chars().filter(|c| *c != '_').count();
        // Tags of values are addresses to nobody, but have as many digits.
        if count > 8 && !number.starts_with("fff") && !number.starts_with("7ff") {
            result.push_str("0x…");
        } else {
            result.push_str(&rest[at..at + 2 + end]);
        }
        rest = &number[end..];
    }
    result.push_str(rest);
    result
}

/// Whether lines are as expected, where `…` stands for any.
fn matches(expected: &[&str], lines: &[&str]) -> bool {
    let Some((first, others)) = expected.split_first() else {
        return lines.is_empty();
    };
    if first.trim() == "…" {
        return (0..=lines.len()).any(|skipped| matches(others, &lines[skipped..]));
    }
    let is_like = |line: &&str| match first.strip_suffix('…') {
        Some(start) if !first.ends_with("0x…") => line.starts_with(start),
        _ => line.trim_end() == *first,
    };
    lines.first().is_some_and(is_like) && matches(others, &lines[1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_come_with_their_output() {
        let page = "Text\n```miniscript\nprint 1\n```\nprints\n```output\n1\n```\n\n```sh\nkiln\n```\n```dump --ssa f\nb0:\n…\n```\n```miniscript\nx = 1\n```\n";
        let expected = [
            Program {
                line: 3,
                code: "print 1\n".into(),
                output: "1\n".into(),
                dumps: vec![Dump {
                    line: 14,
                    options: vec!["--ssa".into()],
                    function: Some("f".into()),
                    text: "b0:\n…\n".into(),
                }],
            },
            Program {
                line: 18,
                code: "x = 1\n".into(),
                output: String::new(),
                dumps: Vec::new(),
            },
        ];
        assert_eq!(parse(page), expected);
    }

    #[test]
    fn excerpts_leave_lines_out() {
        let lines = ["one 0x55d0c0ffee10", "two", "three 3"].join("\n");
        let shown = without_addresses(&lines);
        let shown: Vec<&str> = shown.lines().collect();
        assert!(matches(&["one 0x…", "…", "three…"], &shown));
        assert!(matches(&["…", "two", "three 3"], &shown));
        assert!(!matches(&["…", "two"], &shown));
        assert!(!matches(&["one 0x…", "three 3"], &shown));
    }

    #[test]
    fn commands_show_what_the_program_before_them_prints() {
        let page = "```miniscript\nprint 1\n```\n\n```console\n$ kiln one.ms\n1\n```\n\n```console\n$ kiln profile one.ms\n```\n";
        let programs = parse(page);
        assert_eq!(programs.len(), 1);
        assert_eq!(programs[0].output, "1\n");
    }

    #[test]
    fn blocks_without_a_language_are_found() {
        let page = "```sh\nkiln\n```\n\n```\nprint 1\n```\n\n```text\n```\n";
        assert_eq!(blocks_without_language(page), [5]);
    }
}
