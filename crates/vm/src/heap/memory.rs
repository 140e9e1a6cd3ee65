//! Memory of the operating system: aligned pieces of [`CHUNK_BYTES`], and pages for very large cells.

use std::ptr::NonNull;

use super::chunk::CHUNK_BYTES;

/// Zeroed memory of `CHUNK_BYTES` bytes, aligned to its size; none if the system has no more.
#[cfg(all(unix, not(miri)))]
pub(super) fn map() -> Option<NonNull<u8>> {
    // Twice the size certainly contains an aligned piece; the rest goes back at once.
    let reserved = 2 * CHUNK_BYTES;
    // SAFETY: an anonymous mapping at an address the system chooses touches no other memory.
    let start = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            reserved,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    if start == libc::MAP_FAILED {
        return None;
    }
    let start = start.cast::<u8>();
    let before = start.align_offset(CHUNK_BYTES);
    let after = reserved - CHUNK_BYTES - before;
    // SAFETY: both pieces are whole pages of the mapping made above, and nobody knows of them yet.
    unsafe {
        let chunk = start.add(before);
        if before > 0 {
            libc::munmap(start.cast(), before);
        }
        if after > 0 {
            libc::munmap(chunk.add(CHUNK_BYTES).cast(), after);
        }
        NonNull::new(chunk)
    }
}

/// Gives a piece back.
///
/// # Safety
/// `chunk` must come from [`map`], and nobody may use it any more.
#[cfg(all(unix, not(miri)))]
pub(super) unsafe fn unmap(chunk: NonNull<u8>) {
    // SAFETY: by this function's contract the mapping is whole and unused.
    unsafe {
        libc::munmap(chunk.as_ptr().cast(), CHUNK_BYTES);
    }
}

/// Zeroed memory of `bytes` bytes, a positive number, in pages of its own; none if the system has no more.
#[cfg(all(unix, not(miri)))]
pub(super) fn map_pages(bytes: usize) -> Option<NonNull<u8>> {
    // SAFETY: an anonymous mapping at an address the system chooses touches no other memory.
    let start = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    if start == libc::MAP_FAILED {
        return None;
    }
    NonNull::new(start.cast::<u8>())
}

/// Gives pages back.
///
/// # Safety
/// `start` must come from [`map_pages`] with the same number of bytes, and nobody may use the memory any more.
#[cfg(all(unix, not(miri)))]
pub(super) unsafe fn unmap_pages(start: NonNull<u8>, bytes: usize) {
    // SAFETY: by this function's contract the mapping is whole and unused.
    unsafe {
        libc::munmap(start.as_ptr().cast(), bytes);
    }
}

/// The alignment that [`map_pages`] has at least.
#[cfg(not(all(unix, not(miri))))]
const ALIGNMENT: usize = 16;

/// Zeroed memory of `bytes` bytes, a positive number, in pages of its own; none if the system has no more.
#[cfg(not(all(unix, not(miri))))]
pub(super) fn map_pages(bytes: usize) -> Option<NonNull<u8>> {
    let layout = std::alloc::Layout::from_size_align(bytes, ALIGNMENT).ok()?;
    // SAFETY: the size is not zero.
    NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) })
}

/// Gives pages back.
///
/// # Safety
/// `start` must come from [`map_pages`] with the same number of bytes, and nobody may use the memory any more.
#[cfg(not(all(unix, not(miri))))]
pub(super) unsafe fn unmap_pages(start: NonNull<u8>, bytes: usize) {
    if let Ok(layout) = std::alloc::Layout::from_size_align(bytes, ALIGNMENT) {
        // SAFETY: by this function's contract `map_pages` returned it, with this layout.
        unsafe { std::alloc::dealloc(start.as_ptr(), layout) }
    }
}

#[cfg(not(all(unix, not(miri))))]
const LAYOUT: std::alloc::Layout =
    match std::alloc::Layout::from_size_align(CHUNK_BYTES, CHUNK_BYTES) {
        Ok(layout) => layout,
        Err(_) => panic!("the chunk size is a power of two"),
    };

/// Zeroed memory of `CHUNK_BYTES` bytes, aligned to its size; none if the system has no more.
#[cfg(not(all(unix, not(miri))))]
pub(super) fn map() -> Option<NonNull<u8>> {
    // SAFETY: the size is not zero.
    NonNull::new(unsafe { std::alloc::alloc_zeroed(LAYOUT) })
}

/// Gives a piece back.
///
/// # Safety
/// `chunk` must come from [`map`], and nobody may use it any more.
#[cfg(not(all(unix, not(miri))))]
pub(super) unsafe fn unmap(chunk: NonNull<u8>) {
    // SAFETY: by this function's contract `map` returned it, with this layout.
    unsafe { std::alloc::dealloc(chunk.as_ptr(), LAYOUT) }
}
