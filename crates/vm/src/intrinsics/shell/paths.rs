//! Taking paths apart and putting them together, as text: nothing here looks at the disk.

/// Whether the character separates the parts of a path.
fn is_separator(character: char) -> bool {
    character == '/' || cfg!(windows) && character == '\\'
}

/// The last part of a path: `b` of `/a/b/`, `.` of an empty path.
pub fn name(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let trimmed = path.trim_end_matches(is_separator);
    if trimmed.is_empty() {
        return &path[..1];
    }
    trimmed.rsplit(is_separator).next().unwrap_or(trimmed)
}

/// The path without its last part: `/a` of `/a/b/`, `.` of `b`.
pub fn parent(path: &str) -> &str {
    let trimmed = path.trim_end_matches(is_separator);
    if trimmed.is_empty() && path.len() > 1 {
        return &path[..1];
    }
    match trimmed.rfind(is_separator) {
        None => ".",
        Some(at) => {
            let parent = trimmed[..at].trim_end_matches(is_separator);
            if parent.is_empty() {
                &trimmed[..1]
            } else {
                parent
            }
        }
    }
}

/// A path below another one.
pub fn child(parent: &str, name: &str) -> String {
    if parent.ends_with(is_separator) {
        format!("{parent}{name}")
    } else {
        format!("{parent}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_parent_and_name() {
        for (path, expected_parent, expected_name) in [
            ("/a/b.txt", "/a", "b.txt"),
            ("/a/b/", "/a", "b"),
            ("b.txt", ".", "b.txt"),
            ("/a", "/", "a"),
            ("a//b", "a", "b"),
            ("../x", "..", "x"),
            ("", ".", "."),
            ("//", "/", "/"),
            ("//a", "/", "a"),
        ] {
            assert_eq!(
                (parent(path), name(path)),
                (expected_parent, expected_name),
                "{path}"
            );
        }
        // The root's parent is, after the trailing separator is gone, that of an empty path.
        assert_eq!((parent("/"), name("/")), (".", "/"));
    }

    #[test]
    fn one_separator_joins() {
        assert_eq!(child("/a", "b"), "/a/b");
        assert_eq!(child("/a/", "b"), "/a/b");
        assert_eq!(child("", "b"), "/b");
    }
}
