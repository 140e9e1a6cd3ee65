//! Words that have no place in the repository, and line ends.
//!
//! The words are put together from parts here, so that this file does not break its own rules.

use super::Problem;
use super::repository::Repository;

/// Marks of work left undone.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("HA", "CK"),
    concat!("todo", "!"),
    concat!("unimplemented", "!"),
    concat!("#[", "ignore"),
];

/// What speaks of a machine or of tools instead of the project.
const FOREIGN: &[(&str, &str)] = &[
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("/ho", "me/"), "a path of one machine"),
    (concat!("/Us", "ers/"), "a path of one machine"),
    (concat!("/t", "mp/"), "a path of one machine"),
    (concat!("static.", "crates.io"), "a registry's host"),
    (concat!("index.", "crates.io"), "a registry's host"),
    (concat!("py", "pi.org"), "a registry's host"),
    (concat!("registry.", "npmjs.org"), "a registry's host"),
    (concat!("deb.", "debian.org"), "a registry's host"),
    (concat!("Clau", "de"), "a tool, not the project"),
    (concat!("Anth", "ropic"), "a tool, not the project"),
    (concat!("Chat", "GPT"), "a tool, not the project"),
    (concat!("Co", "pilot"), "a tool, not the project"),
    (concat!("L", "LM"), "a tool, not the project"),
    (concat!("AI ", "assistant"), "a tool, not the project"),
    (concat!("AI-", "generated"), "a tool, not the project"),
];

/// Programs that are tests may hold any text and any line end.
const CORPUS: &str = "tests/corpus";

/// Rule: nothing is left undone.
pub fn unfinished_work(repository: &Repository) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, text) in repository.texts() {
        if is_lock_file(&file.path) {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            for word in UNFINISHED.iter().filter(|word| contains_word(line, word)) {
                let message = format!("`{word}`: finish it, or describe it in an issue");
                problems.push(Problem::in_line(&file.path, index + 1, message));
            }
        }
    }
    problems
}

/// Rule: the repository speaks of the project alone.
pub fn foreign_matter(repository: &Repository) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, text) in repository.texts() {
        if is_lock_file(&file.path) {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            for (words, what) in FOREIGN {
                if contains_word(line, words) {
                    let message = format!("`{words}` is {what}");
                    problems.push(Problem::in_line(&file.path, index + 1, message));
                }
            }
        }
    }
    problems
}

/// Rule: lines end with LF.
pub fn line_ends(repository: &Repository) -> Vec<Problem> {
    repository
        .texts()
        .filter(|(file, text)| !file.is_in(CORPUS) && text.contains('\r'))
        .map(|(file, _)| Problem::in_file(&file.path, "has CR line ends; use LF alone"))
        .collect()
}

fn is_lock_file(path: &str) -> bool {
    path.ends_with(".lock")
}

/// Whether the line contains the word, not as a part of a longer one.
fn contains_word(line: &str, word: &str) -> bool {
    let is_letter = |character: char| character.is_alphanumeric() || character == '_';
    // Only an end that is a letter can be continued by one: the file name behind a path is no objection.
    let open_start = word.starts_with(is_letter);
    let open_end = word.ends_with(is_letter);
    line.match_indices(word).any(|(start, _)| {
        let before = line.get(..start).unwrap_or_default();
        let after = line.get(start + word.len()..).unwrap_or_default();
        !(open_start && before.ends_with(is_letter) || open_end && after.starts_with(is_letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(problems: &[Problem]) -> Vec<Option<usize>> {
        problems.iter().map(|problem| problem.line).collect()
    }

    #[test]
    fn unfinished_work_is_found() {
        let text = concat!("fine\n// TO", "DO: more\n", "todo", "!()\nmyTO", "DOs\n");
        let repository = Repository::of(&[("a.rs", text)]);
        assert_eq!(lines(&unfinished_work(&repository)), [Some(2), Some(3)]);
    }

    #[test]
    fn paths_of_a_machine_are_found() {
        let text = concat!("see docs/wo", "rk.md\nsee /wo", "rk/main\n");
        let repository = Repository::of(&[("a.md", text), ("Cargo.lock", text)]);
        assert_eq!(lines(&foreign_matter(&repository)), [Some(2)]);
    }

    #[test]
    fn carriage_returns_belong_to_the_corpus_alone() {
        let repository = Repository::of(&[
            ("a.rs", "a\r\n"),
            ("b.rs", "b\n"),
            ("tests/corpus/language/cr.ms", "c\r"),
        ]);
        let problems = line_ends(&repository);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].path, "a.rs");
    }
}
