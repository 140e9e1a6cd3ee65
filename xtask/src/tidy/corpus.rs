//! Rules for the language corpus.

use super::Problem;
use super::repository::Repository;

/// The comment may follow a `#!` line and a blank one, but no more.
const FIRST_LINES: usize = 3;

/// Rule: every program says at its top what it shows. A program without any text cannot.
pub fn first_comments(repository: &Repository) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in &repository.files {
        if !file.is_in("tests/corpus") || !file.path.ends_with(".ms") {
            continue;
        }
        let text = String::from_utf8_lossy(&file.bytes);
        let text = text.trim_start_matches('\u{feff}');
        let has_comment = text
            .split(['\n', '\r'])
            .take(FIRST_LINES)
            .any(|line| line.trim_start().starts_with("//"));
        if !has_comment && !text.trim().is_empty() {
            let message = "begin with a comment that says what the program shows";
            problems.push(Problem::in_file(&file.path, message));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_begin_with_a_comment() {
        let repository = Repository::of(&[
            ("tests/corpus/a.ms", "// Shows a.\nprint 1\n"),
            (
                "tests/corpus/b.ms",
                "\u{feff}#!/usr/bin/env kiln\r// Shows b.\r",
            ),
            ("tests/corpus/blank.ms", "\n \n"),
            ("tests/corpus/c.ms", "print 1 // one\n"),
            ("tests/corpus/c.out", "1\n"),
        ]);
        let problems = first_comments(&repository);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].path, "tests/corpus/c.ms");
    }
}
