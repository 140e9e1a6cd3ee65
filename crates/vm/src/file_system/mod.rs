//! Where the files of scripts are.

mod system;

use std::io::{self, Read, Seek, Write};
use std::time::SystemTime;

pub use system::SystemFiles;

/// The files that a host grants to its scripts. The intrinsics of the map `file` see nothing else.
///
/// Paths are as the script gives them. Relative ones begin in the current folder, which belongs to the file system; an empty one
/// names nothing.
///
/// # Errors
/// Each method may refuse; scripts hear only that it did.
pub trait FileSystem: Send {
    /// The path of the current folder.
    fn current_folder(&self) -> io::Result<String>;
    /// Makes another folder the current one.
    fn set_current_folder(&mut self, path: &str) -> io::Result<()>;
    /// The names of what is in a folder, without `.` and `..`.
    fn list(&self, path: &str) -> io::Result<Vec<String>>;
    /// What is known of a file or folder.
    fn info(&self, path: &str) -> io::Result<FileInfo>;
    /// Opens a file.
    fn open(&mut self, path: &str, options: OpenOptions) -> io::Result<Box<dyn FileStream>>;
    /// Makes a folder in one that exists.
    fn make_folder(&mut self, path: &str) -> io::Result<()>;
    /// Moves a file or folder. A file that has the new path already is replaced.
    fn rename(&mut self, old: &str, new: &str) -> io::Result<()>;
    /// Removes a file or an empty folder.
    fn remove(&mut self, path: &str) -> io::Result<()>;
    /// Copies a file. Without a method of its own, a file system copies the contents alone.
    fn copy(&mut self, old: &str, new: &str) -> io::Result<()> {
        // A file copied to itself would be emptied first.
        if let (Ok(old), Ok(new)) = (self.info(old), self.info(new))
            && old.path == new.path
        {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut source = self.open(old, OpenOptions::READ)?;
        let mut target = self.open(new, OpenOptions::REPLACE)?;
        io::copy(&mut source, &mut target)?;
        target.flush()
    }
}

/// What is known of a file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// Its absolute path, the same for all ways of naming it.
    pub path: String,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// The size of a file in bytes.
    pub size: u64,
    /// When it was changed last, if that is known.
    pub modified: Option<SystemTime>,
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// For reading.
    pub read: bool,
    /// For writing.
    pub write: bool,
    /// Each write goes to the end of the file.
    pub append: bool,
    /// The file is emptied.
    pub truncate: bool,
    /// A missing file is made.
    pub create: bool,
    /// The file is made and must be missing.
    pub create_new: bool,
}

impl OpenOptions {
    /// Reads a file that exists.
    pub const READ: OpenOptions = OpenOptions {
        read: true,
        write: false,
        append: false,
        truncate: false,
        create: false,
        create_new: false,
    };

    /// Writes a new file in place of any old one.
    pub const REPLACE: OpenOptions = OpenOptions {
        write: true,
        truncate: true,
        create: true,
        read: false,
        ..OpenOptions::READ
    };
}

/// An open file. It is flushed before it is closed.
pub trait FileStream: Read + Write + Seek + Send {}

impl<T: Read + Write + Seek + Send> FileStream for T {}
