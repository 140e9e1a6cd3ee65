//! Files in memory.

use std::collections::BTreeMap;
use std::io::{self, Error, ErrorKind, Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use kiln_vm::file_system::{FileInfo, FileStream, FileSystem, OpenOptions};

use super::path::{Path, absolute, resolve};

/// How much a [`MemoryFiles`] holds unless told otherwise.
const DEFAULT_BYTES: usize = 16 << 20;

/// What an entry takes beside the names of its path and its contents, at most.
const ENTRY_BYTES: usize = 256;

/// What a name in a path takes beside its letters.
const NAME_BYTES: usize = size_of::<String>();

/// Files that live in memory, for tests and sandboxes.
///
/// Copies share the files, so the host can look into what its scripts wrote; each copy has its own current folder, at first the root.
///
/// ```
/// use kiln::{Engine, MemoryFiles};
///
/// let engine = Engine::new();
/// let files = MemoryFiles::new();
/// files.write("/names.txt", "Ada\nGrace\n")?;
/// let mut interpreter = engine.interpreter().files(files.clone()).build()?;
/// let program = "names = file.readLines(\"names.txt\")\nfile.writeLines \"first.txt\", names[0]";
/// interpreter.run(&engine.compile("x.ms", program)?)?;
/// assert_eq!(files.read("/first.txt")?, b"Ada\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct MemoryFiles {
    shared: Arc<Shared>,
    current: Path,
}

#[derive(Debug)]
struct Shared {
    /// All but the root.
    entries: Mutex<BTreeMap<Path, Entry>>,
    budget: Arc<Budget>,
}

#[derive(Clone, Debug)]
enum Entry {
    Folder,
    /// Also held by open files, which outlive their entries.
    File(Arc<Mutex<Contents>>),
}

/// How much may be held, and is.
#[derive(Debug)]
struct Budget {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    fn take(&self, bytes: usize) -> io::Result<()> {
        let add = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        match self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
        {
            Ok(_) => Ok(()),
            Err(_) => Err(ErrorKind::StorageFull.into()),
        }
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Contents {
    bytes: Vec<u8>,
    modified: SystemTime,
    budget: Arc<Budget>,
}

impl Contents {
    /// Makes the file this long, with zeros at its end if it was shorter.
    fn resize(&mut self, length: usize) -> io::Result<()> {
        let old = self.bytes.len();
        if length > old {
            self.budget.take(length - old)?;
            if let Err(error) = self.bytes.try_reserve(length - old) {
                self.budget.give_back(length - old);
                return Err(error.into());
            }
        }
        self.bytes.resize(length, 0);
        if length < old {
            self.bytes.shrink_to_fit();
            self.budget.give_back(old - length);
        }
        self.modified = SystemTime::now();
        Ok(())
    }
}

impl Drop for Contents {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes.len());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an entry takes beside its contents.
fn cost(path: &[String]) -> usize {
    let names: usize = path.iter().map(|name| name.len() + NAME_BYTES).sum();
    ENTRY_BYTES + names
}

impl Default for MemoryFiles {
    fn default() -> MemoryFiles {
        MemoryFiles::new()
    }
}

impl MemoryFiles {
    /// An empty file system that holds up to 16 MiB.
    ///
    /// ```
    /// use kiln::MemoryFiles;
    ///
    /// let files = MemoryFiles::new();
    /// assert!(files.read("/nosuch.txt").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new() -> MemoryFiles {
        MemoryFiles::with_limit(DEFAULT_BYTES)
    }

    /// An empty file system that holds so many bytes, which its folders and names count toward.
    ///
    /// ```
    /// use kiln::MemoryFiles;
    ///
    /// let files = MemoryFiles::with_limit(10_000);
    /// files.write("/small.txt", "a few bytes")?;
    /// assert!(files.write("/large.txt", "x".repeat(10_000)).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_limit(bytes: usize) -> MemoryFiles {
        let budget = Budget {
            limit: bytes,
            used: AtomicUsize::new(0),
        };
        MemoryFiles {
            shared: Arc::new(Shared {
                entries: Mutex::default(),
                budget: Arc::new(budget),
            }),
            current: Path::new(),
        }
    }

    /// The contents of a file.
    ///
    /// ```
    /// let files = kiln::MemoryFiles::new();
    /// files.write("/a.txt", "text")?;
    /// assert_eq!(files.read("/a.txt")?, b"text");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// There is no such file.
    pub fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        match self.entry(&self.resolve(path)?)? {
            Entry::File(contents) => Ok(lock(&contents).bytes.clone()),
            Entry::Folder => Err(ErrorKind::IsADirectory.into()),
        }
    }

    /// Writes a file in place of any old one, and makes the folders it is in.
    ///
    /// ```
    /// let files = kiln::MemoryFiles::new();
    /// files.write("/folder/a.txt", "text")?;
    /// files.write("/folder/a.txt", "another text")?;
    /// assert_eq!(files.read("/folder/a.txt")?, b"another text");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// There is no room, or a folder has this path, or a file that of one of its folders.
    pub fn write(&self, path: &str, contents: impl AsRef<[u8]>) -> io::Result<()> {
        let path = self.resolve(path)?;
        for length in 1..path.len() {
            match self.make(&path[..length], || Entry::Folder) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        let mut file = self.open_resolved(&path, OpenOptions::REPLACE)?;
        file.write_all(contents.as_ref())
    }

    fn resolve(&self, path: &str) -> io::Result<Path> {
        resolve(&self.current, path)
    }

    fn entry(&self, path: &[String]) -> io::Result<Entry> {
        if path.is_empty() {
            return Ok(Entry::Folder);
        }
        let entries = lock(&self.shared.entries);
        entries
            .get(path)
            .cloned()
            .ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// Makes an entry in a folder that exists.
    fn make(&self, path: &[String], entry: impl FnOnce() -> Entry) -> io::Result<Entry> {
        let Some((_, parent)) = path.split_last() else {
            return Err(ErrorKind::AlreadyExists.into());
        };
        if !matches!(self.entry(parent)?, Entry::Folder) {
            return Err(ErrorKind::NotADirectory.into());
        }
        let mut entries = lock(&self.shared.entries);
        if entries.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        self.shared.budget.take(cost(path))?;
        let entry = entry();
        entries.insert(path.to_vec(), entry.clone());
        Ok(entry)
    }

    fn open_resolved(&self, path: &[String], options: OpenOptions) -> io::Result<Stream> {
        let new = || {
            Entry::File(Arc::new(Mutex::new(Contents {
                bytes: Vec::new(),
                modified: SystemTime::now(),
                budget: self.shared.budget.clone(),
            })))
        };
        let entry = if options.create_new {
            self.make(path, new)?
        } else if options.create {
            match self.make(path, new) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => self.entry(path)?,
                made => made?,
            }
        } else {
            self.entry(path)?
        };
        let Entry::File(contents) = entry else {
            return Err(ErrorKind::IsADirectory.into());
        };
        if options.truncate {
            lock(&contents).resize(0)?;
        }
        Ok(Stream {
            contents,
            position: 0,
            options,
        })
    }
}

/// The entries below a folder, at any depth.
fn below<'a>(
    entries: &'a BTreeMap<Path, Entry>,
    folder: &'a [String],
) -> impl Iterator<Item = &'a Path> {
    // A path sorts right before those that begin with it.
    entries
        .range(folder.to_vec()..)
        .map(|(path, _)| path)
        .take_while(move |path| path.starts_with(folder))
        .filter(move |path| path.len() > folder.len())
}

impl FileSystem for MemoryFiles {
    fn current_folder(&self) -> io::Result<String> {
        Ok(absolute(&self.current))
    }

    fn set_current_folder(&mut self, path: &str) -> io::Result<()> {
        let path = self.resolve(path)?;
        match self.entry(&path)? {
            Entry::Folder => {
                self.current = path;
                Ok(())
            }
            Entry::File(_) => Err(ErrorKind::NotADirectory.into()),
        }
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let path = self.resolve(path)?;
        if !matches!(self.entry(&path)?, Entry::Folder) {
            return Err(ErrorKind::NotADirectory.into());
        }
        let entries = lock(&self.shared.entries);
        Ok(below(&entries, &path)
            .filter(|inner| inner.len() == path.len() + 1)
            .filter_map(|inner| inner.last().cloned())
            .collect())
    }

    fn info(&self, path: &str) -> io::Result<FileInfo> {
        let path = self.resolve(path)?;
        let (is_folder, size, modified) = match self.entry(&path)? {
            Entry::Folder => (true, 0, None),
            Entry::File(contents) => {
                let contents = lock(&contents);
                (false, contents.bytes.len() as u64, Some(contents.modified))
            }
        };
        Ok(FileInfo {
            path: absolute(&path),
            is_folder,
            size,
            modified,
        })
    }

    fn open(&mut self, path: &str, options: OpenOptions) -> io::Result<Box<dyn FileStream>> {
        let path = self.resolve(path)?;
        Ok(Box::new(self.open_resolved(&path, options)?))
    }

    fn make_folder(&mut self, path: &str) -> io::Result<()> {
        let path = self.resolve(path)?;
        self.make(&path, || Entry::Folder).map(|_| ())
    }

    fn rename(&mut self, old: &str, new: &str) -> io::Result<()> {
        let (old, new) = (self.resolve(old)?, self.resolve(new)?);
        let moved = self.entry(&old)?;
        if old == new {
            return Ok(());
        }
        if old.is_empty() || new.starts_with(&old) {
            return Err(ErrorKind::InvalidInput.into());
        }
        match (&moved, self.entry(&new)) {
            (Entry::File(_), Ok(Entry::File(_))) => self.remove(&absolute(&new))?,
            (_, Ok(_)) => return Err(ErrorKind::AlreadyExists.into()),
            (_, Err(_)) => {}
        }
        self.make(&new, || moved)?;
        let mut entries = lock(&self.shared.entries);
        let inner: Vec<Path> = below(&entries, &old).cloned().collect();
        for path in inner {
            let moved = [&new[..], &path[old.len()..]].concat();
            // The names are as long as before, but for those of the folder: a rename may go a little beyond the limit.
            let (before, after) = (cost(&path), cost(&moved));
            if let Some(entry) = entries.remove(&path) {
                self.shared.budget.give_back(before);
                self.shared.budget.used.fetch_add(after, Ordering::Relaxed);
                entries.insert(moved, entry);
            }
        }
        entries.remove(&old);
        self.shared.budget.give_back(cost(&old));
        Ok(())
    }

    fn remove(&mut self, path: &str) -> io::Result<()> {
        let path = self.resolve(path)?;
        let mut entries = lock(&self.shared.entries);
        if below(&entries, &path).next().is_some() {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        match entries.remove(&path) {
            Some(_) => {
                self.shared.budget.give_back(cost(&path));
                Ok(())
            }
            None => Err(ErrorKind::NotFound.into()),
        }
    }
}

/// An open file.
struct Stream {
    contents: Arc<Mutex<Contents>>,
    position: u64,
    options: OpenOptions,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.options.read {
            return Err(ErrorKind::PermissionDenied.into());
        }
        let contents = lock(&self.contents);
        let start = usize::try_from(self.position).unwrap_or(usize::MAX);
        let count = contents
            .bytes
            .get(start..)
            .map_or(Ok(0), |mut rest| rest.read(buffer))?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.options.write {
            return Err(ErrorKind::PermissionDenied.into());
        }
        let mut contents = lock(&self.contents);
        let length = contents.bytes.len();
        let start = match self.options.append {
            true => length,
            false => usize::try_from(self.position).unwrap_or(usize::MAX),
        };
        let end = start
            .checked_add(bytes.len())
            .ok_or_else(|| Error::from(ErrorKind::StorageFull))?;
        contents.resize(end.max(length))?;
        if let Some(place) = contents.bytes.get_mut(start..end) {
            place.copy_from_slice(bytes);
        }
        self.position = end as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Stream {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (base, offset) = match to {
            SeekFrom::Start(position) => (position, 0),
            SeekFrom::End(offset) => (lock(&self.contents).bytes.len() as u64, offset),
            SeekFrom::Current(offset) => (self.position, offset),
        };
        self.position = base
            .checked_add_signed(offset)
            .ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}
