//! The address range that code lives in, mapped twice: through one view it is written, through the other executed.
//!
//! No page is ever writable and executable at one address, and writing needs no change of protection, so publishing
//! costs a copy, and code that is running is not disturbed by it.

use std::io;

use super::CodeMemoryError;

#[cfg(target_os = "linux")]
pub use linux::Arena;
#[cfg(not(target_os = "linux"))]
pub use unsupported::Arena;

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

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io;
    use std::os::fd::FromRawFd;

    use memmap2::{Advice, Mmap, MmapMut, MmapOptions};

    use super::{CodeMemoryError, synchronize};

    /// Two views of the same memory.
    #[derive(Debug)]
    pub struct Arena {
        writable: MmapMut,
        executable: Mmap,
    }

    impl Arena {
        /// Reserves `size` bytes of address space, which take memory only where code is written.
        pub fn reserve(size: usize) -> Result<Arena, CodeMemoryError> {
            let refused = |operation| move |cause| CodeMemoryError::Refused { operation, cause };
            let file = anonymous_file().map_err(refused("creating an anonymous file"))?;
            file.set_len(size as u64)
                .map_err(refused("reserving code memory"))?;
            let options = || {
                let mut options = MmapOptions::new();
                options.len(size);
                options
            };
            // SAFETY: nobody else has the file, and its descriptor is closed at the end of this function; so it changes
            // only through the writable view, and never shrinks.
            let writable = unsafe { options().map_mut(&file) }
                .map_err(refused("mapping code memory to write it"))?;
            // SAFETY: as above. References into this view do not live across calls that take `&mut Arena`, and only those
            // write.
            let executable = unsafe { options().map_exec(&file) }
                .map_err(refused("mapping code memory to execute it"))?;
            // A child process would share the pages, and its writes would change our code.
            for advised in [
                writable.advise(Advice::DontFork),
                executable.advise(Advice::DontFork),
            ] {
                advised.map_err(refused("keeping code memory from child processes"))?;
            }
            Ok(Arena {
                writable,
                executable,
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

        /// The memory to write; what is written may run only after [`synchronize`](Arena::synchronize).
        pub fn writable(&mut self) -> &mut [u8] {
            &mut self.writable
        }

        /// Lets what was written to this range be executed.
        pub fn synchronize(&self, offset: usize, size: usize) -> Result<(), CodeMemoryError> {
            let written = self.executable.get(offset..offset + size);
            synchronize(written.unwrap_or_default()).map_err(|cause| CodeMemoryError::Refused {
                operation: "making code visible to instruction fetch",
                cause,
            })
        }
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

#[cfg(not(target_os = "linux"))]
mod unsupported {
    use super::{CodeMemoryError, synchronize};

    /// Stands where no way to make code memory is known: it cannot be made, and everything runs interpreted.
    #[derive(Debug)]
    pub struct Arena(std::convert::Infallible);

    impl Arena {
        pub fn reserve(_size: usize) -> Result<Arena, CodeMemoryError> {
            let _ = synchronize;
            Err(CodeMemoryError::Unsupported)
        }

        pub fn start(&self) -> usize {
            match self.0 {}
        }

        pub fn code(&self) -> &[u8] {
            match self.0 {}
        }

        pub fn writable(&mut self) -> &mut [u8] {
            match self.0 {}
        }

        pub fn synchronize(&self, _offset: usize, _size: usize) -> Result<(), CodeMemoryError> {
            match self.0 {}
        }
    }
}
