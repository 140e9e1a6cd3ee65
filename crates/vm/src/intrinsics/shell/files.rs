//! Files and folders: the map `file`.

use std::fs::{self, File, FileTimes};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use jiff::Timestamp;

use super::super::{Arguments, Intrinsic, fail, parameter, text};
use super::open_file::OpenFile;
use super::{file_handle, paths, raw_data, read_bounded};
use crate::error::Fallible;
use crate::object::list::ListCell;
use crate::text::dates::DEFAULT_FORMAT;
use crate::value::Value;
use crate::vm::Vm;

/// The table of the family.
pub static TABLE: &[Intrinsic] = &[Intrinsic {
    name: "file",
    parameters: &[],
    help: "the map of functions for files and folders",
    run: file,
}];

/// The functions in the map `file`.
pub static MEMBERS: &[Intrinsic] = &[
    Intrinsic {
        name: "curdir",
        parameters: &[],
        help: "the current folder",
        run: current_directory,
    },
    Intrinsic {
        name: "setdir",
        parameters: &[parameter("path")],
        help: "changes the current folder",
        run: set_directory,
    },
    Intrinsic {
        name: "children",
        parameters: &[parameter("path")],
        help: "the names of what is in a folder",
        run: children,
    },
    Intrinsic {
        name: "name",
        parameters: &[parameter("path")],
        help: "the last part of a path",
        run: name,
    },
    Intrinsic {
        name: "parent",
        parameters: &[parameter("path")],
        help: "a path without its last part",
        run: parent,
    },
    Intrinsic {
        name: "child",
        parameters: &[parameter("parentPath"), parameter("childName")],
        help: "a folder's path and a name joined to a path",
        run: child,
    },
    Intrinsic {
        name: "exists",
        parameters: &[parameter("path")],
        help: "whether there is such a file or folder",
        run: exists,
    },
    Intrinsic {
        name: "info",
        parameters: &[parameter("path")],
        help: "a map of a file's path, isDirectory, size and date",
        run: info,
    },
    Intrinsic {
        name: "makedir",
        parameters: &[parameter("path")],
        help: "makes a folder",
        run: make_directory,
    },
    Intrinsic {
        name: "move",
        parameters: &[parameter("oldPath"), parameter("newPath")],
        help: "moves or renames a file or folder",
        run: move_file,
    },
    Intrinsic {
        name: "copy",
        parameters: &[parameter("oldPath"), parameter("newPath")],
        help: "copies a file",
        run: copy,
    },
    Intrinsic {
        name: "delete",
        parameters: &[parameter("path")],
        help: "deletes a file or an empty folder",
        run: delete,
    },
    Intrinsic {
        name: "readLines",
        parameters: &[parameter("path")],
        help: "the lines of a file as a list; null if it cannot be read",
        run: read_lines,
    },
    Intrinsic {
        name: "writeLines",
        parameters: &[parameter("path"), parameter("lines")],
        help: "writes a list of lines, or one value, to a file; the number of bytes",
        run: write_lines,
    },
    Intrinsic {
        name: "loadRaw",
        parameters: &[parameter("path")],
        help: "a file's bytes as a RawData",
        run: load_raw,
    },
    Intrinsic {
        name: "saveRaw",
        parameters: &[parameter("path"), parameter("rawData")],
        help: "writes the bytes of a RawData to a file",
        run: save_raw,
    },
    Intrinsic {
        name: "open",
        parameters: &[parameter("path"), text("mode", "r+")],
        help: "opens a file for reading and writing, or in a mode such as \"w\"",
        run: open,
    },
];

fn file(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    if let Some(map) = vm.shell.files {
        return Ok(Value::map(map));
    }
    let map = vm.map_of_intrinsics(MEMBERS)?;
    vm.protect_map(map)?;
    vm.shell.files = Some(map);
    Ok(Value::map(map))
}

/// Every function that looks at the disk begins with this.
fn require_files(vm: &Vm) -> Fallible<()> {
    if vm.host.allows_files() {
        Ok(())
    } else {
        fail("file access is not allowed here")
    }
}

/// The argument as a path, once it is clear that files are allowed.
fn path(vm: &mut Vm, argument: Value) -> Fallible<String> {
    require_files(vm)?;
    vm.argument_string(argument)
}

/// Whether an operation of the system succeeded.
fn success<T>(result: io::Result<T>) -> Value {
    Value::truth(result.is_ok())
}

fn current_directory(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    require_files(vm)?;
    let directory = std::env::current_dir().unwrap_or_default();
    vm.new_string(&directory.to_string_lossy())
}

fn set_directory(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let path = path(vm, arguments.get(0))?;
    Ok(success(std::env::set_current_dir(path)))
}

fn children(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let path = path(vm, arguments.get(0))?;
    let list = ListCell::allocate(vm, 0)?;
    let entries = fs::read_dir(if path.is_empty() { "." } else { &path });
    for entry in entries.into_iter().flatten().flatten() {
        let name = vm.new_string(&entry.file_name().to_string_lossy())?;
        list.push(vm, name)?;
    }
    Ok(Value::list(list))
}

fn name(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    part(vm, arguments.get(0), paths::name)
}

fn parent(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    part(vm, arguments.get(0), paths::parent)
}

fn part(vm: &mut Vm, path: Value, part: fn(&str) -> &str) -> Fallible<Value> {
    if path.is_null() {
        return Ok(Value::ZERO);
    }
    let path = vm.argument_string(path)?;
    vm.new_string(part(&path))
}

fn child(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let (parent, name) = (
        vm.argument_string(arguments.get(0))?,
        vm.argument_string(arguments.get(1))?,
    );
    vm.new_string(&paths::child(&parent, &name))
}

fn exists(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let path = path(vm, arguments.get(0))?;
    Ok(if arguments.get(0).is_null() {
        Value::NULL
    } else {
        Value::truth(Path::new(&path).exists())
    })
}

fn info(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let mut path = path(vm, arguments.get(0))?;
    if path.is_empty() {
        path.push('.');
    }
    let Ok(metadata) = fs::metadata(&path) else {
        return Ok(Value::NULL);
    };
    let absolute = fs::canonicalize(&path).unwrap_or_else(|_| path.into());
    let changed = metadata
        .modified()
        .ok()
        .and_then(|time| Timestamp::try_from(time).ok());
    let calendar = vm.shell.calendar();
    let date = changed.map_or(String::new(), |time| {
        calendar.format(calendar.date_of(time), DEFAULT_FORMAT)
    });
    let map = vm.new_map(4)?;
    let absolute = vm.new_string(&absolute.to_string_lossy())?;
    vm.set_named(map, "path", absolute)?;
    vm.set_named(map, "isDirectory", Value::truth(metadata.is_dir()))?;
    vm.set_named(map, "size", Value::number(metadata.len() as f64))?;
    let date = vm.new_string(&date)?;
    vm.set_named(map, "date", date)?;
    Ok(Value::map(map))
}

fn make_directory(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let path = path(vm, arguments.get(0))?;
    if arguments.get(0).is_null() {
        return Ok(Value::NULL);
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
    Ok(success(builder.create(path)))
}

fn move_file(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let (old, new) = (path(vm, arguments.get(0))?, path(vm, arguments.get(1))?);
    Ok(success(fs::rename(old, new)))
}

fn copy(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let (old, new) = (path(vm, arguments.get(0))?, path(vm, arguments.get(1))?);
    Ok(success(copy_file(&old, &new)))
}

/// Copies contents, permissions and times.
fn copy_file(old: &str, new: &str) -> io::Result<()> {
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

fn delete(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let path = path(vm, arguments.get(0))?;
    let is_directory = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir());
    Ok(success(if is_directory {
        fs::remove_dir(path)
    } else {
        fs::remove_file(path)
    }))
}

fn read_lines(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let path = path(vm, arguments.get(0))?;
    let Ok(bytes) = File::open(path).and_then(|file| read_bounded(file, vm.limits.heap_bytes))
    else {
        return Ok(Value::NULL);
    };
    let bytes = vm.room(bytes)?;
    let list = ListCell::allocate(vm, 0)?;
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let line;
        (line, rest) = split_line(rest);
        let line = vm.text_from_outside(line)?;
        list.push(vm, line)?;
    }
    Ok(Value::list(list))
}

/// The first line, and what follows its line end: LF, CR, or CR LF.
fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    let Some(end) = memchr::memchr2(b'\n', b'\r', text) else {
        return (text, &[]);
    };
    let behind = if text[end..].starts_with(b"\r\n") {
        end + 2
    } else {
        end + 1
    };
    (&text[..end], &text[behind..])
}

fn write_lines(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let path = path(vm, arguments.get(0))?;
    let Ok(file) = File::create(path) else {
        return Ok(Value::NULL);
    };
    let mut file = BufWriter::new(file);
    let mut written = 0;
    let mut line = String::new();
    let lines = arguments.get(1);
    for index in 0..lines.as_list().map_or(1, |list| list.length()) {
        let value = lines
            .as_list()
            .map_or(lines, |list| list.get(index).unwrap_or(Value::NULL));
        line.clear();
        vm.append_text(value, &mut line)?;
        line.push('\n');
        if file.write_all(line.as_bytes()).is_err() {
            return Ok(Value::NULL);
        }
        written += line.len();
    }
    Ok(if file.flush().is_ok() {
        Value::number(written as f64)
    } else {
        Value::NULL
    })
}

fn load_raw(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let path = path(vm, arguments.get(0))?;
    let limit = vm.limits.heap_bytes.min(u32::MAX as usize);
    let Ok(bytes) = File::open(path).and_then(|file| read_bounded(file, limit)) else {
        return Ok(Value::NULL);
    };
    let bytes = vm.room(bytes)?;
    raw_data::new_object(vm, &bytes)
}

fn save_raw(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let path = path(vm, arguments.get(0))?;
    let Some(handle) =
        raw_data::handle(vm, arguments.get(1))?.filter(|handle| !handle.bytes().is_empty())
    else {
        return vm.new_string("Error: RawData parameter is required");
    };
    let Ok(mut file) = File::create(path) else {
        return Ok(Value::NULL);
    };
    match file.write_all(handle.bytes()) {
        Ok(()) => Ok(Value::NULL),
        Err(error) => vm.new_string(&format!("Error: {error}")),
    }
}

fn open(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let path = path(vm, arguments.get(0))?;
    let mode = vm.argument_string(arguments.get(1))?;
    match OpenFile::open(&path, &mode) {
        Ok(file) => file_handle::new_object(vm, file),
        Err(_) => Ok(Value::NULL),
    }
}

#[cfg(test)]
mod tests {
    use super::split_line;

    #[test]
    fn every_line_end_counts_once() {
        let mut rest: &[u8] = b"a\nb\r\nc\rd\n\ne";
        let mut lines = Vec::new();
        while !rest.is_empty() {
            let line;
            (line, rest) = split_line(rest);
            lines.push(line);
        }
        assert_eq!(lines, [&b"a"[..], b"b", b"c", b"d", b"", b"e"]);
    }
}
