//! The address range that code lives in. No page is ever writable and executable at one address.
//!
//! On Linux it is mapped twice: through one view it is written, through the other executed. So publishing costs a copy, and
//! needs no change of protection. Elsewhere, and for `perf`, which does not look up names for code in mapped files,
//! there is one view that is made writable for as long as it takes: only the thread that runs the code writes it, so nothing
//! runs there meanwhile.

use std::io;
use std::ops::Range;

use super::CodeMemoryError;

#[cfg(unix)]
pub use unix::Arena;
#[cfg(not(unix))]
pub use unsupported::Arena;

/// How an arena is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mapping {
    /// As it is best.
    Usual,
    /// Once, and from no file.
    Anonymous,
}

/// What unused and freed code memory is filled with: instructions that trap, so that a stray jump ends at once.
const TRAP: &[u8] = if cfg!(target_arch = "x86_64") {
    &[0xCC] // int3
} else if cfg!(target_arch = "aarch64") {
    &[0x00, 0x00, 0x20, 0xD4] // brk #0
} else {
    &[0]
};

/// Fills memory with instructions that trap.
pub fn fill_with_traps(memory: &mut [u8]) {
    for chunk in memory.chunks_mut(TRAP.len()) {
        chunk.copy_from_slice(&TRAP[..chunk.len()]);
    }
}

/// Makes code that was just written through the other view visible to instruction fetch.
fn synchronize(code: &[u8]) -> io::Result<()> {
    #[cfg(target_arch = "aarch64")]
    {
        // SAFETY: `code` is mapped and readable, which is all that the maintenance by address asks for.
        unsafe {
            wasmtime_internal_jit_icache_coherence::clear_cache(code.as_ptr().cast(), code.len())
        }
        .map_err(io::Error::other)?;
        wasmtime_internal_jit_icache_coherence::pipeline_flush_mt().map_err(io::Error::other)?;
    }
    // On x86-64 instruction fetch sees stores made through any address.
    let _ = code;
    Ok(())
}

fn refused(operation: &'static str) -> impl Fn(io::Error) -> CodeMemoryError {
    move |cause| CodeMemoryError::Refused { operation, cause }
}

#[cfg(unix)]
mod unix {
    use std::io;

    use memmap2::{Mmap, MmapMut, MmapOptions};

    use super::{CodeMemoryError, Mapping, Range, fill_with_traps, refused, synchronize};

    /// Memory for code.
    #[derive(Debug)]
    pub struct Arena {
        executable: Mmap,
        /// Another view of the same memory. Without one, `executable` is made writable for a time.
        writable: Option<MmapMut>,
    }

    impl Arena {
        /// Reserves `size` bytes of address space, which take memory only where code is written.
        pub fn reserve(size: usize, mapping: Mapping) -> Result<Arena, CodeMemoryError> {
            if cfg!(target_os = "linux") && mapping == Mapping::Usual {
                #[cfg(target_os = "linux")]
                return super::linux::map_twice(size).map(|(executable, writable)| Arena {
                    executable,
                    writable: Some(writable),
                });
            }
            let memory = MmapOptions::new().len(size).no_reserve_swap().map_anon();
            let memory = memory.map_err(refused("reserving code memory"))?;
            let executable = memory.make_exec();
            Ok(Arena {
                executable: executable.map_err(refused("making code memory executable"))?,
                writable: None,
            })
        }

        /// The address at which the arena is executed.
        pub fn start(&self) -> usize {
            self.executable.as_ptr().addr()
        }

        /// The memory as it is executed.
        pub fn code(&self) -> &[u8] {
            &self.executable
        }

        /// Lets `write` change a range of the memory, which may run when this is done.
        pub fn write<T>(
            &mut self,
            range: Range<usize>,
            write: impl FnOnce(&mut [u8]) -> T,
        ) -> Result<T, CodeMemoryError> {
            let result = match &mut self.writable {
                Some(writable) => write(writable.get_mut(range.clone()).unwrap_or_default()),
                None => {
                    self.protect(libc::PROT_READ | libc::PROT_WRITE)
                        .map_err(refused("making code memory writable"))?;
                    let (start, length) = (self.executable.as_ptr(), self.executable.len());
                    // SAFETY: the mapping is this long and writable now, and `self` is borrowed exclusively, so nobody has
                    // a reference into it.
                    let memory =
                        unsafe { std::slice::from_raw_parts_mut(start.cast_mut(), length) };
                    let result = write(memory.get_mut(range.clone()).unwrap_or_default());
                    if self.protect(libc::PROT_READ | libc::PROT_EXEC).is_err() {
                        // Frames return into this memory: there is no way to go on. It was executable before, so this
                        // does not happen.
                        std::process::abort();
                    }
                    result
                }
            };
            let written = self.executable.get(range).unwrap_or_default();
            synchronize(written).map_err(refused("making code visible to instruction fetch"))?;
            Ok(result)
        }

        fn protect(&self, protection: libc::c_int) -> io::Result<()> {
            let (start, length) = (self.executable.as_ptr(), self.executable.len());
            // SAFETY: this is a whole mapping of ours; no reference into it is used while it is not readable, for it
            // always is.
            let status = unsafe { libc::mprotect(start.cast_mut().cast(), length, protection) };
            if status == 0 {
                Ok(())
            } else {
                Err(io::Error::last_os_error())
            }
        }

        /// Overwrites a range with instructions that trap.
        pub fn clear(&mut self, range: Range<usize>) {
            // Memory that cannot be written keeps code that nobody calls.
            let _ = self.write(range, fill_with_traps);
        }
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io;
    use std::os::fd::FromRawFd;

    use memmap2::{Advice, Mmap, MmapMut, MmapOptions};

    use super::{CodeMemoryError, refused};

    /// Two views of the same memory.
    pub fn map_twice(size: usize) -> Result<(Mmap, MmapMut), CodeMemoryError> {
        let file = anonymous_file().map_err(refused("creating an anonymous file"))?;
        file.set_len(size as u64)
            .map_err(refused("reserving code memory"))?;
        let mut options = MmapOptions::new();
        let options = options.len(size);
        // SAFETY: nobody else has the file, and its descriptor is closed at the end of this function; so it changes only
        // through the writable view, and never shrinks.
        let executable = unsafe { options.map_exec(&file) }
            .map_err(refused("mapping code memory to execute it"))?;
        // SAFETY: as above. References into the executable view do not live while an arena is written to, which takes it
        // exclusively.
        let writable = unsafe { options.map_mut(&file) }
            .map_err(refused("mapping code memory to write it"))?;
        // A child process would share the pages, and its writes would change our code.
        executable
            .advise(Advice::DontFork)
            .and_then(|()| writable.advise(Advice::DontFork))
            .map_err(refused("keeping code memory from child processes"))?;
        Ok((executable, writable))
    }

    fn anonymous_file() -> io::Result<File> {
        // Systems can be set up to refuse files that could be started as programs, which ours never are; older ones do
        // not know the flag that says so.
        const FLAGS: [libc::c_uint; 2] =
            [libc::MFD_CLOEXEC | libc::MFD_NOEXEC_SEAL, libc::MFD_CLOEXEC];
        let mut error = io::Error::from(io::ErrorKind::Unsupported);
        for flags in FLAGS {
            // SAFETY: the name is a C string; the flags are valid or refused.
            let descriptor = unsafe { libc::memfd_create(c"kiln-code".as_ptr(), flags) };
            if descriptor >= 0 {
                // SAFETY: the descriptor was just made and belongs to nobody else.
                return Ok(unsafe { File::from_raw_fd(descriptor) });
            }
            error = io::Error::last_os_error();
            if error.raw_os_error() != Some(libc::EINVAL) {
                break;
            }
        }
        Err(error)
    }
}

#[cfg(not(unix))]
mod unsupported {
    use super::{CodeMemoryError, Mapping, Range};

    /// Stands where no way to make code memory is known: it cannot be made, and everything runs interpreted.
    #[derive(Debug)]
    pub struct Arena(std::convert::Infallible);

    impl Arena {
        pub fn reserve(_size: usize, _mapping: Mapping) -> Result<Arena, CodeMemoryError> {
            Err(CodeMemoryError::Unsupported)
        }

        pub fn start(&self) -> usize {
            match self.0 {}
        }

        pub fn code(&self) -> &[u8] {
            match self.0 {}
        }

        pub fn write<T>(
            &mut self,
            _range: Range<usize>,
            _write: impl FnOnce(&mut [u8]) -> T,
        ) -> Result<T, CodeMemoryError> {
            match self.0 {}
        }

        pub fn clear(&mut self, _range: Range<usize>) {
            match self.0 {}
        }
    }
}
