//! Rules for Rust sources.

use super::Problem;
use super::repository::Repository;

/// A file of more lines is probably two ideas.
const MOST_LINES: usize = 800;

/// Files that may be longer, and why.
const LONG_FILES: &[(&str, &str)] = &[];

/// Crates without unsafe code.
const SAFE_CRATES: &[&str] = &["crates/bytecode", "crates/frontend", "crates/ssa", "tests"];

/// How far above an `unsafe` its argument may begin, in lines.
const SAFETY_DISTANCE: usize = 12;

/// Rule: every file begins by saying what it holds.
pub fn module_documentation(repository: &Repository) -> Vec<Problem> {
    repository
        .rust_sources()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(file, _)| Problem::in_file(&file.path, "begin with `//!` and what the file holds"))
        .collect()
}

/// Rule: no file is longer than [`MOST_LINES`], but for [`LONG_FILES`].
pub fn file_length(repository: &Repository) -> Vec<Problem> {
    check_length(repository, LONG_FILES)
}

fn check_length(repository: &Repository, exceptions: &[(&str, &str)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, text) in repository.rust_sources() {
        let lines = text.lines().count();
        let is_excepted = exceptions.iter().any(|&(path, _)| path == file.path);
        if lines > MOST_LINES && !is_excepted {
            let message =
                format!("{lines} lines (more than {MOST_LINES}): probably two ideas, split it");
            problems.push(Problem::in_file(&file.path, message));
        } else if lines <= MOST_LINES && is_excepted {
            let message = "an exception to the length rule that is not needed any more";
            problems.push(Problem::in_file(&file.path, message));
        }
    }
    problems
}

/// Rule: crates that need no unsafe code forbid it.
pub fn forbidden_unsafe(repository: &Repository) -> Vec<Problem> {
    let mut problems = Vec::new();
    for folder in SAFE_CRATES {
        let root = format!("{folder}/src/lib.rs");
        for (file, text) in repository.rust_sources() {
            if file.path == root && !text.contains("#![forbid(unsafe_code)]") {
                let message = "this crate needs no unsafe code: state `#![forbid(unsafe_code)]`";
                problems.push(Problem::in_file(&file.path, message));
            }
        }
    }
    problems
}

/// Rule: everything unsafe comes with an argument: `// SAFETY:` where it is used or promised, `# Safety` where it is
/// required of callers.
pub fn safety_comments(repository: &Repository) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, text) in repository.rust_sources() {
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let Some(what) = unsafe_item(line) else {
                continue;
            };
            let first = index.saturating_sub(SAFETY_DISTANCE);
            let near = lines.get(first..=index).unwrap_or_default();
            if !near
                .iter()
                .any(|line| line.contains("SAFETY:") || line.contains("# Safety"))
            {
                let message = format!("`{what}` without a SAFETY comment");
                problems.push(Problem::in_line(&file.path, index + 1, message));
            }
        }
    }
    problems
}

/// The unsafe block, implementation or function that begins in a line. Pointer types (`unsafe fn(u8)`) need no argument.
fn unsafe_item(line: &str) -> Option<&'static str> {
    let code = without_strings_and_comment(line);
    let mut rest = code.as_str();
    while let Some((before, after)) = rest.split_once("unsafe ") {
        rest = after;
        if before.ends_with(|character: char| character.is_alphanumeric() || character == '_') {
            continue;
        }
        if after.starts_with('{') {
            return Some("unsafe {");
        }
        if after.starts_with("impl") {
            return Some("unsafe impl");
        }
        if after.starts_with("trait ") {
            return Some("unsafe trait");
        }
        let function = after.split_once("fn ").map(|(_, name)| name);
        if function.is_some_and(|name| {
            name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        }) {
            return Some("unsafe fn");
        }
    }
    None
}

/// The line's code. A string is reduced to its quotes, so that rules do not read it.
fn without_strings_and_comment(line: &str) -> String {
    let mut code = String::new();
    let mut in_string = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if in_string => {
                characters.next();
            }
            '"' => {
                in_string = !in_string;
                code.push('"');
            }
            // A quote as a character literal opens no string.
            '\'' if !in_string && characters.peek() == Some(&'"') => {
                characters.next();
            }
            '/' if !in_string && characters.peek() == Some(&'/') => break,
            _ if in_string => {}
            _ => code.push(character),
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_begin_with_their_documentation() {
        let repository = Repository::of(&[("a.rs", "//! A.\n"), ("b.rs", "use std::fmt;\n")]);
        let problems = module_documentation(&repository);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].path, "b.rs");
    }

    #[test]
    fn long_files_need_a_reason() {
        let long = "x\n".repeat(MOST_LINES + 1);
        let repository = Repository::of(&[("long.rs", &long), ("short.rs", "x\n")]);
        assert_eq!(check_length(&repository, &[]).len(), 1);
        assert_eq!(check_length(&repository, &[("long.rs", "a table")]), []);
        let stale = [("long.rs", "a table"), ("short.rs", "was long")];
        assert_eq!(check_length(&repository, &stale)[0].path, "short.rs");
    }

    #[test]
    fn safe_crates_forbid_unsafe_code() {
        let repository = Repository::of(&[
            ("crates/frontend/src/lib.rs", "//! F.\n"),
            (
                "crates/bytecode/src/lib.rs",
                "//! B.\n#![forbid(unsafe_code)]\n",
            ),
            ("crates/vm/src/lib.rs", "//! V.\n"),
        ]);
        let problems = forbidden_unsafe(&repository);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].path, "crates/frontend/src/lib.rs");
    }

    #[test]
    fn unsafe_code_is_argued_for() {
        let with = "// SAFETY: checked above.\nlet x = unsafe { *p };\n";
        let without = "let a = 1;\nlet x = unsafe { *p };\n";
        let repository = Repository::of(&[("with.rs", with), ("without.rs", without)]);
        let problems = safety_comments(&repository);
        assert_eq!(problems.len(), 1);
        assert_eq!(
            (problems[0].path.as_str(), problems[0].line),
            ("without.rs", Some(2))
        );
    }

    #[test]
    fn blocks_items_and_functions_are_found() {
        assert_eq!(unsafe_item("    unsafe {"), Some("unsafe {"));
        assert_eq!(
            unsafe_item("unsafe impl Send for X {}"),
            Some("unsafe impl")
        );
        assert_eq!(
            unsafe_item("pub unsafe extern \"C\" fn f() {"),
            Some("unsafe fn")
        );
        assert_eq!(unsafe_item("pub const unsafe fn f() {"), Some("unsafe fn"));
        assert_eq!(unsafe_item("type F = unsafe extern \"C\" fn(u64);"), None);
        assert_eq!(unsafe_item("type F = unsafe fn(u64);"), None);
    }

    #[test]
    fn strings_and_comments_are_not_code() {
        assert_eq!(unsafe_item("// unsafe { }"), None);
        assert_eq!(
            unsafe_item("let text = \"unsafe { \\\" unsafe { }\";"),
            None
        );
        assert_eq!(
            unsafe_item("if c == '\"' { unsafe { f() } }"),
            Some("unsafe {")
        );
    }
}
