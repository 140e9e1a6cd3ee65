//! The intrinsics of the command line: input, files, the environment, programs, keys, modules, dates.
//!
//! What they may do is for the host to say: see [`crate::host::Host`].

pub mod dates;
pub mod environment;
pub mod file_handle;
pub mod files;
pub mod import;
pub mod keys;
mod open_file;
mod paths;
pub mod process;
pub mod raw_data;

use std::collections::VecDeque;
use std::io::Read;

use crate::error::{Fallible, RuntimeError};
use crate::heap::{Gc, Marker};
use crate::object::handle::HandleCell;
use crate::object::list::ListCell;
use crate::object::map::MapCell;
use crate::text::dates::Calendar;
use crate::value::Value;
use crate::vm::Vm;

/// What the intrinsics of this family keep from call to call. Everything is made when it is first asked for.
#[derive(Default)]
pub(crate) struct Shell {
    arguments: Option<Gc<ListCell>>,
    environment: Option<Gc<MapCell>>,
    files: Option<Gc<MapCell>>,
    open_files: Option<Gc<MapCell>>,
    raw_data: Option<Gc<MapCell>>,
    keys: Option<Gc<MapCell>>,
    /// Characters typed or put that no one has taken yet.
    typed: VecDeque<char>,
    calendar: Option<Calendar>,
}

impl Shell {
    pub(crate) fn trace(&self, marker: &mut Marker) {
        if let Some(list) = self.arguments {
            marker.cell(list);
        }
        for map in [
            self.environment,
            self.files,
            self.open_files,
            self.raw_data,
            self.keys,
        ]
        .into_iter()
        .flatten()
        {
            marker.cell(map);
        }
    }

    fn calendar(&mut self) -> &Calendar {
        self.calendar.get_or_insert_with(Calendar::local)
    }
}

impl Vm {
    /// A store into a map that scripts may not change: most refuse it, `file` ignores it, `key` has entries that act.
    #[cold]
    pub(crate) fn set_protected(
        &mut self,
        map: Gc<MapCell>,
        key: Value,
        value: Value,
    ) -> Fallible<()> {
        if self.shell.files == Some(map) {
            return Ok(());
        }
        if self.shell.keys == Some(map) {
            return keys::assign(self, map, key, value);
        }
        Err(RuntimeError::ProtectedMap.into())
    }

    /// A copy of the text of an argument; null counts as empty.
    fn argument_string(&mut self, value: Value) -> Fallible<String> {
        let mut text = String::new();
        self.append_text(value, &mut text)?;
        Ok(text)
    }

    /// Stores an entry under a name.
    fn set_named(&mut self, map: Gc<MapCell>, name: &str, value: Value) -> Fallible<()> {
        let name = self.intern(name)?;
        self.map_set_interned(map, name, value)
    }

    /// The handle of a map object (an open file, a RawData), inherited ones included.
    fn handle_of(&mut self, object: Value) -> Fallible<Option<Gc<HandleCell>>> {
        let Some(map) = object.as_map() else {
            return Ok(None);
        };
        let name = Value::string(self.intern("_handle")?);
        let handle = self.find_indexed(map, name)?;
        Ok(handle.and_then(|handle| handle.as_other(crate::heap::Kind::Handle)))
    }

    /// A string of bytes from outside; what is not UTF-8 becomes U+FFFD.
    fn text_from_outside(&mut self, bytes: &[u8]) -> Fallible<Value> {
        self.new_string(&String::from_utf8_lossy(bytes))
    }

    /// What to make of something read in full that the heap would have no room for.
    fn room<T>(&self, contents: Bounded<T>) -> Fallible<T> {
        match contents {
            Bounded::Whole(contents) => Ok(contents),
            Bounded::TooMuch => self.heap.exhausted(),
        }
    }
}

/// Contents of a size that is not known before they are read.
enum Bounded<T> {
    Whole(T),
    /// More than the limit.
    TooMuch,
}

/// Reads to the end, but not much more than `limit` bytes.
fn read_bounded(source: impl Read, limit: usize) -> std::io::Result<Bounded<Vec<u8>>> {
    let mut bytes = Vec::new();
    source.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(if bytes.len() > limit {
        Bounded::TooMuch
    } else {
        Bounded::Whole(bytes)
    })
}
