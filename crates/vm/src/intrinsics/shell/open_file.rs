//! Files with one position for reading and writing, buffered, with modes as in C.

use std::io::{self, SeekFrom};
use std::mem::take;

use super::Bounded;
use crate::file_system::{FileStream, FileSystem, OpenOptions};

/// How much is read at once, and how much written text is held back.
const BUFFER: usize = 16 << 10;

/// The longest piece in which a line is read.
const LONGEST_LINE: usize = 1023;

/// An open file.
pub struct OpenFile {
    file: Box<dyn FileStream>,
    readable: bool,
    writable: bool,
    /// Bytes read ahead; those before `taken` have been delivered.
    ahead: Vec<u8>,
    taken: usize,
    /// Bytes not written yet. Empty unless `ahead` is.
    pending: Vec<u8>,
    at_end: bool,
}

/// How a file is opened, as C's `fopen` says it.
#[derive(Clone, Copy)]
pub struct Mode(OpenOptions);

impl Mode {
    /// What a mode such as `w+` means. No mode, `r+` and `rw+` mean: for reading and writing, made if it is missing.
    pub fn parse(mode: &str) -> Option<Mode> {
        let update = mode.contains('+');
        let for_reading = OpenOptions {
            read: true,
            write: update,
            ..OpenOptions::default()
        };
        let for_writing = OpenOptions {
            read: update,
            write: true,
            ..OpenOptions::default()
        };
        Some(Mode(match mode.chars().next() {
            _ if matches!(mode, "" | "r+" | "rw+") => OpenOptions {
                write: true,
                create: true,
                ..for_reading
            },
            Some('r') => for_reading,
            Some('w') if mode.contains('x') => OpenOptions {
                create_new: true,
                ..for_writing
            },
            Some('w') => OpenOptions {
                create: true,
                truncate: true,
                ..for_writing
            },
            Some('a') => OpenOptions {
                create: true,
                append: true,
                ..for_writing
            },
            _ => return None,
        }))
    }
}

impl OpenFile {
    /// Opens a file.
    pub fn open(
        files: &mut dyn FileSystem,
        path: &str,
        Mode(options): Mode,
    ) -> io::Result<OpenFile> {
        let mut file = files.open(path, options)?;
        if options.append && !options.read {
            file.seek(SeekFrom::End(0))?;
        }
        Ok(OpenFile {
            file,
            readable: options.read,
            writable: options.write,
            ahead: Vec::new(),
            taken: 0,
            pending: Vec::new(),
            at_end: false,
        })
    }

    /// Writes bytes and returns how many were taken.
    pub fn write(&mut self, bytes: &[u8]) -> usize {
        if !self.writable || self.give_back().is_err() {
            return 0;
        }
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= BUFFER && self.flush().is_err() {
            return 0;
        }
        bytes.len()
    }

    /// Writes what is held back.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&take(&mut self.pending))?;
        self.file.flush()
    }

    /// Gives back what was read ahead, so that the file's position is the one the script sees.
    fn give_back(&mut self) -> io::Result<()> {
        let unread = take(&mut self.ahead).len() - take(&mut self.taken);
        if unread > 0 {
            self.file.seek_relative(-(unread as i64))?;
        }
        Ok(())
    }

    /// The bytes read ahead, of which there are some unless the file is at its end.
    fn look_ahead(&mut self) -> &[u8] {
        if self.taken == self.ahead.len() && !self.at_end && self.readable {
            self.ahead.resize(BUFFER, 0);
            self.taken = 0;
            // What cannot be read counts as the end.
            let count = self
                .flush()
                .and_then(|()| self.file.read(&mut self.ahead))
                .unwrap_or(0);
            self.ahead.truncate(count);
            self.at_end = count == 0;
        }
        &self.ahead[self.taken..]
    }

    /// Reads up to `count` bytes, or all the rest, but not much more than `limit`.
    pub fn read(&mut self, count: Option<usize>, limit: usize) -> Bounded<Vec<u8>> {
        let mut bytes = Vec::new();
        while count.is_none_or(|count| bytes.len() < count) {
            let ahead = self.look_ahead();
            if ahead.is_empty() {
                break;
            }
            let wanted = count
                .map_or(usize::MAX, |count| count - bytes.len())
                .min(ahead.len());
            bytes.extend_from_slice(&ahead[..wanted]);
            self.taken += wanted;
            if bytes.len() > limit {
                return Bounded::TooMuch;
            }
        }
        Bounded::Whole(bytes)
    }

    /// Reads a line without its line feed. A long line comes in pieces. None at the end of the file.
    pub fn read_line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        loop {
            let ahead = self.look_ahead();
            if ahead.is_empty() {
                return (!line.is_empty()).then_some(line);
            }
            let wanted = &ahead[..ahead.len().min(LONGEST_LINE - line.len())];
            match wanted.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    line.extend_from_slice(&wanted[..end]);
                    self.taken += end + 1;
                    return Some(line);
                }
                None => {
                    line.extend_from_slice(wanted);
                    self.taken += wanted.len();
                }
            }
            if line.len() == LONGEST_LINE {
                self.give_back_part_of_character(&mut line);
                return Some(line);
            }
        }
    }

    /// A piece of a line ends with a whole character.
    fn give_back_part_of_character(&mut self, line: &mut Vec<u8>) {
        if let Err(error) = std::str::from_utf8(line)
            && error.error_len().is_none()
        {
            let part = line.split_off(error.valid_up_to());
            // They may have come from the buffer before.
            self.ahead.splice(..self.taken, part);
            self.taken = 0;
        }
    }

    /// The offset of the next byte to be read or written.
    pub fn position(&mut self) -> io::Result<u64> {
        self.flush()?;
        let ahead = (self.ahead.len() - self.taken) as u64;
        Ok(self.file.stream_position()?.saturating_sub(ahead))
    }

    /// Whether something was looked for behind the end.
    pub fn at_end(&self) -> bool {
        self.at_end
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        // Nobody is left to hear of it.
        let _ = self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_system::SystemFiles;

    /// A path in the system's folder for temporary files, removed at the end of the test.
    struct Temporary(std::path::PathBuf);

    impl Temporary {
        fn new(name: &str) -> Temporary {
            Temporary(std::env::temp_dir().join(format!("kiln-{}-{name}", std::process::id())))
        }

        fn open(&self, mode: &str) -> OpenFile {
            self.try_open(mode).unwrap()
        }

        fn try_open(&self, mode: &str) -> io::Result<OpenFile> {
            let mode = Mode::parse(mode).unwrap();
            OpenFile::open(&mut SystemFiles, &self.0.to_string_lossy(), mode)
        }

        fn contents(&self) -> Vec<u8> {
            std::fs::read(&self.0).unwrap()
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    fn rest(file: &mut OpenFile) -> Vec<u8> {
        match file.read(None, usize::MAX - 1) {
            Bounded::Whole(bytes) => bytes,
            Bounded::TooMuch => panic!("no limit was given"),
        }
    }

    #[test]
    fn reading_and_writing_share_a_position() {
        let path = Temporary::new("position");
        let mut file = path.open("w+");
        assert_eq!(file.write(b"one\ntwo\nthree"), 13);
        assert_eq!(file.position().unwrap(), 13);
        drop(file);
        let mut file = path.open("r+");
        assert_eq!(file.read_line().unwrap(), b"one");
        assert_eq!(file.position().unwrap(), 4);
        assert_eq!(file.write(b"TWO"), 3);
        assert_eq!(rest(&mut file), b"\nthree");
        assert!(file.at_end());
        drop(file);
        assert_eq!(path.contents(), b"one\nTWO\nthree");
    }

    #[test]
    fn modes_decide_what_is_possible() {
        let path = Temporary::new("modes");
        assert!(path.try_open("r").is_err());
        assert!(Mode::parse("q").is_none());
        assert_eq!(path.open("").write(b"12345"), 5);
        assert_eq!(path.open("r").write(b"x"), 0);
        let mut file = path.open("a");
        assert_eq!(file.position().unwrap(), 5);
        assert_eq!(file.write(b"6"), 1);
        assert_eq!(rest(&mut file), b"");
        drop(file);
        assert_eq!(rest(&mut path.open("rw+")), b"123456");
        assert!(path.try_open("wx").is_err());
        drop(path.open("w"));
        assert_eq!(path.contents(), b"");
    }

    #[test]
    fn the_end_is_known_when_something_was_looked_for_behind_it() {
        let path = Temporary::new("end");
        path.open("w").write(b"ab\n");
        let mut file = path.open("r");
        assert!(matches!(file.read(Some(3), 100), Bounded::Whole(bytes) if bytes == b"ab\n"));
        assert!(!file.at_end());
        assert_eq!(file.read_line(), None);
        assert!(file.at_end());
    }

    #[test]
    fn long_lines_come_in_pieces_of_whole_characters() {
        let path = Temporary::new("pieces");
        let text = "é".repeat(1000);
        path.open("w").write(text.as_bytes());
        let mut file = path.open("r");
        assert_eq!(file.read_line().unwrap().len(), 1022);
        assert_eq!(file.read_line().unwrap().len(), 978);
        assert_eq!(file.read_line(), None);
    }

    #[test]
    fn reading_stops_at_the_limit() {
        let path = Temporary::new("limit");
        path.open("w").write(&[b'x'; 1000]);
        assert!(matches!(path.open("r").read(None, 999), Bounded::TooMuch));
        assert!(matches!(path.open("r").read(None, 1000), Bounded::Whole(_)));
    }
}
