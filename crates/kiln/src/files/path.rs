//! Paths of file systems with a root and a current folder of their own.

use std::io;

/// The names on the way from the root.
pub type Path = Vec<String>;

/// Where a path leads. `..` above the root stays there.
///
/// # Errors
/// An empty path names nothing, and no name has a zero byte.
pub fn resolve(current: &[String], path: &str) -> io::Result<Path> {
    if path.is_empty() {
        return Err(io::ErrorKind::NotFound.into());
    }
    if path.contains('\0') {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut names = if path.starts_with('/') {
        Path::new()
    } else {
        current.to_vec()
    };
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name.to_owned()),
        }
    }
    Ok(names)
}

/// The path as a script sees it.
pub fn absolute(names: &[String]) -> String {
    format!("/{}", names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::{absolute, resolve};

    #[test]
    fn no_path_leads_out_of_the_root() {
        let current = ["a".to_owned(), "b".to_owned()];
        for (path, expected) in [
            (".", "/a/b"),
            ("c", "/a/b/c"),
            ("../c/", "/a/c"),
            ("/c//d", "/c/d"),
            ("../../../../c", "/c"),
            ("/..", "/"),
        ] {
            assert_eq!(absolute(&resolve(&current, path).unwrap()), expected);
        }
        assert!(resolve(&current, "").is_err());
        assert!(resolve(&current, "a\0b").is_err());
    }
}
