//! `cargo xtask tidy`: the repository's own linter, for what neither the compiler nor clippy knows.
//!
//! Each rule is a function from the repository to the problems it finds, in a file of its own with its own tests.

mod corpus;
mod crates;
mod documents;
mod repository;
mod rust;
mod words;

use std::fmt;
use std::process::ExitCode;

use repository::Repository;

/// Something that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Problem {
    /// Relative to the repository's root.
    path: String,
    /// Counted from 1; none if it is about the file as a whole.
    line: Option<usize>,
    message: String,
}

impl Problem {
    fn in_file(path: &str, message: impl Into<String>) -> Problem {
        Problem {
            path: path.to_owned(),
            line: None,
            message: message.into(),
        }
    }

    fn in_line(path: &str, line: usize, message: impl Into<String>) -> Problem {
        Problem {
            line: Some(line),
            ..Problem::in_file(path, message)
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.message),
            None => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

/// A rule that reads nothing but the tracked files.
type Rule = fn(&Repository) -> Vec<Problem>;

const RULES: &[Rule] = &[
    rust::module_documentation,
    rust::file_length,
    rust::safety_comments,
    rust::forbidden_unsafe,
    words::unfinished_work,
    words::foreign_matter,
    words::line_ends,
    documents::named_files,
    documents::book,
    corpus::first_comments,
];

/// Checks the repository and prints what is wrong with it.
pub fn run() -> ExitCode {
    let repository = match Repository::load() {
        Ok(repository) => repository,
        Err(error) => {
            eprintln!("tidy: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut problems: Vec<Problem> = RULES.iter().flat_map(|rule| rule(&repository)).collect();
    match crates::load() {
        Ok(packages) => problems.extend(crates::one_way_dependencies(&packages)),
        Err(error) => problems.push(Problem::in_file("Cargo.toml", error.to_string())),
    }
    for problem in &problems {
        println!("{problem}");
    }
    if problems.is_empty() {
        println!("tidy: {} files, nothing to mend", repository.files.len());
        ExitCode::SUCCESS
    } else {
        println!("tidy: {} problems", problems.len());
        ExitCode::FAILURE
    }
}
