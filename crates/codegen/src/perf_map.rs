//! The file in which `perf` looks up names for code that comes from no file: one line for each code object.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// `perf` reads one file for each process, so all interpreters of a process share it.
static SHARED: Mutex<Option<PerfMap>> = Mutex::new(None);

/// A list of code objects for `perf report`.
///
/// Code whose memory is used again is listed again; `perf` cannot tell which of the two a sample met.
#[derive(Clone, Debug)]
pub struct PerfMap {
    file: Arc<File>,
}

impl PerfMap {
    /// The list of this process, `perf-PID.map` in the system's folder for temporary files.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be made.
    pub fn open() -> io::Result<PerfMap> {
        // The list is valid whatever a thread that panicked did.
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(map) = &*shared {
            return Ok(map.clone());
        }
        let map = PerfMap::create(&std::env::temp_dir(), std::process::id())?;
        Ok(shared.insert(map).clone())
    }

    fn create(folder: &Path, process: u32) -> io::Result<PerfMap> {
        let path = folder.join(format!("perf-{process}.map"));
        // A file of that name belongs to an earlier process with the same number. It is not written to: in a folder
        // that everybody can write to, it could be a link to somewhere else.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(path)?;
        Ok(PerfMap {
            file: Arc::new(file),
        })
    }

    /// Adds a code object. A line that cannot be written is left out: it only costs a name in a profile.
    pub fn record(&self, start: usize, size: usize, name: &str) {
        let name = name.replace(char::is_control, " ");
        let line = format!("{start:x} {size:x} {name}\n");
        // One write for each line, so that those of several threads do not mix.
        let _ = (&*self.file).write_all(line.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_object_is_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("perf-7.map");
        std::fs::write(&path, "of another process").unwrap();
        let map = PerfMap::create(folder.path(), 7).unwrap();
        map.record(0x1000, 0x20, "first");
        map.clone().record(0x1020, 1, "a name\nin two lines");
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text, "1000 20 first\n1020 1 a name in two lines\n");
    }

    #[test]
    fn a_folder_that_is_missing_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(PerfMap::create(&folder.path().join("none"), 7).is_err());
    }
}
