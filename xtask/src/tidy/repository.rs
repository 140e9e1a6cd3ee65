//! The tracked files and their contents.

use std::io;
use std::path::Path;
use std::process::Command;

/// Why the repository cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path}: {error}")]
    Unreadable { path: String, error: io::Error },
    #[error("git cannot list the tracked files: {0}")]
    Git(String),
}

/// A tracked file.
#[derive(Debug)]
pub struct File {
    /// Relative to the root, with `/` between folders.
    pub path: String,
    pub bytes: Vec<u8>,
}

impl File {
    /// The text; none for a binary file.
    pub fn text(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        (!text.contains('\0')).then_some(text)
    }

    /// Whether the file lies in a folder, given without a final `/`.
    pub fn is_in(&self, folder: &str) -> bool {
        self.path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    }
}

/// All tracked files.
#[derive(Debug, Default)]
pub struct Repository {
    pub files: Vec<File>,
}

impl Repository {
    /// Reads the files that git tracks, or would track if asked to add everything.
    pub fn load() -> Result<Repository, Error> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .unwrap_or(Path::new("."));
        let list = Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .current_dir(root)
            .output()
            .map_err(|error| Error::Git(error.to_string()))?;
        if !list.status.success() {
            let message = String::from_utf8_lossy(&list.stderr);
            return Err(Error::Git(message.trim().to_owned()));
        }
        let mut files = Vec::new();
        for path in list.stdout.split(|&byte| byte == 0) {
            let path = String::from_utf8_lossy(path).into_owned();
            let place = root.join(&path);
            // A file that was deleted but not committed is listed still.
            if path.is_empty() || !place.is_file() {
                continue;
            }
            match std::fs::read(place) {
                Ok(bytes) => files.push(File { path, bytes }),
                Err(error) => return Err(Error::Unreadable { path, error }),
            }
        }
        Ok(Repository { files })
    }

    /// The text files, with their paths.
    pub fn texts(&self) -> impl Iterator<Item = (&File, &str)> {
        self.files
            .iter()
            .filter_map(|file| Some((file, file.text()?)))
    }

    /// The Rust sources.
    pub fn rust_sources(&self) -> impl Iterator<Item = (&File, &str)> {
        self.texts().filter(|(file, _)| file.path.ends_with(".rs"))
    }

    /// Whether a file or a folder of this path is tracked.
    pub fn contains(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.files
            .iter()
            .any(|file| file.path == path || file.is_in(path))
    }

    /// A made-up repository.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Repository {
        let files = files.iter().map(|&(path, text)| File {
            path: path.to_owned(),
            bytes: text.into(),
        });
        Repository {
            files: files.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_contained_as_well_as_files() {
        let repository = Repository::of(&[("docs/a.md", ""), ("docs-old/b.md", "")]);
        assert!(repository.contains("docs/a.md"));
        assert!(repository.contains("docs"));
        assert!(repository.contains("docs/"));
        assert!(!repository.contains("doc"));
        assert!(!repository.contains("docs/b.md"));
    }

    #[test]
    fn this_repository_can_be_read() {
        let repository = Repository::load().unwrap();
        assert!(repository.contains("xtask/src/tidy/repository.rs"));
    }
}
