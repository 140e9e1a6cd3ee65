//! Files and folders: the map `file`.

use std::io::{self, BufWriter, Write};

use jiff::Timestamp;

use super::super::{Arguments, Intrinsic, fail, parameter, text};
use super::open_file::{Mode, OpenFile};
use super::{Bounded, file_handle, paths, raw_data, read_bounded};
use crate::error::Fallible;
use crate::file_system::{FileSystem, OpenOptions};
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

const REFUSED: &str = "file access is not allowed here";

/// Every function that works with files begins with this.
fn require_files(vm: &mut Vm) -> Fallible<()> {
    if vm.ask_host("file", |host| host.files().is_some())? {
        Ok(())
    } else {
        fail(REFUSED)
    }
}

/// Asks the file system for something.
fn ask<T>(vm: &mut Vm, question: impl FnOnce(&mut dyn FileSystem) -> T) -> Fallible<T> {
    match vm.ask_host("file", |host| host.files().map(question))? {
        Some(answer) => Ok(answer),
        None => fail(REFUSED),
    }
}

/// The argument as a path, once it is clear that files are allowed.
fn path(vm: &mut Vm, argument: Value) -> Fallible<String> {
    require_files(vm)?;
    vm.argument_string(argument)
}

/// The argument as the path of something that exists, by default of the current folder.
fn path_or_current(vm: &mut Vm, argument: Value) -> Fallible<String> {
    let mut path = path(vm, argument)?;
    if path.is_empty() {
        path.push('.');
    }
    Ok(path)
}

/// Whether an operation of the file system succeeded.
fn success<T>(result: io::Result<T>) -> Value {
    Value::truth(result.is_ok())
}

fn current_directory(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    let folder = ask(vm, |files| files.current_folder())?;
    vm.new_string(&folder.unwrap_or_default())
}

fn set_directory(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let path = path(vm, arguments.get(0))?;
    ask(vm, |files| files.set_current_folder(&path)).map(success)
}

fn children(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let path = path_or_current(vm, arguments.get(0))?;
    let names = ask(vm, |files| files.list(&path))?.unwrap_or_default();
    let list = ListCell::allocate(vm, names.len())?;
    for name in &names {
        let name = vm.new_string(name)?;
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
        success(ask(vm, |files| files.info(&path))?)
    })
}

fn info(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let path = path_or_current(vm, arguments.get(0))?;
    let Ok(info) = ask(vm, |files| files.info(&path))? else {
        return Ok(Value::NULL);
    };
    let changed = info
        .modified
        .and_then(|time| Timestamp::try_from(time).ok());
    let calendar = vm.shell.calendar();
    let date = changed.map_or(String::new(), |time| {
        calendar.format(calendar.date_of(time), DEFAULT_FORMAT)
    });
    let map = vm.new_map(4)?;
    let path = vm.new_string(&info.path)?;
    vm.set_named(map, "path", path)?;
    vm.set_named(map, "isDirectory", Value::truth(info.is_folder))?;
    vm.set_named(map, "size", Value::number(info.size as f64))?;
    let date = vm.new_string(&date)?;
    vm.set_named(map, "date", date)?;
    Ok(Value::map(map))
}

fn make_directory(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let path = path(vm, arguments.get(0))?;
    if arguments.get(0).is_null() {
        return Ok(Value::NULL);
    }
    ask(vm, |files| files.make_folder(&path)).map(success)
}

fn move_file(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let (old, new) = (path(vm, arguments.get(0))?, path(vm, arguments.get(1))?);
    ask(vm, |files| files.rename(&old, &new)).map(success)
}

fn copy(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let (old, new) = (path(vm, arguments.get(0))?, path(vm, arguments.get(1))?);
    ask(vm, |files| files.copy(&old, &new)).map(success)
}

fn delete(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let path = path(vm, arguments.get(0))?;
    ask(vm, |files| files.remove(&path)).map(success)
}

/// The contents of a file.
fn contents(vm: &mut Vm, path: &str, limit: usize) -> Fallible<io::Result<Bounded<Vec<u8>>>> {
    ask(vm, |files| {
        let file = files.open(path, OpenOptions::READ)?;
        read_bounded(file, limit)
    })
}

fn read_lines(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let path = path(vm, arguments.get(0))?;
    let limit = vm.limits.heap_bytes;
    let Ok(bytes) = contents(vm, &path, limit)? else {
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
    let Ok(file) = ask(vm, |files| files.open(&path, OpenOptions::REPLACE))? else {
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
        let result = vm.call_host("file", |_| Ok(file.write_all(line.as_bytes())))?;
        if result.is_err() {
            return Ok(Value::NULL);
        }
        written += line.len();
    }
    let result = vm.call_host("file", |_| Ok(file.flush()))?;
    Ok(if result.is_ok() {
        Value::number(written as f64)
    } else {
        Value::NULL
    })
}

fn load_raw(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let path = path(vm, arguments.get(0))?;
    let limit = vm.limits.heap_bytes.min(u32::MAX as usize);
    let Ok(bytes) = contents(vm, &path, limit)? else {
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
    let Ok(mut file) = ask(vm, |files| files.open(&path, OpenOptions::REPLACE))? else {
        return Ok(Value::NULL);
    };
    let result = vm.call_host("file", |_| {
        Ok(file.write_all(handle.bytes()).and_then(|()| file.flush()))
    })?;
    match result {
        Ok(()) => Ok(Value::NULL),
        Err(error) => vm.new_string(&format!("Error: {error}")),
    }
}

fn open(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let path = path(vm, arguments.get(0))?;
    let mode = vm.argument_string(arguments.get(1))?;
    let Some(mode) = Mode::parse(&mode) else {
        return Ok(Value::NULL);
    };
    let mut file = ask(vm, |files| OpenFile::open(files, &path, mode))?;
    if matches!(&file, Err(error) if error.raw_os_error() == Some(libc::EMFILE)) {
        // Files that no script can reach any more are still open until a collection finds them.
        vm.collect_garbage();
        file = ask(vm, |files| OpenFile::open(files, &path, mode))?;
    }
    match file {
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
