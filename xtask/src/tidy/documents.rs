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

/// What the book's pages are listed in.
const SUMMARY: &str = "docs/SUMMARY.md";

/// Rule: every page in `docs/` is in the book, links between its pages do not leave it, and the headings that links lead to exist.
pub fn book(repository: &Repository) -> Vec<Problem> {
    let mut problems = Vec::new();
    let pages = || {
        let texts = repository.texts();
        texts.filter(|(file, _)| file.path.starts_with("docs/") && file.path.ends_with(".md"))
    };
    let chapters: Vec<String> = pages()
        .filter(|(file, _)| file.path == SUMMARY)
        .flat_map(|(_, text)| text.lines().flat_map(links))
        .filter_map(|link| resolve("docs", link))
        .collect();
    for (file, text) in pages() {
        if file.path != SUMMARY && !chapters.contains(&file.path) {
            let message = format!("is a page that {SUMMARY} does not list");
            problems.push(Problem::in_file(&file.path, message));
        }
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (index, line) in text.lines().enumerate() {
            let mut complain = |message: String| {
                problems.push(Problem::in_line(&file.path, index + 1, message));
            };
            for (target, anchor) in links_with_anchors(line) {
                let target = match target {
                    "" => Some(file.path.clone()),
                    target => resolve(folder, target),
                };
                let Some(target) = target.filter(|target| target.starts_with("docs/")) else {
                    complain("links to a file that is not in the book: name it as code".to_owned());
                    continue;
                };
                let page = pages().find(|(page, _)| page.path == target);
                if let (Some(anchor), Some((_, page))) = (anchor, page)
                    && !anchors(page).any(|known| known == anchor)
                {
                    complain(format!(
                        "links to `#{anchor}`, a heading that {target} has not"
                    ));
                }
            }
        }
    }
    problems
}

/// The targets of the line's links that lie in the repository, with what stands behind `#`.
fn links_with_anchors(line: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    line.split("](").skip(1).filter_map(|rest| {
        let (target, _) = rest.split_once(')')?;
        let (path, anchor) = match target.split_once('#') {
            Some((path, anchor)) => (path, Some(anchor)),
            None => (target, None),
        };
        (!target.contains(':')).then_some((path, anchor))
    })
}

/// What links to the headings of a page are called.
fn anchors(page: &str) -> impl Iterator<Item = String> {
    let mut is_code = false;
    let headings = page.lines().filter_map(move |line| {
        is_code ^= line.starts_with("```");
        let title = line.trim_start_matches('#');
        (!is_code && title.len() < line.len()).then(|| title.trim())
    });
    headings.map(|title| {
        let letters = title.chars().filter_map(|letter| match letter {
            ' ' => Some('-'),
            '-' | '_' => Some(letter),
            _ => letter.is_alphanumeric().then_some(letter),
        });
        letters.flat_map(char::to_lowercase).collect()
    })
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

    fn book_problems(page: &str) -> Vec<String> {
        let repository = Repository::of(&[
            (
                "docs/SUMMARY.md",
                "- [Page](page.md)\n- [Other](guide/other.md)",
            ),
            ("docs/page.md", page),
            (
                "docs/guide/other.md",
                "# Other\n\n## `a` and B\n\n```sh\n# no heading\n```\n",
            ),
            ("README.md", ""),
        ]);
        let problems = book(&repository).into_iter();
        problems.map(|problem| problem.message).collect()
    }

    #[test]
    fn links_inside_the_book_are_fine() {
        let page = "# Here\n[a](guide/other.md#a-and-b), [b](#here), [c](guide/other.md), [d](https://example.org/#x)";
        assert_eq!(book_problems(page), [""; 0]);
    }

    #[test]
    fn links_to_no_heading_or_out_of_the_book_are_named() {
        assert_eq!(
            book_problems("[a](guide/other.md#no-heading)"),
            ["links to `#no-heading`, a heading that docs/guide/other.md has not"]
        );
        assert_eq!(
            book_problems("[a](../README.md)"),
            ["links to a file that is not in the book: name it as code"]
        );
        let repository = Repository::of(&[("docs/SUMMARY.md", ""), ("docs/lost.md", "")]);
        assert_eq!(book(&repository).len(), 1);
    }

    #[test]
    fn patterns_and_placeholders_are_no_paths() {
        let document = "`crates/*/src`, `tests/corpus/AREA/NAME.ms`, `crates/{a,b}`, `crates/vm/…`";
        assert_eq!(problems(document), [""; 0]);
    }
}
