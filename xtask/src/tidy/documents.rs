//! Files and folders that documents name.

use super::Problem;
use super::repository::Repository;

/// What a path in a document's text begins with.
const FOLDERS: &[&str] = &[
    "crates/",
    "docs/",
    "tests/",
    "xtask/",
    "benches/",
    "examples/",
    "fuzz/",
    ".ci/",
    ".cargo/",
];

/// Rule: what documents name is there. That holds for paths from the root, in the text or in code, and for links, which
/// count from the document's folder.
pub fn named_files(repository: &Repository) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, text) in repository.texts() {
        if !file.path.ends_with(".md") {
            continue;
        }
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (index, line) in text.lines().enumerate() {
            let missing_link = links(line)
                .filter_map(|link| resolve(folder, link))
                .find(|path| !repository.contains(path));
            let missing_path = paths(line).map(str::to_owned).find(|path| {
                !repository.contains(path) && !repository.contains(&format!("{folder}/{path}"))
            });
            for path in missing_link.into_iter().chain(missing_path) {
                let message = format!("names `{path}`, which does not exist");
                problems.push(Problem::in_line(&file.path, index + 1, message));
            }
        }
    }
    problems
}

/// The targets of the line's links that lie in the repository.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let (target, _) = rest.split_once(')')?;
        let target = target.split('#').next()?;
        let is_ours = !target.is_empty() && !target.contains(':');
        is_ours.then_some(target)
    })
}

/// A link's target as a path from the root; none if it leaves the repository.
fn resolve(folder: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The paths from the root that the line names. Patterns and placeholders (`AREA/NAME.ms`) are none.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    line.split(|character: char| !(character.is_alphanumeric() || "._-/*{}…".contains(character)))
        .map(|word| word.trim_end_matches(['.', '/']))
        .filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)))
        .filter(|word| !word.contains(['*', '{', '}', '…']) && !word.split('/').any(is_placeholder))
}

/// Whether a part of a path stands for something else: its stem is all capitals.
fn is_placeholder(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part);
    let is_capitals = !stem.is_empty() && stem.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    is_capitals && stem != "README"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(document: &str) -> Vec<String> {
        let repository = Repository::of(&[
            ("docs/page.md", document),
            ("docs/other.md", ""),
            ("crates/vm/src/vm.rs", ""),
            ("README.md", ""),
        ]);
        named_files(&repository)
            .into_iter()
            .map(|problem| problem.message)
            .collect()
    }

    #[test]
    fn paths_that_exist_are_fine() {
        let document = "See `crates/vm/src/vm.rs`, crates/vm/ and docs/other.md.\n\
            [other](other.md#part), [top](../README.md), [web](https://example.org/docs/no.md)";
        assert_eq!(problems(document), [""; 0]);
    }

    #[test]
    fn paths_that_do_not_exist_are_named() {
        assert_eq!(
            problems("Look into `crates/vm/src/gone.rs`."),
            ["names `crates/vm/src/gone.rs`, which does not exist"]
        );
        assert_eq!(
            problems("A [link](gone.md)."),
            ["names `docs/gone.md`, which does not exist"]
        );
    }

    #[test]
    fn patterns_and_placeholders_are_no_paths() {
        let document = "`crates/*/src`, `tests/corpus/AREA/NAME.ms`, `crates/{a,b}`, `crates/vm/…`";
        assert_eq!(problems(document), [""; 0]);
    }
}
