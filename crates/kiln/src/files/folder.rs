//! The files in one folder of the operating system.

use std::io;
use std::path::PathBuf;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions as SystemOptions};
use kiln_vm::file_system::{FileInfo, FileStream, FileSystem, OpenOptions};

use super::path::{Path, absolute, resolve};

/// The files in one folder, which scripts see as the root.
///
/// Nothing leads out of it: `..` stays at the root, and links that point elsewhere are refused, also those made while a file is being
/// opened. Each value has its own current folder, at first the root.
///
/// ```no_run
/// use kiln::{Engine, FolderFiles};
///
/// let interpreter = Engine::new().interpreter().files(FolderFiles::new("plugins/weather")?).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FolderFiles {
    root: Dir,
    current: Path,
}

impl FolderFiles {
    /// The files in this folder.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// use kiln::FolderFiles;
    ///
    /// let folder = std::env::temp_dir().join(format!("kiln-example-{}", std::process::id()));
    /// std::fs::create_dir_all(&folder)?;
    /// let mut interpreter = engine.interpreter().files(FolderFiles::new(&folder)?).build()?;
    /// interpreter.run(&engine.compile("x.ms", "file.writeLines \"/notes.txt\", [\"one\"]")?)?;
    /// assert_eq!(std::fs::read_to_string(folder.join("notes.txt"))?, "one\n");
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn new(folder: impl AsRef<std::path::Path>) -> io::Result<FolderFiles> {
        Ok(FolderFiles {
            root: Dir::open_ambient_dir(folder, ambient_authority())?,
            current: Path::new(),
        })
    }

    /// The path from the root, without `..`.
    fn relative(&self, path: &str) -> io::Result<PathBuf> {
        let names = resolve(&self.current, path)?;
        Ok(if names.is_empty() {
            ".".into()
        } else {
            names.iter().collect()
        })
    }
}

impl FileSystem for FolderFiles {
    fn current_folder(&self) -> io::Result<String> {
        Ok(absolute(&self.current))
    }

    fn set_current_folder(&mut self, path: &str) -> io::Result<()> {
        if !self.root.metadata(self.relative(path)?)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        self.current = resolve(&self.current, path)?;
        Ok(())
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let entries = self.root.read_dir(self.relative(path)?)?;
        Ok(entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect())
    }

    fn info(&self, path: &str) -> io::Result<FileInfo> {
        let relative = self.relative(path)?;
        let metadata = self.root.metadata(&relative)?;
        let path = match self.root.canonicalize(&relative) {
            Ok(path) if path == std::path::Path::new(".") => "/".into(),
            Ok(path) => format!("/{}", path.to_string_lossy()),
            Err(_) => absolute(&resolve(&self.current, path)?),
        };
        Ok(FileInfo {
            path,
            is_folder: metadata.is_dir(),
            size: metadata.len(),
            modified: metadata.modified().ok().map(|time| time.into_std()),
        })
    }

    fn open(&mut self, path: &str, options: OpenOptions) -> io::Result<Box<dyn FileStream>> {
        let mut system = SystemOptions::new();
        system
            .read(options.read)
            .write(options.write)
            .append(options.append)
            .truncate(options.truncate)
            .create(options.create)
            .create_new(options.create_new);
        let file = self.root.open_with(self.relative(path)?, &system)?;
        Ok(Box::new(file))
    }

    fn make_folder(&mut self, path: &str) -> io::Result<()> {
        self.root.create_dir(self.relative(path)?)
    }

    fn rename(&mut self, old: &str, new: &str) -> io::Result<()> {
        let (old, new) = (self.relative(old)?, self.relative(new)?);
        self.root.rename(old, &self.root, new)
    }

    fn remove(&mut self, path: &str) -> io::Result<()> {
        let path = self.relative(path)?;
        if self.root.symlink_metadata(&path)?.is_dir() {
            self.root.remove_dir(path)
        } else {
            self.root.remove_file(path)
        }
    }
}
