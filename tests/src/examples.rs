//! The examples: every command in the table of `examples/README.md` prints exactly what it promises.

use std::collections::BTreeSet;
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
    let folder = crate::repository().join("examples");
    let examples = parse(&fs::read_to_string(folder.join("README.md"))?);
    let mut trials = Vec::new();
    for mode in mode::from_environment(binary)? {
        for example in &examples {
            let name = mode.test_name(example.script.trim_end_matches(".ms"));
            let (binary, folder, example) = (binary.to_owned(), folder.clone(), example.clone());
            trials.push(Trial::test(name, move || {
                check(&binary, mode, &folder, &example)
            }));
        }
    }
    trials.push(Trial::test("the table names every program", move || {
        check_complete(&folder, &examples)
    }));
    Ok(trials)
}

/// A row of the table: `` | `kiln SCRIPT ARGUMENT… < INPUT` | `OUTPUT` | ``.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Example {
    script: String,
    arguments: Vec<String>,
    input: Option<String>,
    output: String,
}

fn parse(readme: &str) -> Vec<Example> {
    readme.lines().filter_map(parse_row).collect()
}

fn parse_row(line: &str) -> Option<Example> {
    let (command, output) = line.strip_prefix("| `kiln ")?.split_once("` | `")?;
    let (command, input) = match command.split_once('<') {
        Some((command, input)) => (command, Some(input.trim().to_owned())),
        None => (command, None),
    };
    let mut words = command.split_whitespace().map(str::to_owned);
    Some(Example {
        script: words.next()?,
        arguments: words.collect(),
        input,
        output: output.strip_suffix("` |")?.to_owned(),
    })
}

fn check(binary: &Path, mode: Mode, folder: &Path, example: &Example) -> Result<(), Failed> {
    let input = match &example.input {
        Some(file) => fs::read(folder.join(file))?,
        None => Vec::new(),
    };
    let expected = fs::read(folder.join(&example.output))?;
    let mut command = Command::new(binary);
    command.current_dir(folder).args(mode.arguments);
    command.arg(&example.script).args(&example.arguments);
    let finished = run(
        &mut command,
        &input,
        Streams::Apart,
        mode.limits(Limits::default()),
    )?;
    let mut problems = Vec::new();
    if finished.ending != Ending::Status(0) {
        problems.push(format!("expected exit status 0, got {}", finished.ending));
    }
    problems.extend(difference("output", &expected, &finished.stdout));
    problems.extend(difference("errors", b"", &finished.stderr));
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n").into())
    }
}

/// No program and no expected output may be missing from the table: nobody would notice it break.
fn check_complete(folder: &Path, examples: &[Example]) -> Result<(), Failed> {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let path = PathBuf::from(entry?.file_name());
        let extension = path.extension().and_then(|extension| extension.to_str());
        if matches!(extension, Some("ms" | "expected")) {
            files.insert(path.to_string_lossy().into_owned());
        }
    }
    for example in examples {
        files.remove(&example.script);
        files.remove(&example.output);
    }
    if files.is_empty() {
        Ok(())
    } else {
        let files: Vec<String> = files.into_iter().collect();
        Err(format!(
            "examples/README.md has no command for: {}",
            files.join(", ")
        )
        .into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_commands_with_their_output() {
        let readme =
            "| Command | Output |\n|---|---|\n| `kiln a.ms 24 x < a.input` | `a.expected` |\n";
        let expected = Example {
            script: "a.ms".into(),
            arguments: vec!["24".into(), "x".into()],
            input: Some("a.input".into()),
            output: "a.expected".into(),
        };
        assert_eq!(parse(readme), [expected]);
    }
}
