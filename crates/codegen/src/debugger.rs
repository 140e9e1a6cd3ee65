//! Telling a debugger about code that comes from no file.
//!
//! The interface is GDB's ("JIT Compilation Interface" in its manual), which LLDB knows too: a linked list of object files in
//! memory, under a name that debuggers look for, and a function that they stop at to see the list change.

mod elf;

use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// An element of the list; the debugger knows the layout.
#[repr(C)]
struct Entry {
    next: *mut Entry,
    previous: *mut Entry,
    object_file: *const u8,
    object_file_size: u64,
}

/// The head of the list; the debugger knows the layout.
#[repr(C)]
struct Descriptor {
    version: u32,
    action: u32,
    relevant: *mut Entry,
    first: *mut Entry,
}

const REGISTER: u32 = 1;
const UNREGISTER: u32 = 2;

/// Looked up by its name. There is one for the whole process, and only who holds [`LIST`] touches it.
#[unsafe(no_mangle)]
static mut __jit_debug_descriptor: Descriptor = Descriptor {
    version: 1,
    action: 0,
    relevant: ptr::null_mut(),
    first: ptr::null_mut(),
};

/// The debugger stops here.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn __jit_debug_register_code() {
    // Keeps the function from being empty, and calls of it from being left out.
    std::hint::black_box(());
}

static LIST: Mutex<()> = Mutex::new(());

fn lock() -> MutexGuard<'static, ()> {
    // The list is changed only by code that does not panic.
    LIST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A code object that a debugger knows as long as this value lives.
#[derive(Debug)]
pub struct Registration {
    /// Owned; the list links to it.
    entry: *mut Entry,
    /// What the entry points to.
    _object_file: Box<[u8]>,
}

// SAFETY: the entry is linked with those of other threads, but links are followed and changed only under the lock.
unsafe impl Send for Registration {}
// SAFETY: a shared registration can do nothing at all.
unsafe impl Sync for Registration {}

impl Registration {
    /// Makes a function of that name known, which has its code at `start`.
    pub fn new(start: usize, size: usize, name: &str) -> Registration {
        let object_file = elf::object_file(start as u64, size as u64, name).into_boxed_slice();
        let entry = Box::into_raw(Box::new(Entry {
            next: ptr::null_mut(),
            previous: ptr::null_mut(),
            object_file: object_file.as_ptr(),
            object_file_size: object_file.len() as u64,
        }));
        let _guard = lock();
        // SAFETY: the descriptor and all entries of the list are touched only under the lock. Entries in the list are live:
        // they leave it before they are freed.
        unsafe {
            let descriptor = &raw mut __jit_debug_descriptor;
            let first = (*descriptor).first;
            (*entry).next = first;
            if !first.is_null() {
                (*first).previous = entry;
            }
            (*descriptor).first = entry;
            notify(REGISTER, entry);
        }
        Registration {
            entry,
            _object_file: object_file,
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let _guard = lock();
        // SAFETY: as in `new`. The entry came from a box, and after this nothing links to it.
        unsafe {
            let descriptor = &raw mut __jit_debug_descriptor;
            let Entry { next, previous, .. } = *self.entry;
            if !next.is_null() {
                (*next).previous = previous;
            }
            if previous.is_null() {
                (*descriptor).first = next;
            } else {
                (*previous).next = next;
            }
            notify(UNREGISTER, self.entry);
            drop(Box::from_raw(self.entry));
        }
    }
}

/// Shows the debugger what changed.
///
/// # Safety
///
/// The caller holds the lock, and `entry` is live.
unsafe fn notify(action: u32, entry: *mut Entry) {
    // SAFETY: the caller holds the lock.
    unsafe {
        let descriptor = &raw mut __jit_debug_descriptor;
        (*descriptor).action = action;
        (*descriptor).relevant = entry;
        __jit_debug_register_code();
        (*descriptor).action = 0;
        (*descriptor).relevant = ptr::null_mut();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the functions a debugger would see.
    fn listed() -> Vec<String> {
        let _guard = lock();
        let mut names = Vec::new();
        // SAFETY: the lock is held, so the entries stay as they are.
        unsafe {
            let descriptor = &raw const __jit_debug_descriptor;
            let mut entry = (*descriptor).first;
            while !entry.is_null() {
                let size = (*entry).object_file_size as usize;
                let file = std::slice::from_raw_parts((*entry).object_file, size);
                let strings = String::from_utf8_lossy(file);
                names.extend(
                    strings
                        .split('\0')
                        .filter(|it| it.starts_with("listed_"))
                        .map(str::to_owned),
                );
                entry = (*entry).next;
            }
        }
        names
    }

    #[test]
    fn functions_are_listed_as_long_as_they_are_registered() {
        let [first, second, third] =
            ["listed_1", "listed_2", "listed_3"].map(|name| Registration::new(0x1000, 16, name));
        assert_eq!(listed(), ["listed_3", "listed_2", "listed_1"]);
        drop(second);
        assert_eq!(listed(), ["listed_3", "listed_1"]);
        drop(third);
        drop(first);
        assert_eq!(listed(), [""; 0]);
    }
}
