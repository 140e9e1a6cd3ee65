//! The files of the operating system.

use std::fs::{self, DirBuilder, File, FileTimes};
use std::io;

use super::{FileInfo, FileStream, FileSystem, OpenOptions};

/// All files that the process may use, with its current folder, which all its interpreters share.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemFiles;

impl FileSystem for SystemFiles {
    fn current_folder(&self) -> io::Result<String> {
        Ok(std::env::current_dir()?.to_string_lossy().into_owned())
    }

    fn set_current_folder(&mut self, path: &str) -> io::Result<()> {
        std::env::set_current_dir(path)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        Ok(fs::read_dir(path)?.flatten().map(name).collect())
    }

    fn info(&self, path: &str) -> io::Result<FileInfo> {
        let metadata = fs::metadata(path)?;
        let absolute = fs::canonicalize(path).unwrap_or_else(|_| path.into());
        Ok(FileInfo {
            path: absolute.to_string_lossy().into_owned(),
            is_folder: metadata.is_dir(),
            size: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }

    fn open(&mut self, path: &str, options: OpenOptions) -> io::Result<Box<dyn FileStream>> {
        let file = fs::OpenOptions::new()
            .read(options.read)
            .write(options.write)
            .append(options.append)
            .truncate(options.truncate)
            .create(options.create)
            .create_new(options.create_new)
            .open(path)?;
        Ok(Box::new(file))
    }

    fn make_folder(&mut self, path: &str) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
        builder.create(path)
    }

    fn rename(&mut self, old: &str, new: &str) -> io::Result<()> {
        fs::rename(old, new)
    }

    fn remove(&mut self, path: &str) -> io::Result<()> {
        if fs::symlink_metadata(path)?.is_dir() {
            fs::remove_dir(path)
        } else {
            fs::remove_file(path)
        }
    }

    /// Copies contents, permissions and times.
    fn copy(&mut self, old: &str, new: &str) -> io::Result<()> {
        // A file copied to itself would be emptied first.
        if let (Ok(old), Ok(new)) = (fs::canonicalize(old), fs::canonicalize(new))
            && old == new
        {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        fs::copy(old, new)?;
        let metadata = fs::metadata(old)?;
        let times = FileTimes::new()
            .set_accessed(metadata.accessed()?)
            .set_modified(metadata.modified()?);
        // The copy may be write-protected like the original; its times are the least of it.
        let _ = File::options()
            .write(true)
            .open(new)
            .and_then(|copy| copy.set_times(times));
        Ok(())
    }
}
